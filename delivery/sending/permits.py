"""The limits of a route's accounts as one worker sees them: what stands in the way, and permits for messages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from redis import Redis

from delivery.lanes import Lane
from delivery.limits.pacing import Pacer, Permission
from delivery.limits.values import Scope, Share
from delivery.models import ProviderAccount, SourceAddress
from delivery.sending.channel import Channel
from delivery.sending.lease import Lease
from delivery.sending.orders import Refused
from delivery.sending.scopes import scopes_of
from delivery.sending.standing import Path, Standing, Watch

# An account that a person may resume any time is asked about again after this long.
SUSPENDED_SECONDS = 10.0


@dataclass(slots=True)
class _Paced:
    """A path's pacer and the standing that its scopes were made of."""

    standing: Standing
    scopes: tuple[Scope, ...]
    pacer: Pacer


class RoutePermits:
    """Permits for messages of one route; used by the ledger's thread alone."""

    def __init__(
        self, redis: Redis, accounts: Sequence[ProviderAccount], sources: Sequence[SourceAddress] = ()
    ) -> None:
        self._redis = redis
        self._accounts = {account.pk: account for account in accounts}
        self._sources = {source.pk: source for source in sources}
        self._watch = Watch(list(self._accounts))
        self._paced: dict[tuple[int, int, int, str], _Paced] = {}

    @property
    def standing(self) -> Standing:
        """What holds now, at most a second old."""
        return self._watch.look(timezone.now())

    def look_again(self) -> None:
        """Something was written that the next question must know."""
        self._watch.forget()

    def obstacle(self, channel: Channel, lease: Lease) -> Refused | None:
        """What stops this account for this batch's site; None where nothing does."""
        standing = self.standing
        if channel.account_id in standing.suspended:
            words = f"{channel.name} is suspended: {standing.suspended[channel.account_id]}"
            return Refused(SUSPENDED_SECONDS, words, own=False)
        stop = standing.suspension(path_of(channel, lease))
        if stop is None:
            return None
        where = f" to {lease.site}" if lease.site else ""
        return Refused(
            (stop.until - standing.now).total_seconds(),
            f"{channel.name}{where} is {stop.reason}. The server said: {stop.reply}",
            own=not stop.target.startswith("account:"),
            campaign_id=lease.campaign_id if stop.target.startswith("campaign:") else 0,
        )

    def take(self, channel: Channel, lease: Lease, n: int) -> Permission:
        """Up to `n` permits, charged narrowest first: campaign, site, warm-up, source address, account."""
        pacer = self._pacer(channel, lease)
        return pacer.permits(n, time.monotonic(), left=max(n, lease.n_messages - lease.n_begun))

    def put_back(self, channel: Channel, lease: Lease, n: int) -> None:
        """Permits that were not used: the same path may use them at once, everybody else within a second."""
        self._pacer(channel, lease).unused(n)

    def tidy(self) -> None:
        """Stocks that nobody draws from go back to Redis."""
        for paced in self._paced.values():
            paced.pacer.tidy(time.monotonic())

    def close(self) -> None:
        """What is in stock goes back to Redis."""
        for paced in self._paced.values():
            paced.pacer.close()

    def _pacer(self, channel: Channel, lease: Lease) -> Pacer:
        key = (channel.account_id, channel.source_id, lease.campaign_id, lease.site)
        known, standing = self._paced.get(key), self.standing
        if known is not None and known.standing is standing:
            return known.pacer
        source = self._sources.get(channel.source_id)
        account = self._accounts[channel.account_id]
        scopes = tuple(scopes_of(path_of(channel, lease), lease, account, source, standing))
        if known is not None and known.scopes == scopes:
            known.standing = standing
            return known.pacer
        if known is not None:
            known.pacer.close()
        share = Share(str(lease.campaign_id), lease.weight, int(Lane.CAMPAIGN))
        pacer = Pacer(self._redis, scopes, share)
        self._paced[key] = _Paced(standing, scopes, pacer)
        return pacer


def path_of(channel: Channel, lease: Lease) -> Path:
    """The way of the batch's messages over this channel."""
    return Path(channel.account_id, channel.source_id, lease.site, lease.campaign_id)
