"""The circuit breaker of a provider account: closed, open for a while, then one probe decides (half-open)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Circuit(StrEnum):
    """Where the breaker stands."""

    CLOSED = "closed"  # mail flows
    OPEN = "open"  # nothing leaves until `until`
    HALF_OPEN = "half_open"  # one message is on its way to find out


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens and for how long.

    It opens when at least `least` of the attempts in a `window` failed and they are `ratio` of them or more. It stays
    open for `pause`, twice as long after each probe that fails, at most `longest`. A probe without an answer counts as
    failed after `probe_time` (RFC 5321 gives the final dot alone 10 minutes).
    """

    window: timedelta = timedelta(minutes=1)
    least: int = 10
    ratio: float = 0.5
    pause: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=10)
    probe_time: timedelta = timedelta(minutes=12)


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state as a value. `until`: end of the window (closed), of the pause (open) or of the probe (half-open)."""

    circuit: Circuit = Circuit.CLOSED
    until: datetime | None = None
    n_ok: int = 0
    n_failed: int = 0
    n_opened: int = 0
    reason: str = ""


CLOSED = Breaker()


def record_attempts(breaker: Breaker, *, n_ok: int, n_failed: int, now: datetime, policy: BreakerPolicy) -> Breaker:
    """The breaker after some attempts. A failure is the account's own (no connection, 421, login refused), not a
    recipient's.

    While it is open, answers to what was under way before change nothing; while half-open, the first answer decides.
    """
    match breaker.circuit:
        case Circuit.OPEN:
            return breaker
        case Circuit.HALF_OPEN:
            if n_ok:
                return CLOSED
            return trip_breaker(breaker, breaker.reason, now=now, policy=policy) if n_failed else breaker
        case Circuit.CLOSED:
            return _counted(breaker, n_ok, n_failed, now, policy)


def trip_breaker(breaker: Breaker, reason: str, *, now: datetime, policy: BreakerPolicy) -> Breaker:
    """The breaker opened at once, such as for a refused login; twice as long as the last time in a row.

    One that is open stays as it is: ten connections that hear the same refusal are one failure.
    """
    if breaker.circuit == Circuit.OPEN and breaker.until is not None and now < breaker.until:
        return breaker
    pause = min(policy.pause * 2 ** min(breaker.n_opened, 20), policy.longest)
    return Breaker(Circuit.OPEN, now + pause, n_opened=breaker.n_opened + 1, reason=reason)


def ask_breaker(breaker: Breaker, *, now: datetime, policy: BreakerPolicy) -> tuple[Breaker, int | None]:
    """The breaker and how many messages may leave: None any number, 1 the probe, 0 none.

    Who is given the probe must store the breaker that comes with it before sending, by a conditional write, so that
    there is one probe and not one per worker.
    """
    if breaker.circuit == Circuit.CLOSED:
        return breaker, None
    if breaker.until is not None and now < breaker.until:
        return breaker, 0
    if breaker.circuit == Circuit.HALF_OPEN:
        return trip_breaker(breaker, breaker.reason, now=now, policy=policy), 0
    return replace(breaker, circuit=Circuit.HALF_OPEN, until=now + policy.probe_time), 1


def _counted(breaker: Breaker, n_ok: int, n_failed: int, now: datetime, policy: BreakerPolicy) -> Breaker:
    if breaker.until is None or now >= breaker.until:
        breaker = Breaker(until=now + policy.window)
    counted = replace(breaker, n_ok=breaker.n_ok + n_ok, n_failed=breaker.n_failed + n_failed)
    n_attempts = counted.n_ok + counted.n_failed
    if counted.n_failed < policy.least or counted.n_failed < policy.ratio * n_attempts:
        return counted
    reason = f"{counted.n_failed} of {n_attempts} attempts failed within {policy.window.total_seconds():g} seconds"
    return trip_breaker(counted, reason, now=now, policy=policy)
