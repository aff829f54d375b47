"""A campaign's recipients one by one, and all that is on record about one message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse

STATES = {
    "accepted": 1,
    "deferred": 2,
    "refused": 3,
    "failed": 4,
    "uncertain": 5,
    "suppressed": 6,
    "expired": 7,
    "cancelled": 8,
}
NAMES = {number: name for name, number in STATES.items()}

# Pages by contact id: each page costs the same, however far down.
FIND = """
SELECT m.contact_id, coalesce(c.email, ''), o.result, b.state = 'finished', o.code, o.enhanced, o.reply, o.at,
    e.opened, e.clicked, e.unsubscribed
FROM delivery_message m
JOIN delivery_batch b ON b.id = m.batch_id
LEFT JOIN contacts_contact c ON c.id = m.contact_id
LEFT JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
LEFT JOIN LATERAL (
    SELECT min(occurred_at) FILTER (WHERE kind = 'opened' AND verdict <> 'machine') AS opened,
        min(occurred_at) FILTER (WHERE kind = 'clicked' AND verdict <> 'machine') AS clicked,
        min(occurred_at) FILTER (WHERE kind = 'unsubscribed') AS unsubscribed
    FROM delivery_event v WHERE v.campaign_id = m.campaign_id AND v.contact_id = m.contact_id
    AND v.kind IN ('opened', 'clicked', 'unsubscribed')) e ON true
WHERE m.campaign_id = %(campaign)s AND m.contact_id > %(after)s
AND (%(result)s::int IS NULL OR o.result = %(result)s)
AND (%(address)s = '' OR c.address LIKE %(address)s || '%%')
ORDER BY m.contact_id LIMIT %(limit)s
"""

LOG = """
SELECT at, 'Attempt: ' || result, code, enhanced, reply, '' FROM (
    SELECT o.at, o.result::text, o.code, o.enhanced, o.reply FROM delivery_message m
    JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
    WHERE m.campaign_id = %(campaign)s AND m.contact_id = %(contact)s) t
UNION ALL
SELECT deferred_at, 'Deferred (attempt ' || attempt || ')', 0, '', reply,
    'next attempt ' || to_char(due_at, 'YYYY-MM-DD HH24:MI')
FROM delivery_deferral WHERE campaign_id = %(campaign)s AND contact_id = %(contact)s
UNION ALL
SELECT resolved_at, CASE verdict WHEN 'accepted' THEN 'Counted as accepted' ELSE 'Sent again' END, 0, '', '',
    CASE source WHEN 'person' THEN 'decided by ' || said_by ELSE 'shown by a later event: ' || said_by END
FROM delivery_resolution WHERE campaign_id = %(campaign)s AND contact_id = %(contact)s
UNION ALL
SELECT occurred_at, initcap(kind), 0, enhanced, reply, concat_ws(', ', nullif(verdict, ''), nullif(verdict_reason, ''),
    nullif(category, ''), nullif(user_agent, ''))
FROM delivery_event WHERE campaign_id = %(campaign)s AND contact_id = %(contact)s
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which recipients: all of a campaign, or those in one state or whose address begins with `words`."""

    campaign_id: int
    state: str = ""
    words: str = ""
    after: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One recipient."""

    contact_id: int
    email: str
    result: int | None
    ended: bool
    code: int | None
    enhanced: str | None
    reply: str | None
    at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None
    unsubscribed_at: datetime | None

    @property
    def state(self) -> str:
        """The message's state in a word."""
        if self.result is not None:
            return NAMES[self.result]
        return "cancelled" if self.ended else "waiting"

    def as_row(self) -> list[Any]:
        """For CSV; times are ISO 8601."""
        times = [time.isoformat() if time else "" for time in (self.opened_at, self.clicked_at, self.unsubscribed_at)]
        at = self.at.isoformat() if self.at else ""
        return [self.email, self.state, self.code or "", self.reply or "", at, *times]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One thing that happened to a message."""

    at: datetime
    what: str
    code: int
    enhanced: str
    reply: str
    note: str


def find_recipients(wanted: Wanted, *, limit: int) -> list[Line]:
    """Recipients in order of contact id, from the one after `wanted.after`."""
    params = {
        "campaign": wanted.campaign_id,
        "after": wanted.after,
        "result": STATES.get(wanted.state),
        "address": wanted.words.lower().replace("%", r"\%").replace("_", r"\_"),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(FIND, params)
        return [Line(*row) for row in cursor.fetchall()]


def log_of(campaign_id: int, contact_id: int) -> list[LogLine]:
    """Attempts, deferrals and events of one message, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(LOG, {"campaign": campaign_id, "contact": contact_id})
        return [_log_line(row) for row in cursor.fetchall()]


def report_address(campaign_id: int) -> str:
    """Where the campaign's report is."""
    return reverse("delivery-report", args=[campaign_id])


def _log_line(row: tuple[Any, ...]) -> LogLine:
    line = LogLine(*row)
    if line.what.startswith("Attempt: "):
        return LogLine(line.at, NAMES[int(line.what[9:])].capitalize(), *row[2:])
    return line
