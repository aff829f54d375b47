"""Who asks: the client's address behind trusted proxies, and its network."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings


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
