"""What a simulated reader does with a letter and when: pure, the same for the same address."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from deploy.demo.catcher.fate import Fate, Pace, fraction
from deploy.demo.catcher.letter import Letter

ActKind = Literal[
    "open", "machine_open", "click", "machine_click", "honeypot", "one_click", "page", "mailto", "dsn", "arf"
]

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile"
    " Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)
# Apple's privacy proxy shows no more than this; a gateway's link check looks like a browser and follows every link.
APPLE = "Mozilla/5.0"
GATEWAY = AGENTS[0]

HUMANS = 0.36  # of those whose mail arrived
APPLE_USERS = 0.30
GATEWAYS = 0.04
CLICKERS = 0.30  # of the humans
LEAVERS = 0.04  # of the humans
REOPENERS = 0.15  # of the humans


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do `after_s` seconds after the mail arrived; `target` is a URL, an address or a report's words."""

    after_s: float
    kind: ActKind
    target: str
    agent: str = ""


def acts_of(letter: Letter, fate: Fate, pace: Pace) -> list[Act]:
    """All that will happen to the letter, in order of time."""
    dice = random.Random(letter.recipient.lower())  # noqa: S311 - the same people do the same every time
    if fate.kind == "returned":
        return [Act(dice.uniform(*pace.return_s), "dsn", fate.reply)]
    acts = [*_machines(letter, pace, dice)]
    if fate.kind == "complained" or fraction(letter.recipient, "human") < HUMANS:
        acts += _human(letter, fate, pace, dice)
    return sorted((act for act in acts if act.target), key=lambda act: act.after_s)


def _machines(letter: Letter, pace: Pace, dice: random.Random) -> Iterator[Act]:
    """Apple's proxy fetches the pixel of every mail; a company's gateway follows every link in a second."""
    if fraction(letter.recipient, "apple") < APPLE_USERS:
        yield Act(dice.uniform(*pace.return_s), "machine_open", letter.pixel, APPLE)
    if fraction(letter.recipient, "gateway") < GATEWAYS:
        at = dice.uniform(*pace.return_s)
        for number, link in enumerate(letter.clicks):
            yield Act(at + number * 0.05, "machine_click", link, GATEWAY)
        yield Act(at + len(letter.clicks) * 0.05, "honeypot", letter.honeypot, GATEWAY)


def _human(letter: Letter, fate: Fate, pace: Pace, dice: random.Random) -> Iterator[Act]:
    agent = dice.choice(AGENTS)
    # Most people who open do it early.
    first, last = pace.read_s
    at = first + (last - first) * dice.random() ** 2
    yield Act(at, "open", letter.pixel, agent)
    if fate.kind == "complained":
        yield Act(at + dice.uniform(*pace.pause_s), "arf", letter.recipient)
        return
    if letter.clicks and dice.random() < CLICKERS:
        for link in dice.sample(letter.clicks, min(len(letter.clicks), dice.choice((1, 1, 1, 2)))):
            at += dice.uniform(*pace.pause_s)
            yield Act(at, "click", link, agent)
    if dice.random() < REOPENERS:
        yield Act(at + dice.uniform(*pace.pause_s), "open", letter.pixel, agent)
    if fraction(letter.recipient, "leaves") < LEAVERS:
        yield _leaving(letter, at + dice.uniform(*pace.pause_s), agent, dice)


def _leaving(letter: Letter, at: float, agent: str, dice: random.Random) -> Act:
    way = dice.choice(("one_click", "one_click", "page", "mailto"))
    match way:
        case "mailto":
            return Act(at, "mailto", letter.mailto)
        case "page":
            return Act(at, "page", letter.one_click, agent)
    return Act(at, "one_click", letter.one_click, "")
