"""Which hosts a provider may be reached at: nobody's form may make the server call its own neighbours."""

from __future__ import annotations

import ipaddress
import socket
from enum import StrEnum


class Network(StrEnum):
    """PUBLIC: addresses of the open Internet alone. ANY: private and loopback ones too (own servers, tests)."""

    PUBLIC = "public"
    ANY = "any"


class ForbiddenAddressError(OSError):
    """The host lies in a private, loopback, link-local or reserved network."""


# RFC 6052 (NAT64) and RFC 3056 (6to4) addresses carry an IPv4 one that may be private.
TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open Internet; an unreadable one does not."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast


def check_address(address: str, network: Network) -> None:
    """Raise ForbiddenAddressError unless `network` allows a connection to this IP address."""
    if network is Network.PUBLIC and not is_public(address):
        raise ForbiddenAddressError(f"{address} is not an address of the open Internet")


def check_host(host: str, network: Network) -> None:
    """Raise ForbiddenAddressError when any address of `host` is not allowed; unknown hosts fail in the connection."""
    if network is Network.ANY:
        return
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError:
        return
    for *_, where in found:
        check_address(str(where[0]), network)
