"""Which limits a message is charged to: campaign, recipient site, source address, account; narrowest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from delivery.limits.values import Limit, Quota, Scope, Window, daily_quota
from delivery.models import ProviderAccount, SourceAddress, WarmUp
from delivery.queries import count_accepted_since, count_accepted_to_site_since
from delivery.sending.lease import Lease
from delivery.sending.standing import Path, Standing
from delivery.shaping.rules import Action, Reach

# 20 s at 100/s stay below 100.8/s, and a worker that is 0.1 s late for its next permits loses none of them.
BURST_SECONDS = 0.15


def scopes_of(
    path: Path, lease: Lease, account: ProviderAccount, source: SourceAddress | None, standing: Standing
) -> list[Scope]:
    """All scopes with a window, narrowest first; the account is the last one, which campaigns share by weight."""
    zone = ZoneInfo(account.quota_timezone)
    scopes = [
        campaign_scope(lease),
        _measured(path, Reach.CAMPAIGN, standing),
        *_site_scopes(path, account, zone, standing),
        *(_warm_up_scope(warm_up, zone, standing.now) for warm_up in warm_ups_of(path, standing)),
    ]
    if source is not None:
        scopes.append(_source_scope(source, zone, standing.now))
    scopes += [_measured(path, Reach.ACCOUNT, standing)]
    return [*(scope for scope in scopes if scope.windows), account_scope(account, standing.now)]


def campaign_scope(lease: Lease) -> Scope:
    """The campaign's own rate, through whichever accounts."""
    windows = (rate(lease.messages_per_hour, 3600),) if lease.messages_per_hour else ()
    return Scope(f"campaign:{lease.campaign_id}", windows)


def account_scope(account: ProviderAccount, now: datetime) -> Scope:
    """All windows of one account."""
    rates = ((account.messages_per_second, 1), (account.messages_per_minute, 60), (account.messages_per_hour, 3600))
    windows: list[Window] = [rate(count, seconds) for count, seconds in rates if count]
    if account.messages_per_day:
        zone = ZoneInfo(account.quota_timezone)
        windows.append(
            _quota(account.messages_per_day, zone, now, lambda since: count_accepted_since(account.pk, since))
        )
    return Scope(f"account:{account.pk}", tuple(windows))


def warm_ups_of(path: Path, standing: Standing) -> list[WarmUp]:
    """The warm-ups that a message on this path counts for."""
    return [
        warm_up
        for warm_up in standing.warm_ups
        if warm_up.account_id == path.account_id
        and warm_up.source_id in (None, path.source_id)
        and warm_up.site in ("", path.site)
    ]


def rate(count: float, seconds: float) -> Limit:
    """A limit that is spent evenly; half a permit beyond one makes up for who comes a little late each time."""
    return Limit(count, seconds, burst=max(1.5, count / seconds * BURST_SECONDS))


def _measured(path: Path, reach: Reach, standing: Standing) -> Scope:
    """What measures beyond the path itself lower the rate to."""
    lowered = [m.value for m in standing.measures_for(path, reach) if m.action == Action.LOWER_RATE]
    return Scope(f"measure:{path.target(reach)}", (rate(min(lowered), 60),) if lowered else ())


def _site_scopes(path: Path, account: ProviderAccount, zone: ZoneInfo, standing: Standing) -> list[Scope]:
    """The path to one site; a batch of many small sites is charged to none (see Bookkeeper's detours)."""
    if not path.site:
        return []
    effective = standing.effective(path, account.messages_per_second)
    windows: list[Window] = [rate(limit.count, limit.seconds) for limit in effective.limits]
    if effective.messages_per_day:

        def count(since: datetime) -> int:
            return count_accepted_to_site_since(path.account_id, path.source_id, path.site, since)

        windows.append(_quota(effective.messages_per_day, zone, standing.now, count))
    return [Scope(path.target(Reach.PATH), tuple(windows)), _measured(path, Reach.SITE, standing)]


def _warm_up_scope(warm_up: WarmUp, zone: ZoneInfo, now: datetime) -> Scope:
    cap = warm_up.cap_on(now.astimezone(zone).date())
    if cap is None:
        return Scope("")

    def count(since: datetime) -> int:
        return count_accepted_to_site_since(warm_up.account_id, warm_up.source_id or 0, warm_up.site, since)

    return Scope(f"warmup:{warm_up.pk}", (_quota(cap, zone, now, count),))


def _source_scope(source: SourceAddress, zone: ZoneInfo, now: datetime) -> Scope:
    rates = ((source.messages_per_second, 1), (source.messages_per_hour, 3600))
    windows: list[Window] = [rate(count, seconds) for count, seconds in rates if count]
    if source.messages_per_day:

        def count(since: datetime) -> int:
            return count_accepted_to_site_since(source.account_id, source.pk, "", since)

        windows.append(_quota(source.messages_per_day, zone, now, count))
    return Scope(f"source:{source.pk}", tuple(windows))


def _quota(count: int, zone: ZoneInfo, now: datetime, count_since: Callable[[datetime], int]) -> Quota:
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return daily_quota(count, zone, now, lambda: count_since(midnight))
