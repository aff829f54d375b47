"""What a server's words do to the path that they came over: the rules as data, and how they are applied.

The facts (which words, how often, for how long) are those of KumoMTA's traffic-shaping automation, read in November
2026; the same rules run over SMTP replies and over provider events that carry the server's reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

LONGEST_REPLY = 500


class Action(StrEnum):
    """What a measure does; all but `SUSPEND` take a value."""

    SUSPEND = "suspend"
    LOWER_RATE = "lower_rate"  # to `value` messages per minute
    LOWER_CONNECTIONS = "lower_connections"  # to `value` at once
    LOWER_MESSAGES_PER_CONNECTION = "lower_messages_per_connection"  # to `value`


class Reach(StrEnum):
    """What a measure holds for."""

    PATH = "path"  # this account and source address to this site
    SITE = "site"  # this account to this site, by all source addresses
    ACCOUNT = "account"
    CAMPAIGN = "campaign"  # this campaign to this site


@dataclass(frozen=True, slots=True)
class Effect:
    """One action and its value (0 for `SUSPEND`)."""

    action: Action
    value: int = 0

    @property
    def in_words(self) -> str:
        """What is done to what it reaches: "suspended", "slowed to 100 a minute"."""
        match self.action:
            case Action.SUSPEND:
                return "suspended"
            case Action.LOWER_RATE:
                return f"slowed to {self.value} a minute"
            case Action.LOWER_CONNECTIONS:
                return "held to 1 connection" if self.value == 1 else f"held to {self.value} connections"
            case Action.LOWER_MESSAGES_PER_CONNECTION:
                return f"held to {self.value} messages per connection"


@dataclass(frozen=True, slots=True)
class Rule:
    """Replies from one of `sites` (empty: from any) that match `pattern`, `n_per_hour` times within an hour.

    `key` names the rule in counters, measures and logs. `pattern` is a regular expression, case ignored, searched in
    code and text. `n_per_hour` 1 means at once.
    """

    key: str
    pattern: str
    effects: tuple[Effect, ...]
    minutes: int
    n_per_hour: int = 1
    sites: tuple[str, ...] = ()
    reach: Reach = Reach.PATH

    def __post_init__(self) -> None:
        """Raises ValueError for a rule that could never be carried out, re.error for a pattern that is none."""
        re.compile(self.pattern)
        if self.minutes < 1 or self.n_per_hour < 1 or not self.effects:
            raise ValueError(f"rule {self.key} needs an effect, a time of minutes and a threshold of at least 1")
        if any(effect.value < 1 for effect in self.effects if effect.action != Action.SUSPEND):
            raise ValueError(f"rule {self.key} lowers to a value of at least 1")


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply and the path that it came over. `text` begins with the reply code ("421 4.7.28 ...")."""

    text: str
    site: str
    account_id: int
    source: str = ""
    campaign_id: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One effect of one rule, with the reply that caused it, until `until`; a person may revoke it before."""

    rule: str
    action: Action
    value: int
    target: str
    began_at: datetime
    until: datetime
    reply: str
    reason: str

    @property
    def in_words(self) -> str:
        """As the rule's effect says it."""
        return Effect(self.action, self.value).in_words


def matching_rules(heard: Heard, rules: Iterable[Rule]) -> list[Rule]:
    """The rules that the reply falls under; only refusals and deferrals ever do."""
    if not heard.text.startswith(("4", "5")):
        return []
    return [
        rule
        for rule in rules
        if (not rule.sites or heard.site in rule.sites) and _compiled(rule.pattern).search(heard.text)
    ]


def react(heard: Heard, counts: Mapping[str, int], rules: Sequence[Rule], now: datetime) -> list[Measure]:
    """The measures that the reply calls for.

    `counts` holds for every matching rule how many replies of the last hour fell under it on its target, this one
    included (see counters.py). A rule below its threshold does nothing.
    """
    due = [rule for rule in matching_rules(heard, rules) if counts.get(rule.key, 0) >= rule.n_per_hour]
    return [_measure(rule, effect, heard, counts[rule.key], now) for rule in due for effect in rule.effects]


def target_of(reach: Reach, heard: Heard) -> str:
    """What a measure of this reach holds for, as one string: the key of its counter and of its row."""
    match reach:
        case Reach.PATH:
            return f"path:{heard.account_id}:{heard.source}:{heard.site}"
        case Reach.SITE:
            return f"site:{heard.account_id}:{heard.site}"
        case Reach.ACCOUNT:
            return f"account:{heard.account_id}"
        case Reach.CAMPAIGN:
            return f"campaign:{heard.campaign_id}:{heard.site}"


def targets_of(heard: Heard) -> list[str]:
    """All targets whose measures hold for what goes over this path."""
    return [target_of(reach, heard) for reach in Reach]


def _measure(rule: Rule, effect: Effect, heard: Heard, count: int, now: datetime) -> Measure:
    times = "once" if count == 1 else f"{count} times within an hour"
    return Measure(
        rule=rule.key,
        action=effect.action,
        value=effect.value,
        target=target_of(rule.reach, heard),
        began_at=now,
        until=now + timedelta(minutes=rule.minutes),
        reply=heard.text[:LONGEST_REPLY],
        reason=f"{effect.in_words} for {span(rule.minutes)}: {heard.site} said so {times}",
    )


def span(minutes: int) -> str:
    """Minutes, or hours where they are whole."""
    if minutes % 60:
        return f"{minutes} minutes"
    return "1 hour" if minutes == 60 else f"{minutes // 60} hours"


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
