"""Campaigns that share one account's rate: simulated senders on a clock of their own, real Lua."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from redis import Redis

from delivery.limits.permits import Ask, give_back, take
from delivery.limits.values import Limit, Refusal, Scope, Share

MS = 1000
START = 1_767_225_600_000 * MS


@dataclass
class Sender:
    """One worker's path: asks for a slice, sends it in `pause_ms`, asks again; waits when refused."""

    share: Share
    left: int
    slice_: int
    own: tuple[Limit, ...] = ()
    pause_ms: int = 1
    begins_ms: int = 0
    next_us: int = field(init=False)
    done_us: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.next_us = START + self.begins_ms * MS


def run(redis: Redis, account: Limit, senders: list[Sender], until_ms: int = 10**9) -> Counter[str]:
    """Let the senders ask in order of their clocks until the time or the last sender's mail is over: messages sent."""
    sent: Counter[str] = Counter()
    while True:
        active = [sender for sender in senders if sender.left]
        now = min(sender.next_us for sender in active)
        if not senders[-1].left or now >= START + until_ms * MS:
            return sent
        sender = min(active, key=lambda sender: sender.next_us)
        scopes = (Scope(f"campaign:{sender.share.claimant}", sender.own), Scope("account:1", (account,)))
        n = min(sender.left, sender.slice_)
        grant = take(redis, Ask(scopes, n=n, least=max(1, n // 2), share=sender.share), now_us=now)
        sent[sender.share.claimant] += grant.n
        sender.left -= grant.n
        sender.next_us = now + (sender.pause_ms * MS if grant.n else max(MS, int(grant.wait_s * 1_000_000)))
        sender.done_us = now


def workers(
    claimant: str, n: int, *, left: int = 10**6, size: int = 10, weight: int = 1, lane: int = 1
) -> list[Sender]:
    return [Sender(Share(claimant, weight, lane), left, size) for _ in range(n)]


def test_two_campaigns_share_evenly_however_many_workers_each_has(redis: Redis) -> None:
    sent = run(redis, Limit(100), workers("big", 4) + workers("small", 1), 20_000)
    assert sum(sent.values()) == pytest.approx(2000, abs=20)
    assert sent["small"] == pytest.approx(sent["big"], abs=20)


def test_weights_decide_the_shares(redis: Redis) -> None:
    sent = run(redis, Limit(100), workers("a", 2, weight=3) + workers("b", 2, weight=1), 20_000)
    assert sum(sent.values()) == pytest.approx(2000, abs=20)
    assert sent["a"] == pytest.approx(1500, abs=40)


@pytest.mark.parametrize(("rate", "n_small"), [(1, 20), (20, 100), (100, 20), (100, 500), (5000, 500), (5000, 5000)])
def test_a_small_campaign_beside_a_huge_one_takes_at_most_twice_its_time_alone(
    redis: Redis, rate: int, n_small: int
) -> None:
    size = max(1, min(rate // 10, 1000))
    small = Sender(Share("small"), n_small, size, begins_ms=5003)
    run(redis, Limit(rate), [*workers("big", 4, size=size), small])
    alone_s = n_small / rate
    assert (small.done_us - START) / 1e6 - 5.003 <= 2 * alone_s + 0.25 + 1 / rate


def test_transactional_mail_goes_before_campaigns(redis: Redis) -> None:
    urgent = Sender(Share("transactional", lane=0), 300, 10, begins_ms=5003)
    run(redis, Limit(100), [*workers("big", 4), urgent])
    assert (urgent.done_us - START) / 1e6 - 5.003 < 3.1


def test_what_a_slow_campaign_leaves_unused_goes_to_the_other(redis: Redis) -> None:
    slow = Sender(Share("slow"), 10**6, 1, own=(Limit(5, burst=1),))
    sent = run(redis, Limit(100), [*workers("big", 2), slow], 20_000)
    assert sent["slow"] == pytest.approx(100, abs=3)
    assert sent["big"] == pytest.approx(1900, abs=60)


def test_nobody_waits_for_a_campaign_that_stopped_asking(redis: Redis) -> None:
    brief = Sender(Share("brief"), 10, 1)
    sent = run(redis, Limit(1), [brief, *workers("big", 1, size=1)], 60_000)
    assert sent["brief"] == 10
    assert sent["big"] == pytest.approx(50, abs=3)


def test_whose_turn_it_is_not_is_told_so(redis: Redis) -> None:
    scopes = (Scope("account:1", (Limit(1),)),)
    first, second = Ask(scopes, n=1, share=Share("first")), Ask(scopes, n=1, share=Share("second"))
    assert take(redis, first, now_us=START).n == 1
    assert take(redis, second, now_us=START + MS).refused_by == Refusal("account:1", Limit(1))
    assert take(redis, first, now_us=START + 1000 * MS).n == 1
    assert take(redis, second, now_us=START + 1001 * MS).refused_by == Refusal("account:1", Limit(1))
    assert take(redis, first, now_us=START + 2000 * MS).refused_by == Refusal("account:1", None)
    assert take(redis, second, now_us=START + 2000 * MS).n == 1


def test_permits_given_back_are_given_back_to_the_share_too(redis: Redis) -> None:
    scopes = (Scope("account:1", (Limit(10, burst=1),)),)
    first, second = Ask(scopes, n=1, share=Share("first")), Ask(scopes, n=1, share=Share("second"))
    assert take(redis, first, now_us=START).n == 1
    take(redis, second, now_us=START)
    give_back(redis, first, 1)
    assert take(redis, first, now_us=START).n == 1
