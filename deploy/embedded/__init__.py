"""Real PostgreSQL 18 and Redis 6.2 from wheels, for the demo, the tests and a first look; not for production.

The data of `var_dir` lives in `var_dir` (deploy/embedded/home.py names the exception) and outlives the processes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import EmbeddedError, NoAccessError, ServerError, WheelsMissingError
from deploy.embedded.home import Home, find_home, make_open
from deploy.embedded.postgres_server import Postgres
from deploy.embedded.process import exclusive
from deploy.embedded.redis_server import RedisServer

__all__ = [
    "PROJECT_VAR",
    "EmbeddedError",
    "NoAccessError",
    "ServerError",
    "Servers",
    "WheelsMissingError",
    "discard",
    "ensure_running",
    "servers_of",
]

PROJECT_VAR = Path(__file__).resolve().parent.parent.parent / "var"


@dataclass(frozen=True)
class Servers:
    """One PostgreSQL and one Redis that belong together."""

    home: Home
    postgres: Postgres
    redis: RedisServer

    @property
    def database_url(self) -> str:
        """The value for DATABASE_URL."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """The value for REDIS_URL."""
        return self.redis.url

    @property
    def are_running(self) -> bool:
        """Whether both servers live."""
        return self.postgres.is_running and self.redis.is_running

    def environment(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL, for os.environ or a child process."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}

    def start(self) -> None:
        """Afterwards both servers answer; raises ServerError."""
        self.postgres.start()
        self.redis.start()

    def stop(self) -> None:
        """Afterwards neither server lives; the data stays."""
        self.redis.stop()
        self.postgres.stop()

    def wipe(self) -> None:
        """Empty both running servers; addresses and passwords stay valid."""
        self.postgres.wipe()
        self.redis.wipe()


def servers_of(var_dir: Path, *, durable: bool = True) -> Servers:
    """The servers of `var_dir`, running or not. `durable=False` leaves out fsync, for tests."""
    try:
        make_open(var_dir)
        with exclusive(var_dir / "lock"):
            home = find_home(var_dir)
    except PermissionError as error:
        raise _no_access(error, var_dir) from error
    return Servers(home, Postgres(home, durable=durable), RedisServer(home, durable=durable))


def ensure_running(var_dir: Path, *, durable: bool = True) -> Servers:
    """Start what does not run yet; returns when both answer. Raises EmbeddedError."""
    servers = servers_of(var_dir, durable=durable)
    try:
        servers.start()
    except PermissionError as error:
        raise _no_access(error, var_dir) from error
    return servers


def _no_access(error: PermissionError, var_dir: Path) -> NoAccessError:
    return NoAccessError(
        f"{error.filename} belongs to another user. Run this as the user who made {var_dir}, or as root,"
        f" or remove {var_dir} to start over."
    )


def discard(var_dir: Path) -> None:
    """Stop the servers of `var_dir` and remove their data, ports and passwords."""
    servers = servers_of(var_dir)
    servers.stop()
    for server in (servers.postgres, servers.redis):
        shutil.rmtree(server.directory, ignore_errors=True)
    if servers.home.path != var_dir.resolve():
        shutil.rmtree(servers.home.path)
        (var_dir / "runtime").unlink()
