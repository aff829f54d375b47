"""Machine or human: the rules of rules.py over one hit, the clicks of a message, those of a company. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain

from delivery.tracking.crowds import crowded, sweeps
from delivery.tracking.hits import Hit
from delivery.tracking.rules import (
    GROUP_RULES,
    HONEYPOT_KEY,
    HONEYPOT_SECONDS,
    HUMAN,
    MACHINE,
    RULES,
    GroupRule,
    Rule,
)

MessageKey = tuple[int, int]
"""Campaign and contact."""

# The farthest that evidence reaches within a message: clicks this far apart may change each other's verdict.
REACH_SECONDS = max(HONEYPOT_SECONDS, *(rule.seconds for rule in GROUP_RULES))
TIMED = tuple(rule for rule in RULES if rule.field == "age")


@dataclass(frozen=True, slots=True)
class Verdict:
    """human or machine, and the rule that said so."""

    verdict: str
    reason: str = ""


PERSON = Verdict(HUMAN)


def judge(
    hits: Sequence[Hit],
    *,
    sent_at: Mapping[MessageKey, float],
    n_links: Mapping[int, int],
    domains: Mapping[int, str] | None = None,
) -> list[Verdict]:
    """One verdict per hit, in order: alone first, then bursts, honeypots and sweeps fold back over what came with them.

    `sent_at` is Unix seconds per message, where known; `n_links` is tracked links per campaign; `domains` is the
    recipient domain per contact, of those whose domain is their own (crowds.own_domain).
    """
    verdicts = [_alone(hit, sent_at) for hit in hits]
    for number, reason in chain(_of_messages(hits, n_links), sweeps(hits, domains or {})):
        if verdicts[number].verdict == HUMAN:
            verdicts[number] = Verdict(MACHINE, reason)
    return verdicts


def _of_messages(hits: Sequence[Hit], n_links: Mapping[int, int]) -> Iterable[tuple[int, str]]:
    for key, numbers in _clicks_by_message(hits).items():
        if len(numbers) > 1:
            yield from _together(hits, numbers, n_links.get(key[0], 0))


def _alone(hit: Hit, sent_at: Mapping[MessageKey, float]) -> Verdict:
    verdict = judge_looks(hit.kind, hit.method, hit.purpose, hit.user_agent, hit.label)
    if verdict.verdict == MACHINE or not sent_at:
        return verdict
    sent = sent_at.get((hit.campaign_id, hit.contact_id))
    if sent is None:
        return verdict
    return next((Verdict(r.verdict, r.key) for r in TIMED if hit.at - sent < float(r.value)), verdict)


@lru_cache(maxsize=20_000)  # readers' programs are few; a rule run costs 5 µs, this 0.2
def judge_looks(kind: str, method: str, purpose: str, user_agent: str, label: str) -> Verdict:
    """What a hit's own looks say, without its time."""
    looks = {"kind": kind, "method": method, "purpose": purpose, "user_agent": user_agent, "label": label}
    for rule in RULES:
        if rule.field != "age" and kind in rule.kinds and _test(rule)(looks[rule.field]):
            return Verdict(rule.verdict, rule.key)
    return PERSON


@cache
def _test(rule: Rule) -> Callable[[str], bool]:
    value = str(rule.value)
    pattern = re.compile(value, re.IGNORECASE) if rule.how == "matches" else None
    tests: dict[str, Callable[[str], bool]] = {
        "is": lambda text: text == value,
        "contains": lambda text: value in text,
        "ends": lambda text: text.endswith(value),
        "matches": lambda text: pattern is not None and bool(pattern.search(text)),
    }
    return tests[rule.how]


def _clicks_by_message(hits: Sequence[Hit]) -> dict[MessageKey, list[int]]:
    clicks: dict[MessageKey, list[int]] = defaultdict(list)
    for number, hit in enumerate(hits):
        if hit.kind != "opened":
            clicks[hit.campaign_id, hit.contact_id].append(number)
    return clicks


def _together(hits: Sequence[Hit], numbers: list[int], n_links: int) -> Iterable[tuple[int, str]]:
    ordered = sorted(numbers, key=lambda number: hits[number].at)
    for trap in (hits[number] for number in ordered if hits[number].kind == "honeypot"):
        for number in ordered:
            if hits[number].network == trap.network and abs(hits[number].at - trap.at) <= HONEYPOT_SECONDS:
                yield number, HONEYPOT_KEY
    for rule in GROUP_RULES:
        for number in _caught(hits, ordered, rule, n_links):
            yield number, rule.key


def _caught(hits: Sequence[Hit], ordered: list[int], rule: GroupRule, n_links: int) -> set[int]:
    if rule.share and n_links < rule.n_links:
        return set()  # a message of one link has no "all links"
    needed = max(rule.n_links, rule.share * n_links)
    return crowded(ordered, lambda n: hits[n].at, lambda n: hits[n].link_index, seconds=rule.seconds, needed=needed)
