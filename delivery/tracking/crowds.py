"""Sweeps: one network that follows links of many people of one domain within seconds, as gateways do. Pure."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from delivery.site_names import normalise, site_of
from delivery.tracking.hits import Hit
from delivery.tracking.rules import CROWD_RULES, CrowdRule

REACH_SECONDS = max(rule.seconds for rule in CROWD_RULES)
"""Clicks this far apart may change each other's verdict."""

# Behind one of these stand a proxy of ours that is not trusted yet, or a carrier (RFC 6598): strangers to each other.
NOBODYS = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "fc00::/7", "::/16")
)


@lru_cache(maxsize=20_000)
def own_domain(domain: str) -> str:
    """The domain where it is one organisation's; empty for mailbox providers' domains, where anybody has an address."""
    domain = normalise(domain)
    return domain if site_of(domain) == domain else ""


@lru_cache(maxsize=20_000)
def is_somebodys(network: str) -> bool:
    """Whether clicks from the network may be called one machine's: it is known, public, and not a carrier's NAT."""
    try:
        mine = ipaddress.ip_network(network)
    except ValueError:
        return False
    return not any(mine.version == other.version and mine.overlaps(other) for other in NOBODYS)


def may_sweep(hit: Hit) -> bool:
    """Whether the hit is a click that could be part of a sweep."""
    return hit.kind != "opened" and is_somebodys(hit.network)


def spans(hits: Iterable[Hit]) -> list[tuple[int, str, float, float]]:
    """Where neighbours of these clicks are to be looked for: campaign, network, from, to; spans that meet are one."""
    times: dict[tuple[int, str], list[float]] = defaultdict(list)
    for hit in hits:
        times[hit.campaign_id, hit.network].append(hit.at)
    return [(*key, low, high) for key, ats in times.items() for low, high in _joined(sorted(ats))]


def _joined(ats: list[float]) -> Iterator[tuple[float, float]]:
    low = ats[0] - REACH_SECONDS
    for before, after in pairwise(ats):
        if after - before > 2 * REACH_SECONDS:
            yield low, before + REACH_SECONDS
            low = after - REACH_SECONDS
    yield low, ats[-1] + REACH_SECONDS


def sweeps(hits: Sequence[Hit], domains: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """The hits (by number) that are part of a sweep, and the rule that says so."""
    if not domains:
        return
    for rule in CROWD_RULES:
        for numbers in _groups(hits, domains, rule):
            if len(numbers) >= rule.n_people:
                for number in crowded(
                    sorted(numbers, key=lambda n: hits[n].at),
                    lambda n: hits[n].at,
                    lambda n: hits[n].contact_id,
                    seconds=rule.seconds,
                    needed=rule.n_people,
                ):
                    yield number, rule.key


def _groups(hits: Sequence[Hit], domains: Mapping[int, str], rule: CrowdRule) -> Iterable[list[int]]:
    groups: dict[tuple[int, str, str, str], list[int]] = defaultdict(list)
    for number, hit in enumerate(hits):
        domain = domains.get(hit.contact_id)
        if domain and may_sweep(hit):
            groups[hit.campaign_id, hit.network, domain, hit.user_agent if rule.one_agent else ""].append(number)
    return groups.values()


def crowded(
    ordered: Sequence[int],
    time_of: Callable[[int], float],
    thing_of: Callable[[int], Hashable],
    *,
    seconds: float,
    needed: float,
) -> set[int]:
    """Numbers (in order of time) in any window that holds enough different things; one pass, two ends."""
    caught: set[int] = set()
    within: dict[Hashable, int] = defaultdict(int)
    low = 0
    for high, number in enumerate(ordered):
        within[thing_of(number)] += 1
        while time_of(number) - time_of(ordered[low]) > seconds:
            gone = thing_of(ordered[low])
            within[gone] -= 1
            if not within[gone]:
                del within[gone]
            low += 1
        if len(within) >= needed:
            caught.update(ordered[low : high + 1])
    return caught
