"""The embedded Redis: append-only file, nothing ever evicted, TCP on 127.0.0.1 only, password required."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from deploy.embedded.server import Server

# Limits, locks and queues live here: losing a key silently (eviction) would break promises, so writes fail instead.
SETTINGS = {
    "bind": "127.0.0.1",
    "daemonize": "no",
    "databases": "64",
    "save": '""',
    "appendonly": "yes",
    "maxmemory-policy": "noeviction",
    "logfile": '""',
}


class RedisServer(Server):
    """Redis 6.2 with 64 databases."""

    name = "redis"
    first_port = 16379
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """redis://:password@127.0.0.1:port/0"""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def wipe(self) -> None:
        """Remove all keys of all databases."""
        with Redis.from_url(self.url) as client:
            client.flushall()

    @property
    def _password(self) -> str:
        return (self.directory / "password").read_text()

    @property
    def _pid_file(self) -> Path:
        return self.directory / "pid"

    def _prepare(self) -> None:
        self.home.make_directory(self.directory / "data")
        self._pid_file.unlink(missing_ok=True)
        if not (self.directory / "password").exists():
            self.home.write(self.directory / "password", secrets.token_hex(24))

    def _arguments(self, port: int) -> Sequence[str]:
        settings = SETTINGS | {
            "port": str(port),
            "dir": f'"{self.directory / "data"}"',
            "pidfile": f'"{self._pid_file}"',
            "requirepass": self._password,
            "appendfsync": "everysec" if self.durable else "no",
        }
        configuration = self.directory / "redis.conf"
        self.home.write(configuration, "".join(f"{name} {value}\n" for name, value in settings.items()))
        return [str(self.home.redis_binary), str(configuration)]

    def _answers(self) -> bool:
        with Redis.from_url(self.url, socket_connect_timeout=5, socket_timeout=5) as client:
            try:
                return bool(client.ping())
            except (RedisConnectionError, RedisTimeoutError, ResponseError):  # not yet listening, or loading its file
                return False
