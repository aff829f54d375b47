"""The embedded PostgreSQL: made by initdb, run by `postgres` directly, TCP on 127.0.0.1 only, password required."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.embedded import process
from deploy.embedded.errors import ServerError
from deploy.embedded.server import Server

NAME = "fanfare"
# The builtin provider (PostgreSQL 17) needs no locale of the system; containers often have none.
INITDB = (
    f"--username={NAME} --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
    " --auth=scram-sha-256 --no-instructions"
).split()
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket path is limited to about 100 characters; TCP has no such trap
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "jit": "off",
    "huge_pages": "off",  # `try` dies with SIGBUS in containers whose limit on huge pages is zero
    "dynamic_shared_memory_type": "sysv",  # `posix` lives in /dev/shm, which Docker limits to 64 MB
    "timezone": "UTC",
    "log_timezone": "UTC",
}
WITHOUT_FSYNC = {"fsync": "off", "full_page_writes": "off"}


class Postgres(Server):
    """PostgreSQL with one superuser and one database, both named fanfare."""

    name = "postgres"
    first_port = 15432
    stop_signal = signal.SIGINT  # fast shutdown: ends sessions, rolls back, writes a checkpoint

    @property
    def data(self) -> Path:
        """The data directory; it exists only when initdb has finished."""
        return self.directory / "data"

    @property
    def url(self) -> str:
        """postgres://user:password@127.0.0.1:port/database"""
        password = (self.data / "password").read_text()
        return f"postgres://{NAME}:{password}@127.0.0.1:{self.port}/{NAME}"

    def wipe(self) -> None:
        """Replace the database by an empty one; sessions in it are ended."""
        with psycopg.connect(self.url, dbname="postgres", autocommit=True) as connection:
            name = sql.Identifier(NAME)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))

    @property
    def _pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def _prepare(self) -> None:
        if not self.data.exists():
            self._initialise()
        major = (self.data / "PG_VERSION").read_text().strip()
        if major != "18":
            raise ServerError(
                f"{self.data} was made by PostgreSQL {major}, this is 18: dump and reload it, or start over."
            )
        self._forget_a_dead_server()

    def _initialise(self) -> None:
        """Build the data directory under another name first: a half-finished one is thrown away, never used."""
        unfinished = self.directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = secrets.token_hex(24)
        password_file = self.directory / "password.unfinished"
        self.home.write(password_file, password)
        options = [*INITDB, f"--pwfile={password_file}", *([] if self.durable else ["--no-sync"])]
        self._run("initdb", "-D", str(unfinished), *options, *self._options())
        self._run(
            "postgres", "--single", "-D", str(unfinished), *self._options(), "postgres", text=f"CREATE DATABASE {NAME}"
        )
        password_file.rename(unfinished / "password")
        unfinished.rename(self.data)

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        process.run(
            [str(self.home.postgres_binaries / program), *arguments],
            cwd=self.directory,
            account=self.home.account,
            text=text,
        )

    def _forget_a_dead_server(self) -> None:
        """Remove the pid file of a crashed server whose pid is a zombie's or another process's now.

        PostgreSQL would take that process for itself and refuse to start. Usual in containers: small pids come back,
        and without an init process nobody buries the dead. Without /proc PostgreSQL's own test decides.
        """
        if not self._pid_file.exists() or not Path("/proc/self").exists():
            return
        try:
            is_alive = os.readlink(f"/proc/{self.pid}/cwd") == str(self.data)
        except (OSError, ValueError, IndexError):  # no such process, a zombie, another account's, an unfinished file
            is_alive = False
        if not is_alive:
            self._pid_file.unlink()

    def _arguments(self, port: int) -> Sequence[str]:
        return [str(self.home.postgres_binaries / "postgres"), "-D", str(self.data), "-p", str(port), *self._options()]

    def _options(self) -> list[str]:
        settings = SETTINGS if self.durable else SETTINGS | WITHOUT_FSYNC
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True
