"""A web process as in production, with PostgreSQL stopped and Redis stopped: readers get on, nothing is lost."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from redis import Redis

from delivery.benchmarks.processes import running, wait_until
from delivery.benchmarks.track import answers, free_port
from delivery.services.leaving import QUEUE as LEAVING
from delivery.services.leaving import Wish
from delivery.tracking.hits import QUEUE, decode_hit
from delivery.tracking.linktable import Table
from delivery.tracking.tokens import TokenMaker
from deploy import embedded

pytestmark = [pytest.mark.faults, pytest.mark.timeout(200)]
SHOP = "https://shop.example/sale"


class Web:
    """A web process whose PostgreSQL is stopped before it was asked anything, and the folder of its spilled hits."""

    def __init__(self, servers: embedded.Servers, spill: Path) -> None:
        self.servers, self.spill, self.port = servers, spill, free_port()
        self.environment = os.environ | servers.environment() | {"SPILL_ROOT": str(spill), "ALLOWED_HOSTS": "127.0.0.1"}
        self.environment |= {"PUBLIC_ORIGIN": "http://127.0.0.1", "DATABASE_POOL_TIMEOUT": "1"}
        self.token = TokenMaker(settings.SECRET_KEY).make(7, 8)

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        headers = {"User-Agent": "Mozilla/5.0 Firefox/132.0", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, f"/{path.format(self.token)}", body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.getheader("Location")

    def kinds(self) -> Counter[str]:
        with Redis.from_url(self.servers.redis_url) as redis:
            return Counter(hit.kind for raw in redis.lrange(QUEUE, 0, -1) if (hit := decode_hit(raw)))


@pytest.fixture(scope="module")
def web(own_servers: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    own_servers.start()
    made = Web(own_servers, tmp_path_factory.mktemp("spill"))
    with Redis.from_url(own_servers.redis_url) as redis:
        redis.set("fanfare:links:7", msgspec.msgpack.encode(Table({0: SHOP})))
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(made.port)]
    granian += ["--workers", "1", "--blocking-threads", "4", "--workers-kill-timeout", "5", "--no-ws"]
    own_servers.postgres.stop()
    with running(*granian, "deploy.wsgi:application", environment=made.environment):
        wait_until(lambda: answers(made.port), 90)
        yield made


def test_readers_get_on_without_postgresql_and_then_without_redis(web: Web) -> None:
    assert not web.servers.postgres.is_running
    assert web.ask("GET", "c/{}/0") == (302, SHOP)
    assert web.ask("GET", "o/{}") == (200, None)
    assert web.ask("POST", "u/{}", "List-Unsubscribe=One-Click") == (200, None)
    assert web.kinds() == Counter(clicked=1, opened=1)
    with Redis.from_url(web.servers.redis_url) as redis:
        (raw,) = redis.lrange(LEAVING, 0, -1)
        wish = msgspec.msgpack.decode(raw, type=Wish)
    assert (wish.campaign_id, wish.contact_id, wish.source) == (7, 8, "one-click")

    web.servers.redis.stop()
    assert web.ask("GET", "c/{}/0") == (302, SHOP)
    assert web.ask("GET", "o/{}") == (200, None)
    assert len(list(web.spill.glob("*.spill"))) == 1
    assert web.ask("POST", "u/{}", "List-Unsubscribe=One-Click")[0] in (500, 503)  # never told that it worked

    web.servers.redis.start()
    time.sleep(1.1)  # the writer leaves Redis alone for a second
    assert web.ask("GET", "o/{}") == (200, None)
    assert list(web.spill.glob("*.spill")) == []
    assert web.kinds() == Counter(clicked=2, opened=3)
