"""A campaign's recipients one by one, and all that is on record about one message."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse

from delivery.services.leaving import WHYS
from delivery.tracking.rules import WHY

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
# What has no outcome yet, whichever worker holds it: the report's names for it, and the filter's.
WAITING = ("waiting", "pending", "claimed", "sending")

# Pages by contact id: each page costs the same, however far down.
FIND = """
SELECT m.contact_id, coalesce(c.email, ''), o.result, b.state = 'finished', o.code, o.enhanced, o.reply, o.at,
    e.opened, e.clicked, e.unsubscribed, e.machine_opens, e.machine_clicks
FROM delivery_message m
JOIN delivery_batch b ON b.id = m.batch_id
LEFT JOIN contacts_contact c ON c.id = m.contact_id
LEFT JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
LEFT JOIN LATERAL (
    SELECT min(occurred_at) FILTER (WHERE kind = 'opened' AND verdict <> 'machine') AS opened,
        min(occurred_at) FILTER (WHERE kind = 'clicked' AND verdict <> 'machine') AS clicked,
        min(occurred_at) FILTER (WHERE kind = 'unsubscribed') AS unsubscribed,
        count(*) FILTER (WHERE kind = 'opened' AND verdict = 'machine') AS machine_opens,
        count(*) FILTER (WHERE kind = 'clicked' AND verdict = 'machine') AS machine_clicks
    FROM delivery_event v WHERE v.campaign_id = m.campaign_id AND v.contact_id = m.contact_id
    AND v.kind IN ('opened', 'clicked', 'unsubscribed')) e ON true
WHERE m.campaign_id = %(campaign)s AND m.contact_id > %(after)s
AND (%(result)s::int IS NULL OR o.result = %(result)s
    OR (%(result)s = 8 AND o.result IS NULL AND b.state = 'finished'))
AND (NOT %(waiting)s OR (o.result IS NULL AND b.state <> 'finished'))
AND (%(address)s = '' OR c.address LIKE %(address)s || '%%')
ORDER BY m.contact_id LIMIT %(limit)s
"""

LOG = """
SELECT at, 'Attempt: ' || result, code, enhanced, reply, account FROM (
    SELECT o.at, o.result::text, o.code, o.enhanced, o.reply, 'by ' || a.name AS account FROM delivery_message m
    JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
    LEFT JOIN delivery_provideraccount a ON a.id = o.account_id
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
SELECT e.occurred_at, initcap(replace(e.kind, '_', ' ')), 0, e.enhanced, e.reply, json_build_object(
    'verdict', e.verdict, 'reason', e.verdict_reason, 'category', e.category, 'program', e.user_agent,
    'link', coalesce(nullif(l.label, ''), l.url), 'network', e.network, 'source', e.details ->> 'source',
    'why', e.details ->> 'why', 'words', e.details ->> 'reason')::text
FROM delivery_event e LEFT JOIN delivery_link l ON l.campaign_id = e.campaign_id AND l.index = e.link_index
WHERE e.campaign_id = %(campaign)s AND e.contact_id = %(contact)s
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
    n_machine_opens: int
    n_machine_clicks: int

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
        machines = [self.n_machine_opens, self.n_machine_clicks]
        return [self.email, self.state, self.code or "", self.enhanced or "", self.reply or "", at, *times, *machines]


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
        "waiting": wanted.state in WAITING,
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
    at, what, code, enhanced, reply, note = row
    if what.startswith("Attempt: "):
        what = NAMES[int(what[9:])].capitalize()
    return LogLine(at, what, code, enhanced, reply, _event_note(note) if (note or "").startswith("{") else note or "")


def _event_note(text: str) -> str:
    """An event's particulars in words; who made it goes first."""
    facts = json.loads(text)
    who = {"human": "a person", "machine": "a machine", "unknown": "unknown whether a person"}.get(facts["verdict"], "")
    why = WHY.get(facts["reason"], facts["reason"])
    if facts["source"]:  # an unsubscribe
        words = (f"by {facts['source']}", str(WHYS.get(facts["why"] or "", "")), facts["words"])
    else:
        words = (f"{who} ({why})" if who and why else who, facts["link"], facts["category"].replace("_", " "))
    return ", ".join(part for part in (*words, facts["program"], facts["network"]) if part)
