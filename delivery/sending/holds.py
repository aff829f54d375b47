"""Campaigns and sites that their own limits hold back for a while: this worker claims other batches meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence

from delivery.sending.channel import Channel
from delivery.sending.lease import Lease
from delivery.sending.orders import Refused
from delivery.sending.standing import Path, Standing

LEAST_SECONDS, MOST_SECONDS = 1.0, 60.0


class Holds:
    """Kept by one worker for one drain; used by the ledger's thread alone."""

    def __init__(self) -> None:
        self._campaigns: dict[int, float] = {}
        self._sites: dict[tuple[int, str], float] = {}  # campaign (0: any) and site

    def add(self, lease: Lease, refused: Refused) -> None:
        """No other batch that the same limit holds back is claimed before it allows one."""
        until = time.monotonic() + min(max(refused.wait_s, LEAST_SECONDS), MOST_SECONDS)
        if refused.campaign_wide:
            self._campaigns[lease.campaign_id] = until
        elif lease.site:
            self._sites[refused.campaign_id, lease.site] = until

    def campaigns(self) -> set[int]:
        """Campaigns that wait."""
        now = time.monotonic()
        return {campaign_id for campaign_id, until in self._campaigns.items() if until > now}

    def sites(self, campaign_id: int = 0) -> list[str]:
        """Sites that wait, for any campaign or for this one."""
        now = time.monotonic()
        return sorted({site for (of, site), until in self._sites.items() if until > now and of in (0, campaign_id)})


def suspended_sites(standing: Standing, channels: Sequence[Channel], campaign_id: int | None = None) -> list[str]:
    """Sites to which no channel may send now."""

    def stopped(channel: Channel, site: str) -> bool:
        path = Path(channel.account_id, channel.source_id, site, campaign_id)
        return standing.suspension(path) is not None

    return [site for site in standing.shaped_sites if all(stopped(channel, site) for channel in channels)]
