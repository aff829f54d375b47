"""How a test run divides its servers among its workers."""

from __future__ import annotations

from tests.embedded_servers import redis_database_of_worker


def test_each_worker_has_a_redis_database_of_its_own() -> None:
    urls = [redis_database_of_worker("redis://:secret@127.0.0.1:6379/0", number) for number in (0, 1, 2)]
    assert urls == [f"redis://:secret@127.0.0.1:6379/{number}" for number in (0, 1, 2)]
