"""The limits of a route's accounts as one worker sees them: which scopes a message is charged to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from redis import Redis

from delivery.limits.pacing import Pacer
from delivery.limits.values import Limit, Quota, Scope, Share, Window
from delivery.models import ProviderAccount
from delivery.queries import count_accepted_since
from delivery.sending.channel import Channel
from delivery.sending.lease import Lease

# A burst of a tenth of a second keeps 20 s at 100/s between 95 and 101/s.
BURST_SECONDS = 0.1


class RoutePermits:
    """Permits for messages of one route; used by the ledger's thread alone."""

    def __init__(self, redis: Redis, accounts: Sequence[ProviderAccount]) -> None:
        self._redis = redis
        self._accounts = {account.pk: account for account in accounts}
        self._pacers: dict[tuple[int, int, str], Pacer] = {}
        self.refused_by = ""

    def take(self, channel: Channel, lease: Lease, n: int) -> tuple[int, float]:
        """(granted, seconds until more may be had), charged narrowest first: campaign, site, account."""
        permission = self._pacer(channel, lease).permits(n, time.monotonic(), left=lease.n_messages - lease.n_begun)
        if permission.refused_by is not None:
            self.refused_by = str(permission.refused_by)
        return permission.n, permission.wait_s

    def close(self) -> None:
        """What is in stock goes back to Redis."""
        for pacer in self._pacers.values():
            pacer.close()

    def _pacer(self, channel: Channel, lease: Lease) -> Pacer:
        key = (channel.account_id, lease.campaign_id, lease.site)
        if key not in self._pacers:
            scope = account_scope(self._accounts[channel.account_id], timezone.now())
            share = Share(str(lease.campaign_id), lease.weight)
            self._pacers[key] = Pacer(self._redis, [scope], share)
        return self._pacers[key]


def account_scope(account: ProviderAccount, now: datetime) -> Scope:
    """All windows of one account."""
    windows: list[Window] = []
    rates = ((account.messages_per_second, 1), (account.messages_per_minute, 60), (account.messages_per_hour, 3600))
    for count, seconds in rates:
        if count:
            windows.append(Limit(count, seconds, burst=max(1.0, count / seconds * BURST_SECONDS)))
    if account.messages_per_day:
        windows.append(_day_quota(account, now))
    return Scope(f"account:{account.pk}", tuple(windows))


def _day_quota(account: ProviderAccount, now: datetime) -> Quota:
    midnight = now.astimezone(ZoneInfo(account.quota_timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    ends_at = midnight + timedelta(days=1)
    return Quota(
        account.messages_per_day or 0,
        f"{midnight:%Y-%m-%d}",
        int(ends_at.timestamp()),
        lambda: count_accepted_since(account.pk, midnight),
    )
