"""The writer of hits: groups, outages of Redis, and what waits on disk meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from delivery.tracking import spill as spill_module
from delivery.tracking import writing
from delivery.tracking.hits import QUEUE
from delivery.tracking.spill import Spill
from delivery.tracking.writing import HitWriter
from deploy import embedded


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PAUSE_SECONDS", 0.0)


def queue(redis: Redis) -> list[bytes]:
    return cast("list[bytes]", redis.lrange(QUEUE, 0, -1))


def spilled(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spill"))


def test_a_hit_is_in_redis_when_write_returns(redis: Redis, tmp_path: Path) -> None:
    assert HitWriter(redis, Spill(tmp_path)).write(b"one") is True
    assert queue(redis) == [b"one"]
    assert spilled(tmp_path) == []


def test_hits_of_many_threads_are_all_there_and_leave_in_fewer_commands(redis: Redis, tmp_path: Path) -> None:
    writer = HitWriter(redis, Spill(tmp_path))
    sizes: list[int] = []
    really = writer._push

    def counted(entries: list[bytes]) -> None:
        sizes.append(len(entries))
        really(entries)

    writer._push = counted  # type: ignore[method-assign,assignment]
    answers: list[bool] = []

    def work(number: int) -> None:
        answers.extend(writer.write(f"{number}-{n}".encode()) for n in range(100))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 800
    assert sorted(queue(redis)) == sorted(f"{a}-{n}".encode() for a in range(8) for n in range(100))
    assert sum(sizes) == 800
    assert max(sizes) <= 8


def test_without_redis_hits_wait_on_disk_and_go_when_it_answers(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = HitWriter(redis, Spill(tmp_path))
    with monkeypatch.context() as away:
        away.setattr(writer, "_push", _refuse)
        assert [writer.write(b"one"), writer.write(b"two")] == [True, True]
    assert (queue(redis), len(spilled(tmp_path))) == ([], 1)
    assert writer.write(b"three") is True
    assert queue(redis) == [b"three", b"one", b"two"]
    assert spilled(tmp_path) == []


def _refuse(_entries: object) -> None:
    raise RedisConnectionError("away")


def test_what_a_dead_process_kept_goes_with_the_next_one(redis: Redis, tmp_path: Path) -> None:
    dead = Spill(tmp_path)
    dead.keep([b"old", b"older"])
    dead.close()  # as the kernel does for a process that was killed
    HitWriter(redis, Spill(tmp_path)).write(b"new")
    assert queue(redis) == [b"new", b"old", b"older"]
    assert spilled(tmp_path) == []


def test_what_a_living_process_keeps_is_left_to_it(redis: Redis, tmp_path: Path) -> None:
    living = Spill(tmp_path)
    living.keep([b"mine"])
    HitWriter(redis, Spill(tmp_path)).write(b"new")
    assert queue(redis) == [b"new"]
    assert len(spilled(tmp_path)) == 1
    living.close()


def test_an_entry_that_a_crash_cut_off_is_left_out(tmp_path: Path) -> None:
    dead = Spill(tmp_path)
    dead.keep([b"whole", b"cut off"])
    dead.close()
    (file,) = spilled(tmp_path)
    file.write_bytes(file.read_bytes()[:-3])
    sent: list[bytes] = []
    assert Spill(tmp_path).send_back(sent.extend) == 1
    assert sent == [b"whole"]


def test_a_file_stays_until_all_of_it_was_sent(tmp_path: Path) -> None:
    dead = Spill(tmp_path)
    dead.keep([b"one"])
    dead.close()
    with pytest.raises(RedisConnectionError):
        Spill(tmp_path).send_back(_refuse)
    assert len(spilled(tmp_path)) == 1


def test_what_neither_redis_nor_the_disk_takes_is_said_to_be_lost(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = HitWriter(redis, Spill(tmp_path / "file" / "under"))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(writer, "_push", _refuse)
    assert writer.write(b"lost") is False


def test_the_disk_is_not_filled_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill_module, "MAX_BYTES", 20)
    spill = Spill(tmp_path)
    assert [spill.keep([b"0123456789"]), spill.keep([b"0123456789"])] == [True, False]
    spill.close()


@pytest.mark.faults
def test_a_redis_that_is_restarted_costs_no_hit(own_servers: embedded.Servers, tmp_path: Path) -> None:
    own_servers.start()
    redis = Redis.from_url(own_servers.redis_url)
    writers_own = Redis.from_url(own_servers.redis_url, socket_timeout=2)
    writer = HitWriter(writers_own, Spill(tmp_path))
    assert writer.write(b"before")
    own_servers.redis.stop()
    assert [writer.write(b"during-%d" % n) for n in range(3)] == [True] * 3
    own_servers.redis.start()
    assert writer.write(b"after")
    assert set(queue(redis)) == {b"before", b"during-0", b"during-1", b"during-2", b"after"}
    redis.close()
    writers_own.close()
