"""A web process as in production, with PostgreSQL stopped and Redis stopped: readers get on, nothing is lost."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from delivery.benchmarks.processes import running, wait_until
from delivery.benchmarks.track import answers, free_port
from delivery.tracking.hits import QUEUE
from deploy import embedded

pytestmark = pytest.mark.faults
CAMPAIGN = """
import datetime, json
from delivery.partitions import ensure_event_partitions
from delivery.tracking.linktable import publish_links
from delivery.tracking import views
from delivery.models import Link
from tests.delivery.factories import make_campaign, make_contact, make_list, subscribe
now = datetime.datetime.now(datetime.UTC)
ensure_event_partitions(now)
news = make_list()
campaign = make_campaign(news, state="sending", launched_at=now)
contact = make_contact("alice@example.org")
subscribe(contact, news)
Link.objects.create(campaign_id=campaign.pk, index=0, url="https://shop.example/sale")
publish_links(views.redis(), campaign.pk)
print(json.dumps({"token": views.tokens().make(campaign.pk, contact.pk), "campaign": campaign.pk}))
"""
FLUSH = "from delivery.tasks import flush_hits; flush_hits()"


class Installation:
    """Own servers, a web process, and one campaign with one reader."""

    def __init__(self, servers: embedded.Servers, spill: Path) -> None:
        self.servers = servers
        self.environment = os.environ | servers.environment() | {"SPILL_ROOT": str(spill)}
        self.environment |= {"PUBLIC_ORIGIN": "http://127.0.0.1:8000", "ALLOWED_HOSTS": "127.0.0.1"}
        self.spill = spill
        self.port = free_port()
        self.token = ""

    def run(self, code: str) -> str:
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-v", "0", "-c", code]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        headers = {"User-Agent": "Mozilla/5.0 Firefox/132.0", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path.format(self.token), body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.getheader("Location")

    def events(self) -> list[Any]:
        with psycopg.connect(self.servers.database_url) as connection:
            rows = connection.execute("SELECT kind, verdict FROM delivery_event ORDER BY kind, occurred_at").fetchall()
            return list(rows)


@pytest.fixture(scope="module")
def installation(own_servers: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    own_servers.start()
    made = Installation(own_servers, tmp_path_factory.mktemp("spill"))
    command = [sys.executable, "manage.py", "migrate", "-v", "0"]
    subprocess.run(command, env=made.environment, check=True, timeout=100)
    made.token = json.loads(made.run(CAMPAIGN).splitlines()[-1])["token"]
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(made.port)]
    granian += ["--workers", "1", "--blocking-threads", "4", "--workers-kill-timeout", "5", "--no-ws"]
    with running(*granian, "deploy.wsgi:application", environment=made.environment):
        wait_until(lambda: answers(made.port), 90)
        yield made


@pytest.mark.timeout(240)
def test_readers_get_on_without_postgresql_and_without_redis(installation: Installation) -> None:
    own = installation
    own.servers.postgres.stop()
    assert own.ask("GET", "/c/{}/0") == (302, "https://shop.example/sale")  # never asked for before: Redis knows it
    assert own.ask("GET", "/o/{}") == (200, None)
    assert own.ask("POST", "/u/{}", "List-Unsubscribe=One-Click") == (200, None)
    assert own.ask("GET", "/u/{}")[0] == 200
    assert own.ask("GET", "/p/{}")[0] == 503
    with Redis.from_url(own.servers.redis_url) as redis:
        assert redis.llen(QUEUE) == 2

    own.servers.postgres.start()
    own.servers.redis.stop()
    assert own.ask("GET", "/c/{}/0") == (302, "https://shop.example/sale")
    assert own.ask("GET", "/o/{}") == (200, None)
    assert len(list(own.spill.glob("*.spill"))) == 1
    own.servers.redis.start()
    time.sleep(1.1)  # the writer leaves Redis alone for a second
    assert own.ask("GET", "/o/{}") == (200, None)
    assert list(own.spill.glob("*.spill")) == []

    own.run(FLUSH)
    assert own.events() == [
        ("clicked", "human"),
        ("clicked", "human"),
        ("opened", "human"),
        ("opened", "human"),
        ("opened", "human"),
        ("unsubscribed", "human"),
    ]
    with psycopg.connect(own.servers.database_url) as connection:
        assert connection.execute("SELECT state FROM contacts_subscription").fetchall() == [("unsubscribed",)]
