"""Who is in the sample audience: pure, the same people for the same number, none of whom exists.

All domains end in .example or are example.com, .net and .org (RFC 2606): nobody has a mailbox there, so that sample
mail harms nobody even if somebody points the demo at a real relay.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from deploy.demo.sample.names import PLACES, Place

Standing = Literal["reached", "unsubscribed", "unconfirmed", "suppressed", "left_out"]

# Big receivers and many small ones, about as they share a consumer list.
DOMAINS = (
    *(("bigmail.example", 30), ("outpost.example", 18), ("yonder.example", 12), ("cloudmail.example", 8)),
    *(("example.com", 6), ("example.net", 5), ("example.org", 5), ("post.example", 5), ("163mail.example", 4)),
    *(("bücher.example", 2), ("例子.example", 2), ("почта.example", 1), ("school.example", 1), ("works.example", 1)),
)
# People beside the audience, per 1,000 in it.
BESIDE: tuple[tuple[Standing, int], ...] = (
    ("unsubscribed", 60),
    ("unconfirmed", 40),
    ("suppressed", 20),
    ("left_out", 20),
)
TIERS = ("Bronze", "Silver", "Gold")
TASTES = ("tea", "coffee", "ceramics", "linen", "candles", "books", "garden 🌱", "paper")
EMOJI = (" 🌸", " ✨", " 🐢")


@dataclass(frozen=True, slots=True)
class Person:
    """One invented contact; `standing` says what becomes of them when the newsletter goes out."""

    email: str
    first_name: str
    last_name: str
    country: str
    city: str
    locale: str
    timezone: str
    fields: dict[str, Any]
    standing: Standing
    is_vip: bool


def sample_people(n_reached: int) -> Iterator[Person]:
    """`n_reached` people whom the newsletter reaches, then those on its lists whom it must not reach."""
    number = 0
    for _ in range(n_reached):
        yield _person(number, "reached")
        number += 1
    for standing, per_thousand in BESIDE:
        for _ in range(max(1, n_reached * per_thousand // 1000)):
            yield _person(number, standing)
            number += 1


def _person(number: int, standing: Standing) -> Person:
    dice = random.Random(number)  # noqa: S311 - the same people every time
    place = dice.choice(PLACES)
    given, family = dice.choice(place.given), dice.choice(place.family)
    return Person(
        email=_address(number, given[1], family[1], dice),
        first_name=given[0] + (dice.choice(EMOJI) if number % 97 == 0 else ""),
        last_name=family[0],
        country=place.country,
        city=dice.choice(place.cities),
        locale=place.locale,
        timezone=place.timezone,
        fields=_fields(place, dice),
        standing=standing,
        is_vip=standing == "reached" and number % 9 == 0,
    )


def _address(number: int, given: str, family: str, dice: random.Random) -> str:
    domain = dice.choices([name for name, _ in DOMAINS], [weight for _, weight in DOMAINS])[0]
    form = dice.choice(("{given}.{family}{n}", "{given}{n}", "{family}.{n}", "{given}.{family}+shop{n}"))
    return f"{form.format(given=given, family=family, n=number + 1)}@{domain}"


def _fields(place: Place, dice: random.Random) -> dict[str, Any]:
    points = dice.randrange(0, 2000, 5)
    fields: dict[str, Any] = {
        "tier": TIERS[min(2, points // 700)],
        "points": points,
        "favourites": sorted(dice.sample(TASTES, dice.randint(1, 3))),
        "last_order": (date(2026, 1, 1) - timedelta(days=dice.randint(1, 700))).isoformat(),
        "newsletter_language": place.locale,
    }
    if dice.random() < 0.6:
        fields["birthday"] = date(1950 + dice.randrange(55), dice.randint(1, 12), dice.randint(1, 28)).isoformat()
    if dice.random() < 0.2:
        fields["wholesale"] = True
    return fields
