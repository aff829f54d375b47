"""Which routes have work, and how many more drains they could use: hints, never authority."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from redis import Redis

from delivery.sending.presence import count_drains

# More drains than this on one route gain nothing: two worker processes fill two cores.
DRAINS_PER_ROUTE = 8

WORK = """
SELECT r.id, (
    SELECT count(*) FROM (
        SELECT 1 FROM campaigns_campaign c JOIN delivery_batch b ON b.campaign_id = c.id
        WHERE c.state = 'sending' AND b.route_id = r.id AND b.state = 'pending' AND b.due_at <= now()
        LIMIT %s) AS found)
FROM delivery_route r
"""


def routes_to_drain() -> dict[int, int]:
    """Route id to the number of drains worth starting now."""
    with connection.cursor() as cursor:
        cursor.execute(WORK, [DRAINS_PER_ROUTE])
        work = dict(cursor.fetchall())
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    return {route: n - count_drains(redis, route) for route, n in work.items() if n}
