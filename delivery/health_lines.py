"""The lines of the monitoring page, with what they say in words; delivery.health fills them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery.models import ProviderAccount, Route, SourceAddress, WarmUp
from delivery.shaping.effective import Effective
from delivery.shaping.rules import Measure
from delivery.site_names import provider_label


def percent(part: int | None, whole: int | None) -> int:
    """Of `whole`, at most 100; 0 where there is none."""
    return min(100, 100 * (part or 0) // whole) if whole else 0


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source address of an account now."""

    source: SourceAddress
    account: ProviderAccount
    connections: int
    used_today: int | None  # None: Redis does not know, which means none since it was emptied

    @property
    def most(self) -> int:
        """Connections that it may have at once."""
        own = self.source.max_connections or self.account.max_connections
        return min(own, self.account.max_connections)

    @property
    def quota_percent(self) -> int:
        """Of today's quota used."""
        return percent(self.used_today, self.source.messages_per_day)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One provider account now and over the last hour."""

    account: ProviderAccount
    routes: Sequence[str]
    hold: str  # why nothing is sent with it, or empty
    rate: float
    connections: int
    used_today: int | None  # as for a source
    hour: Mapping[str, int]
    sources: Sequence[SourceLine] = ()

    @property
    def status(self) -> tuple[str, str]:
        """The chip's tone and label."""
        if not self.account.enabled:
            return "", "Switched off"
        if self.hold:
            return "bad", "Stopped"
        return ("busy", "Sending") if self.rate else ("good", "Ready")

    @property
    def quota_percent(self) -> int:
        """Of today's quota used."""
        return percent(self.used_today, self.account.messages_per_day)


@dataclass(frozen=True, slots=True)
class WayLine:
    """A path: one account, and one of its source addresses where it has some, to one site."""

    source: SourceAddress | None
    shaped: Effective
    suspended: Measure | None
    per_second: float | None  # the lowest of all that holds for it beside the account's own
    factor: float
    connections: int | None  # None: a relay's connections carry mail to every site
    used_today: int | None

    @property
    def limit(self) -> str:
        """What holds for it now, in words."""
        if self.suspended is not None:
            return "suspended"
        rates = [_rate(self.per_second)] if self.per_second else []
        windows = ((self.shaped.messages_per_hour, "an hour"), (self.shaped.messages_per_day, "a day"))
        rates += [f"{count:,} {period}" for count, period in windows if count]
        return ", ".join(rates) or "no limit of its own"


@dataclass(frozen=True, slots=True)
class PathLine:
    """One account's ways to one recipient site."""

    account: ProviderAccount
    site: str
    rate: float
    hour: Mapping[str, int]
    ways: Sequence[WayLine]

    @property
    def label(self) -> str:
        """The site as people know it."""
        return provider_label(self.site) if self.site else "All smaller sites"


@dataclass(frozen=True, slots=True)
class WarmUpLine:
    """A warm-up today: its cap, and how much of it was used."""

    warm_up: WarmUp
    day: str
    cap: int | None  # None: warm
    used_today: int | None  # as for a source

    @property
    def label(self) -> str:
        """The site as people know it."""
        return provider_label(self.warm_up.site) if self.warm_up.site else "All recipients"

    @property
    def status(self) -> tuple[str, str]:
        """The chip's tone and label."""
        if self.warm_up.stopped_at is not None:
            return "bad", "Stopped"
        if self.cap is None:
            return "good", "Warm"
        if (self.used_today or 0) >= self.cap:
            return "warn", "Cap reached"
        return ("warn", "Held") if self.warm_up.note else ("busy", "Rising")

    @property
    def reason(self) -> str:
        """Why it does not rise, where it does not."""
        return self.warm_up.stopped_reason if self.warm_up.stopped_at else self.warm_up.note

    @property
    def percent(self) -> int:
        """Of today's cap used."""
        return percent(self.used_today, self.cap)


@dataclass(frozen=True, slots=True)
class DeferredLine:
    """Deferred messages that wait, with one reply."""

    account: str
    site: str
    category: str
    n: int
    reply: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RouteLine:
    """A route with what is queued on it."""

    route: Route
    rate: float
    n_queued: int
    n_campaigns: int
    n_drains: int


def _rate(per_second: float) -> str:
    return f"{per_second:,g} a second" if per_second >= 1 else f"{per_second * 60:.3g} a minute"
