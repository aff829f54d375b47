"""Networks that the operator knows: Apple's egress list, addresses of mail gateways; loaded once per process."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.conf import settings

APPLE = "apple"
SCANNER = "scanner"


class NetworkLists:
    """Labels of address ranges; where two overlap the narrower one speaks."""

    def __init__(self, lists: Iterable[tuple[str, Iterable[str]]]) -> None:
        self.problems: list[str] = []
        ranges: dict[int, list[tuple[int, int, str]]] = {4: [], 6: []}
        for label, lines in lists:
            for number, line in enumerate(lines, start=1):
                self._add(ranges, label, number, line)
        self._ranges = {version: sorted(found, key=lambda one: (one[0], -one[1])) for version, found in ranges.items()}
        self._starts = {version: [one[0] for one in found] for version, found in self._ranges.items()}

    def _add(self, ranges: dict[int, list[tuple[int, int, str]]], label: str, number: int, line: str) -> None:
        text = line.split("#", 1)[0].split(",", 1)[0].strip()  # Apple's list has country and city behind the network
        if not text:
            return
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            self.problems.append(f"{label}: line {number} is no network: {text[:60]}")
            return
        first = int(network.network_address)
        ranges[network.version].append((first, first + network.num_addresses - 1, label))

    def label_of(self, address: str) -> str:
        """The label of the range that an address is in, or an empty text."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return ""
        ranges, number = self._ranges[ip.version], int(ip)
        # Ranges of one list do not nest in practice; looking back a few finds the enclosing one where two lists do.
        position = bisect_right(self._starts[ip.version], number)
        for first, last, label in reversed(ranges[max(0, position - 8) : position]):
            if first <= number <= last:
                return label
        return ""


@cache
def network_lists() -> NetworkLists:
    """The lists that APPLE_EGRESS_FILE and SCANNER_NETWORKS_FILE name; empty where they name none."""
    files = ((APPLE, settings.APPLE_EGRESS_FILE), (SCANNER, settings.SCANNER_NETWORKS_FILE))
    return NetworkLists((label, Path(name).read_text().splitlines()) for label, name in files if name)
