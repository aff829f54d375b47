"""Where a campaign's mail went and how it was taken: by mailbox provider, by account; and why people left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection

# Gmail and Yahoo ask bulk senders to stay under 0.1 % and never to reach 0.3 % (their sender rules of February 2024).
COMPLAINTS_WARN, COMPLAINTS_BAD = 0.1, 0.3
# Providers listed by name; the others are one line.
N_SITES = 12

SEEN = """
seen AS (
    SELECT contact_id, bool_or(kind = 'bounced') AS bounced, bool_or(kind = 'complained') AS complained,
        bool_or(kind = 'opened' AND (%(machines)s OR verdict <> 'machine')) AS opened,
        bool_or(kind = 'clicked' AND (%(machines)s OR verdict <> 'machine')) AS clicked
    FROM delivery_event WHERE campaign_id = %(campaign)s AND occurred_at >= %(since)s GROUP BY contact_id
)
"""

# Hosted domains count with their host; a domain whose host is not known yet stands for itself.
SITES = f"""
WITH {SEEN}, sent AS (
    SELECT coalesce(s.site, c.domain, '') AS site, o.result, m.contact_id
    FROM delivery_message m
    LEFT JOIN contacts_contact c ON c.id = m.contact_id
    LEFT JOIN delivery_recipientsite s ON s.domain = c.domain
    LEFT JOIN delivery_outcome o
        ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
    WHERE m.campaign_id = %(campaign)s
), by_site AS (
    SELECT site, count(*) AS total, count(*) FILTER (WHERE result = 1) AS accepted,
        count(*) FILTER (WHERE result = 2) AS deferred, count(*) FILTER (WHERE bounced) AS bounced,
        count(*) FILTER (WHERE complained) AS complained, count(*) FILTER (WHERE opened) AS opened,
        count(*) FILTER (WHERE clicked) AS clicked
    FROM sent LEFT JOIN seen USING (contact_id) GROUP BY site
), ranked AS (
    SELECT *, least(row_number() OVER (ORDER BY total DESC, site), %(n_sites)s + 1) AS place FROM by_site
)
SELECT min(site), count(*), sum(total)::bigint, sum(accepted)::bigint, sum(deferred)::bigint, sum(bounced)::bigint,
    sum(complained)::bigint, sum(opened)::bigint, sum(clicked)::bigint
FROM ranked GROUP BY place ORDER BY place
"""  # noqa: S608 - built of constants

# Attempts, not messages: what one account deferred another may have delivered.
ACCOUNTS = f"""
WITH {SEEN}
SELECT coalesce(a.name, ''), count(*) FILTER (WHERE o.result = 1), count(*) FILTER (WHERE o.result = 2),
    count(*) FILTER (WHERE o.result = 3), count(*) FILTER (WHERE o.result = 5),
    count(*) FILTER (WHERE o.result = 1 AND bounced), count(*) FILTER (WHERE o.result = 1 AND complained)
FROM delivery_outcome o
LEFT JOIN delivery_provideraccount a ON a.id = o.account_id
LEFT JOIN seen ON seen.contact_id = o.contact_id
WHERE o.campaign_id = %(campaign)s AND o.result IN (1, 2, 3, 5) GROUP BY 1 ORDER BY 2 DESC, 1
"""  # noqa: S608 - built of constants

ROUTES = """
SELECT DISTINCT r.name FROM delivery_batch b JOIN delivery_route r ON r.id = b.route_id
WHERE b.campaign_id = %(campaign)s ORDER BY 1
"""

LEAVING = """
SELECT coalesce(details ->> 'why', ''), count(DISTINCT contact_id),
    (array_agg(details ->> 'reason' ORDER BY occurred_at DESC) FILTER (WHERE details ->> 'reason' <> ''))[1:3]
FROM delivery_event WHERE campaign_id = %(campaign)s AND kind = 'unsubscribed' AND occurred_at >= %(since)s
GROUP BY 1 ORDER BY 2 DESC, 1
"""


class _Judged:
    """How many complained of what was accepted, and how that stands to the two lines."""

    __slots__ = ()
    n_accepted: int
    n_complained: int

    @property
    def complaint_rate(self) -> float:
        """Of what was accepted, in percent."""
        return _percent(self.n_complained, self.n_accepted)

    @property
    def complaint_tone(self) -> str:
        """Empty, warn or bad."""
        return complaint_tone(self.complaint_rate)


@dataclass(frozen=True, slots=True)
class SiteLine(_Judged):
    """One mailbox provider's part of a campaign, in people; `n_sites` is more than one for the line of the others."""

    site: str
    n_sites: int
    n_total: int
    n_accepted: int
    n_deferred: int
    n_bounced: int
    n_complained: int
    n_opened: int
    n_clicked: int

    @property
    def accepted_rate(self) -> float:
        """Of its part of the audience, in percent."""
        return _percent(self.n_accepted, self.n_total)

    @property
    def bounce_rate(self) -> float:
        """Of its part of the audience, in percent: refusals at the door count, too."""
        return _percent(self.n_bounced, self.n_total)

    @property
    def open_rate(self) -> float:
        """Of what it accepted, in percent."""
        return _percent(self.n_opened, self.n_accepted)

    @property
    def click_rate(self) -> float:
        """Of what it accepted, in percent."""
        return _percent(self.n_clicked, self.n_accepted)


@dataclass(frozen=True, slots=True)
class AccountLine(_Judged):
    """One provider account's attempts, and what became known later of what it took."""

    name: str
    n_accepted: int
    n_deferred: int
    n_refused: int
    n_uncertain: int
    n_bounced: int
    n_complained: int


@dataclass(frozen=True, slots=True)
class LeavingLine:
    """How many left for one reason, and the last words of up to three of them."""

    why: str
    n_people: int
    words: list[str]


def complaint_tone(rate: float) -> Literal["", "warn", "bad"]:
    """How a share of complaints, in percent, stands to the two lines."""
    return "bad" if rate >= COMPLAINTS_BAD else "warn" if rate >= COMPLAINTS_WARN else ""


def sites_of(campaign_id: int, *, since: datetime, machines: bool) -> list[SiteLine]:
    """The biggest mailbox providers and, as the last line, all others together."""
    params = {"campaign": campaign_id, "since": since, "machines": machines, "n_sites": N_SITES}
    return [SiteLine(*row) for row in _rows(SITES, params)]


def accounts_of(campaign_id: int, *, since: datetime) -> list[AccountLine]:
    """Every account that carried the campaign."""
    return [AccountLine(*row) for row in _rows(ACCOUNTS, {"campaign": campaign_id, "since": since, "machines": False})]


def routes_of(campaign_id: int) -> list[str]:
    """The names of the routes that the campaign went by."""
    return [row[0] for row in _rows(ROUTES, {"campaign": campaign_id})]


def leaving_of(campaign_id: int, *, since: datetime) -> list[LeavingLine]:
    """Why people left, most frequent first; an empty reason for those who gave none."""
    rows = _rows(LEAVING, {"campaign": campaign_id, "since": since})
    return [LeavingLine(row[0], row[1], row[2] or []) for row in rows]


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _rows(sql: str, params: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
