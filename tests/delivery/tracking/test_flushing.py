"""Flushing on real servers: exact rows, exact counts whenever a flush dies, evidence that comes in two slices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from redis import Redis

from delivery.models import Event, Link
from delivery.tracking import appending, flushing
from delivery.tracking.flushing import TAKEN, UNREADABLE, flush_hits
from delivery.tracking.hits import QUEUE
from delivery.tracking.rules import VERSION
from tests.delivery.factories import make_contact
from tests.delivery.tracking.factories import AT, CHROME, NOW, make_hit, push

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=61)


class Killed(BaseException):
    """What SIGKILL is to the code that runs: nothing after it happens."""


def die(*_args: Any, **_kwargs: Any) -> None:
    raise Killed


def reasons() -> Counter[tuple[str, str]]:
    return Counter(Event.objects.values_list("verdict", "verdict_reason"))


def leftovers(redis: Redis) -> set[bytes]:
    return set(cast("list[bytes]", redis.keys("fanfare:*"))) - {UNREADABLE.encode()}


def test_a_hit_becomes_an_event_with_all_that_it_held(redis: Redis) -> None:
    push(redis, make_hit(key=b"k" * 16, link=3, purpose="prefetch", user_agent="Tab\tBack\\slash\nü€", label="scanner"))
    assert flush_hits(redis, now=NOW) == 1
    event = Event.objects.get()
    assert (event.occurred_at, event.event_key, event.received_at) == (
        datetime.fromtimestamp(AT, UTC),
        UUID(bytes=b"k" * 16),
        NOW,
    )
    assert (event.kind, event.campaign_id, event.contact_id, event.link_index) == ("clicked", 7, 8, 3)
    assert (event.network, event.user_agent, event.category) == ("192.0.2.0/24", "Tab\tBack\\slash\nü€", "scanner")
    assert (event.verdict, event.verdict_reason, event.rules_version) == ("machine", "prefetch-header", VERSION)
    assert event.details == {"method": "GET", "purpose": "prefetch"}
    assert leftovers(redis) == set()


def test_a_honeypot_hit_is_a_click_that_remembers_what_it_was(redis: Redis) -> None:
    push(redis, make_hit("honeypot"))
    flush_hits(redis, now=NOW)
    event = Event.objects.get()
    assert (event.kind, event.link_index, event.details) == ("clicked", None, {"trap": True})
    assert (event.verdict, event.verdict_reason) == ("machine", "honeypot")


def test_text_that_postgresql_cannot_hold_loses_no_hit(redis: Redis) -> None:
    push(redis, make_hit(user_agent="a\0b\\.", purpose="\\u0000\0"), make_hit(user_agent="\\."))
    assert flush_hits(redis, now=NOW) == 2
    assert set(Event.objects.values_list("user_agent", flat=True)) == {"ab\\.", "\\."}


def test_what_cannot_be_read_is_kept_aside(redis: Redis) -> None:
    push(redis, make_hit())
    redis.rpush(QUEUE, b"\xc1nonsense")
    assert flush_hits(redis, now=NOW) == 2
    assert Event.objects.count() == 1
    assert redis.lrange(UNREADABLE, 0, -1) == [b"\xc1nonsense"]


def test_a_queue_longer_than_a_slice_is_taken_in_slices(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "SLICE", 10)
    push(redis, *[make_hit("opened", contact_id=n) for n in range(25)])
    assert flush_hits(redis, now=NOW) == 25
    assert Event.objects.count() == 25
    assert leftovers(redis) == set()


def test_a_flush_with_nothing_to_do_writes_nothing(redis: Redis) -> None:
    assert flush_hits(redis, now=NOW) == 0
    assert leftovers(redis) == set()


def kill_before_commit(patch: pytest.MonkeyPatch) -> None:
    """After the rows were copied, before their transaction is committed."""
    patch.setattr(flushing, "write_verdicts", die)


def kill_before_copy(patch: pytest.MonkeyPatch) -> None:
    """After the slice was taken, before anything was written."""
    patch.setattr(flushing, "append_hits", die)


def kill_after_commit(patch: pytest.MonkeyPatch) -> None:
    """After the commit, before the slice is deleted."""
    patch.setattr(Redis, "pipeline", die)


@pytest.mark.parametrize(
    ("kill", "n_written"), [(kill_before_copy, 0), (kill_before_commit, 0), (kill_after_commit, 500)]
)
def test_a_flush_that_dies_loses_nothing_and_counts_nothing_twice(
    redis: Redis, kill: Callable[[pytest.MonkeyPatch], None], n_written: int
) -> None:
    push(redis, *[make_hit("opened", contact_id=n) for n in range(500)])
    with pytest.MonkeyPatch.context() as patch:
        kill(patch)
        with pytest.raises(Killed):
            flush_hits(redis, now=NOW)
    assert Event.objects.count() == n_written
    assert redis.zcard(TAKEN) == 1

    push(redis, make_hit("opened", contact_id=500))
    assert flush_hits(redis, now=NOW) == 1  # too early to call the slice abandoned
    assert Event.objects.count() == n_written + 1

    assert flush_hits(redis, now=LATER) == 500
    assert list(Event.objects.order_by("contact_id").values_list("contact_id", flat=True)) == list(range(501))
    assert leftovers(redis) == set()


def test_a_slice_that_two_flushes_hold_is_written_once(redis: Redis) -> None:
    push(redis, *[make_hit("opened", contact_id=n) for n in range(50)])
    take_and_die = pytest.MonkeyPatch()
    take_and_die.setattr(flushing, "append_hits", die)
    with pytest.raises(Killed):
        flush_hits(redis, now=NOW)
    take_and_die.undo()
    name = cast("list[bytes]", redis.zrange(TAKEN, 0, -1))[0].decode()
    hits = redis.lrange(name, 0, -1)

    flush_hits(redis, now=LATER)  # takes it for abandoned
    redis.rpush(name, *hits)  # ... while its owner, only slow, still holds it
    flushing._flush_slice(redis, name, NOW, fresh=True)
    assert Event.objects.count() == 50


def test_a_hit_that_was_pushed_twice_is_one_event(redis: Redis) -> None:
    one, other = make_hit(), make_hit("opened")
    push(redis, one, other, one)
    flush_hits(redis, now=NOW)
    push(redis, one)
    flush_hits(redis, now=NOW)
    assert Event.objects.count() == 2


def test_a_burst_that_two_flushes_share_is_folded_back(redis: Redis) -> None:
    push(redis, make_hit(at=AT, link=0), make_hit(at=AT + 0.5, link=1), make_hit(at=AT, link=0, contact_id=9))
    flush_hits(redis, now=NOW)
    assert reasons() == Counter({("human", ""): 3})
    push(redis, make_hit(at=AT + 1, link=2))
    flush_hits(redis, now=NOW)
    assert reasons() == Counter({("machine", "click-burst"): 3, ("human", ""): 1})
    assert Event.objects.get(contact_id=9).verdict == "human"


def test_a_sweep_that_three_flushes_share_is_folded_back_onto_other_peoples_clicks(redis: Redis) -> None:
    acme = [make_contact(f"{n}@acme.example").pk for n in range(6)]
    strangers = [make_contact(f"{n}@gmail.com").pk for n in range(5)]
    for moment in (4, 1, 3, 0):  # late ones first
        people = (acme[moment], strangers[moment])
        push(redis, *[make_hit(contact_id=person, at=AT + moment) for person in people])
        flush_hits(redis, now=NOW)
    push(redis, make_hit(contact_id=acme[5], at=AT + 60))
    assert reasons() == Counter({("human", ""): 8})
    push(redis, make_hit(contact_id=acme[2], at=AT + 2), make_hit(contact_id=strangers[2], at=AT + 2))
    flush_hits(redis, now=NOW)
    assert reasons() == Counter({("machine", "domain-sweep"): 5, ("human", ""): 6})
    assert set(Event.objects.filter(verdict="machine").values_list("contact_id", flat=True)) == set(acme[:5])


def test_a_click_that_comes_late_is_judged_by_the_sweep_around_it(redis: Redis) -> None:
    acme = [make_contact(f"{n}@acme.example").pk for n in range(6)]
    push(redis, *[make_hit(contact_id=person, at=AT + n) for n, person in enumerate(acme[:5])])
    flush_hits(redis, now=NOW)
    push(redis, make_hit(contact_id=acme[5], at=AT + 2.5))
    flush_hits(redis, now=NOW)
    assert reasons() == Counter({("machine", "domain-sweep"): 6})


def test_clicks_that_come_late_are_judged_by_the_honeypot_before_them(redis: Redis) -> None:
    push(redis, make_hit("honeypot", at=AT))
    flush_hits(redis, now=NOW)
    push(redis, make_hit(at=AT + 30), make_hit(at=AT + 30, network="198.51.100.0/24"))
    flush_hits(redis, now=NOW)
    assert reasons() == Counter({("machine", "honeypot"): 1, ("machine", "after-honeypot"): 1, ("human", ""): 1})


def test_late_evidence_never_makes_a_person_of_a_machine(redis: Redis) -> None:
    push(redis, *[make_hit(at=AT + n / 10, link=n) for n in range(3)])
    flush_hits(redis, now=NOW)
    push(redis, make_hit(at=AT + 300, link=1))
    flush_hits(redis, now=NOW)
    assert reasons() == Counter({("machine", "click-burst"): 3, ("human", ""): 1})


def test_the_links_a_message_has_make_all_of_them(redis: Redis) -> None:
    Link.objects.bulk_create([Link(campaign_id=7, index=n, url="https://shop.example") for n in range(2)])
    push(redis, make_hit(at=AT, link=0), make_hit(at=AT + 1, link=1))
    flush_hits(redis, now=NOW)
    assert reasons() == Counter({("machine", "all-links"): 2})


def test_both_ways_of_writing_make_the_same_rows(redis: Redis) -> None:
    from delivery.tracking.verdicts import judge

    hits = [make_hit(user_agent=CHROME), make_hit("opened", user_agent="\\N"), make_hit("honeypot", purpose="x\ty")]
    judged = list(zip(hits, judge(hits, sent_at={}, n_links={}), strict=True))
    appending.copy_hits(judged, now=NOW)
    direct = sorted(Event.objects.values_list())
    Event.objects.all().delete()
    appending.copy_new_hits(judged, now=NOW)
    assert sorted(Event.objects.values_list()) == direct
    assert len(direct) == 3
