"""A campaign's figures, counted from rows: people once each, machines apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from delivery.progress import Progress, progress_of

# People per kind of event. A person who was opened for by a proxy and opened himself counts as human.
PEOPLE = """
SELECT kind, count(*) FILTER (WHERE n_human > 0), count(*), sum(n), sum(n_human)
FROM (
    SELECT kind, contact_id, count(*) AS n, count(*) FILTER (WHERE verdict <> 'machine') AS n_human
    FROM delivery_event WHERE campaign_id = %(campaign)s AND occurred_at >= %(since)s GROUP BY kind, contact_id
) e GROUP BY kind
"""

LINKS = """
SELECT l.index, l.url, l.label, l.disabled_at IS NOT NULL,
    count(DISTINCT e.contact_id) FILTER (WHERE e.verdict <> 'machine'), count(DISTINCT e.contact_id),
    count(e.contact_id)
FROM delivery_link l
LEFT JOIN delivery_event e ON e.campaign_id = l.campaign_id AND e.kind = 'clicked' AND e.link_index = l.index
    AND e.occurred_at >= %(since)s
WHERE l.campaign_id = %(campaign)s GROUP BY l.index, l.url, l.label, l.disabled_at ORDER BY 5 DESC, l.index
"""

SENT_OVER_TIME = """
SELECT date_bin(%(step)s, at, %(since)s), count(*) FROM delivery_outcome
WHERE campaign_id = %(campaign)s AND result = 1 GROUP BY 1 ORDER BY 1
"""

EVENTS_OVER_TIME = """
SELECT date_bin(%(step)s, occurred_at, %(since)s), kind, count(*) FROM delivery_event
WHERE campaign_id = %(campaign)s AND kind IN ('opened', 'clicked') AND occurred_at >= %(since)s
AND (%(machines)s OR verdict <> 'machine') GROUP BY 1, 2 ORDER BY 1
"""

BOUNCES = """
SELECT bounce_kind, category, count(DISTINCT contact_id), min(reply) FROM delivery_event
WHERE campaign_id = %(campaign)s AND kind = 'bounced' AND occurred_at >= %(since)s
GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 30
"""

DEFERRALS = """
SELECT category, count(*), count(*) FILTER (WHERE taken_at IS NULL), min(reply)
FROM delivery_deferral WHERE campaign_id = %(campaign)s GROUP BY 1 ORDER BY 2 DESC LIMIT 20
"""

# Opens and clicks trickle in for days; the page refreshes itself for the first two.
LIVELY = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Reach:
    """One kind of event: people who did it themselves, people with any such event, and raw hits."""

    n_people: int = 0
    n_people_any: int = 0
    n_hits: int = 0
    n_human_hits: int = 0


@dataclass(frozen=True, slots=True)
class LinkLine:
    """Clicks on one link."""

    index: int
    url: str
    label: str
    disabled: bool
    n_people: int
    n_people_any: int
    n_hits: int


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """Why messages bounced or wait, with an example in the server's words."""

    kind: str
    category: str
    n: int
    example: str

    @property
    def reason(self) -> str:
        """The category as a person writes it."""
        return self.category.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the report page shows at a glance."""

    progress: Progress
    reach: dict[str, Reach]

    def people(self, kind: str, *, machines: bool = False) -> int:
        """People with an event of this kind."""
        reach = self.reach.get(kind, Reach())
        return reach.n_people_any if machines else reach.n_people

    @property
    def n_delivered(self) -> int:
        """Accepted and not bounced afterwards: refusals at SMTP time are not among the accepted."""
        return max(0, self.progress.accepted - max(0, self.people("bounced", machines=True) - self.progress.refused))

    def rate(self, kind: str, *, machines: bool = False) -> float:
        """People with this kind of event per delivered message, in percent."""
        return 100 * self.people(kind, machines=machines) / self.n_delivered if self.n_delivered else 0.0


def report_of(campaign_id: int, *, since: datetime) -> Report:
    """The figures; `since` is the launch, which keeps the query off older partitions."""
    rows = _rows(PEOPLE, {"campaign": campaign_id, "since": since - timedelta(hours=1)})
    reach = {row[0]: Reach(int(row[1]), int(row[2]), int(row[3]), int(row[4])) for row in rows}
    return Report(progress_of(campaign_id), reach)


def links_of(campaign_id: int, *, since: datetime) -> list[LinkLine]:
    """Clicks per link, most clicked first."""
    return [LinkLine(*row) for row in _rows(LINKS, {"campaign": campaign_id, "since": since})]


def bounces_of(campaign_id: int, *, since: datetime) -> list[ReasonLine]:
    """Bounce reasons, most frequent first."""
    return [ReasonLine(*row) for row in _rows(BOUNCES, {"campaign": campaign_id, "since": since})]


def deferrals_of(campaign_id: int) -> list[ReasonLine]:
    """Why messages were deferred, with how many still wait."""
    rows = _rows(DEFERRALS, {"campaign": campaign_id})
    return [ReasonLine(f"{row[2]} waiting", row[0], row[1], row[3]) for row in rows]


def chart_of(campaign_id: int, *, since: datetime, until: datetime, machines: bool) -> dict[str, Any]:
    """Accepted, opened and clicked over time, in 60 steps at most; times are ISO texts."""
    step = _step(until - since)
    params = {"campaign": campaign_id, "since": since, "step": step, "machines": machines}
    series: dict[str, dict[datetime, int]] = {
        "accepted": dict(_rows(SENT_OVER_TIME, params)),
        "opened": {},
        "clicked": {},
    }
    for at, kind, n in _rows(EVENTS_OVER_TIME, params):
        series[kind][at] = n
    n_steps = min(60, int((until - since) / step) + 1)
    times = [since + step * number for number in range(n_steps)]
    return {
        "times": [time.isoformat() for time in times],
        "series": {name: [values.get(time, 0) for time in times] for name, values in series.items()},
    }


def _step(span: timedelta) -> timedelta:
    """The smallest round step that gives at most 60 of them."""
    minutes = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)
    return next((timedelta(minutes=m) for m in minutes if span <= timedelta(minutes=m * 60)), timedelta(days=7))


def _rows(sql: str, params: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
