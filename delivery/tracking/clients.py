"""Who asks: the client's address behind trusted proxies, its network, and the hit that a request leaves."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from delivery.tracking.hits import Hit
from delivery.tracking.networks import network_lists


def client_address(meta: Mapping[str, Any]) -> str:
    """The address that the outermost trusted proxy saw (TRUSTED_PROXIES places from the right), else the peer's."""
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            return str(hops[-settings.TRUSTED_PROXIES])
    return str(meta.get("REMOTE_ADDR", ""))


def network_of(address: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) of an address, or an empty text for what is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


@lru_cache(maxsize=20_000)  # 12 µs to work out, and readers ask more than once
def _place_of(address: str) -> tuple[str, str]:
    return network_of(address), network_lists().label_of(address)


def hit_of(request: HttpRequest, kind: str, campaign_id: int, contact_id: int, link_index: int | None = None) -> Hit:
    """The hit behind a request; the full address ends here."""
    meta = request.META
    network, label = _place_of(client_address(meta))
    purpose = meta.get("HTTP_SEC_PURPOSE") or meta.get("HTTP_PURPOSE") or meta.get("HTTP_X_MOZ") or ""
    return Hit(
        key=os.urandom(16),
        at=time.time(),
        kind=kind,
        campaign_id=campaign_id,
        contact_id=contact_id,
        link_index=link_index,
        network=network,
        user_agent=str(meta.get("HTTP_USER_AGENT", ""))[:300],
        method=request.method or "",
        purpose=str(purpose)[:40],
        label=label,
    )
