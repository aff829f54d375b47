"""The embedded servers for real: start, crash, taken ports, two starters at once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from deploy import embedded


@pytest.fixture
def var_dir(tmp_path: Path) -> Iterator[Path]:
    """A place for servers; for root it is one that other users cannot enter."""
    yield tmp_path
    embedded.discard(tmp_path)


def _sleep() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "100"])


def _rows(servers: embedded.Servers) -> list[tuple[int]]:
    with psycopg.connect(servers.database_url) as connection:
        return connection.execute("SELECT number FROM kept").fetchall()


def _keep(servers: embedded.Servers, number: int) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("TRUNCATE kept")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
    with Redis.from_url(servers.redis_url) as client:
        client.set("kept", number)


def _kept_in_redis(servers: embedded.Servers) -> bytes | None:
    with Redis.from_url(servers.redis_url) as client:
        value = client.get("kept")
    assert value is None or isinstance(value, bytes)
    return value


def test_starting_again_changes_nothing(own_servers: embedded.Servers) -> None:
    own_servers.start()
    before = (own_servers.postgres.pid, own_servers.redis.pid, own_servers.environment())
    own_servers.start()
    assert (own_servers.postgres.pid, own_servers.redis.pid, own_servers.environment()) == before


def test_both_survive_a_restart_with_address_and_data(own_servers: embedded.Servers) -> None:
    own_servers.start()
    _keep(own_servers, 1)
    before = own_servers.environment()
    own_servers.postgres.restart()
    own_servers.redis.restart()
    assert own_servers.environment() == before
    assert _rows(own_servers) == [(1,)]
    assert _kept_in_redis(own_servers) == b"1"


def test_a_crash_loses_nothing_that_was_answered(own_servers: embedded.Servers) -> None:
    own_servers.start()
    _keep(own_servers, 2)
    own_servers.postgres.kill()
    own_servers.redis.kill()
    assert not own_servers.postgres.is_running
    assert not own_servers.redis.is_running
    own_servers.start()
    assert _rows(own_servers) == [(2,)]
    assert _kept_in_redis(own_servers) == b"2"


def test_a_stale_pid_that_another_process_has_now_does_not_stop_the_start(own_servers: embedded.Servers) -> None:
    own_servers.start()
    own_servers.postgres.kill()
    own_servers.redis.kill()
    with _sleep() as stranger:
        for file in (own_servers.postgres.data / "postmaster.pid", own_servers.redis.directory / "pid"):
            file.write_text("\n".join([str(stranger.pid), *file.read_text().splitlines()[1:]]))
        own_servers.start()
        assert stranger.pid not in {own_servers.postgres.pid, own_servers.redis.pid}
        assert stranger.poll() is None
        stranger.kill()


def test_stopping_what_is_stopped_is_fine(own_servers: embedded.Servers) -> None:
    own_servers.stop()
    own_servers.stop()
    own_servers.postgres.kill()
    assert not own_servers.are_running


def test_a_port_taken_meanwhile_is_replaced(own_servers: embedded.Servers) -> None:
    own_servers.stop()
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        taken = [first.getsockname()[1], second.getsockname()[1]]
        (own_servers.postgres.directory / "port").write_text(str(taken[0]))
        (own_servers.redis.directory / "port").write_text(str(taken[1]))
        own_servers.start()
        assert own_servers.postgres.port not in taken
        assert own_servers.redis.port not in taken
    assert own_servers.are_running


def test_wiping_empties_both_and_keeps_the_addresses(own_servers: embedded.Servers) -> None:
    own_servers.start()
    _keep(own_servers, 3)
    before = own_servers.environment()
    own_servers.wipe()
    assert own_servers.environment() == before
    with psycopg.connect(own_servers.database_url) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)
    assert _kept_in_redis(own_servers) is None


def test_a_wrong_password_is_refused(own_servers: embedded.Servers) -> None:
    own_servers.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(own_servers.database_url, password="guess")


def test_the_extensions_that_migrations_use_are_there(own_servers: embedded.Servers) -> None:
    own_servers.start()
    names = ["btree_gin", "citext", "pg_stat_statements", "pg_trgm", "unaccent"]
    with psycopg.connect(own_servers.database_url) as connection:
        found = connection.execute("SELECT name FROM pg_available_extensions WHERE name = ANY(%s) ORDER BY 1", [names])
        assert [name for (name,) in found] == names


def test_a_half_finished_first_start_is_begun_again(var_dir: Path) -> None:
    servers = embedded.servers_of(var_dir, durable=False)
    servers.home.make_directory(servers.postgres.directory)
    unfinished = servers.postgres.directory / "data.unfinished"
    servers.home.make_directory(unfinished)
    (unfinished / "PG_VERSION").write_text("18\n")
    servers.postgres.start()
    assert servers.postgres.is_running
    assert not unfinished.exists()


def test_two_starters_at_once_start_one_pair(var_dir: Path) -> None:
    command = [sys.executable, "-m", "deploy.embedded", "env", "--var", str(var_dir)]
    project = embedded.PROJECT_VAR.parent
    starters = [subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [starter.communicate()[0] for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0]
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("export DATABASE_URL=postgres://fanfare:")


def test_two_checkouts_run_side_by_side(var_dir: Path, own_servers: embedded.Servers) -> None:
    own_servers.start()
    other = embedded.ensure_running(var_dir, durable=False)
    ports = {server.port for pair in (other, own_servers) for server in (pair.postgres, pair.redis)}
    assert len(ports) == 4
    assert own_servers.are_running
    assert other.are_running


def test_a_start_that_fails_says_why(own_servers: embedded.Servers) -> None:
    own_servers.start()
    own_servers.stop()
    configuration = own_servers.postgres.data / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text(good + "no_such_setting = 1\n")
    with pytest.raises(embedded.ServerError, match=r"(?s)postgres ended while starting.*no_such_setting"):
        own_servers.start()
    configuration.write_text(good)


def test_data_of_another_major_version_is_refused_in_words(own_servers: embedded.Servers) -> None:
    own_servers.start()
    own_servers.stop()
    version = own_servers.postgres.data / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(embedded.ServerError, match="made by PostgreSQL 17, this is 18"):
        own_servers.start()
    version.write_text("18\n")


def test_discarding_leaves_no_process_and_no_data(var_dir: Path) -> None:
    servers = embedded.ensure_running(var_dir, durable=False)
    pids = (servers.postgres.pid, servers.redis.pid)
    embedded.discard(var_dir)
    assert [path.name for path in var_dir.iterdir()] == ["lock"]
    assert not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and " Z " not in state.read_text()


def test_status_tells_by_its_exit_code(var_dir: Path) -> None:
    command = [sys.executable, "-m", "deploy.embedded", "status", "--var", str(var_dir)]
    project = embedded.PROJECT_VAR.parent
    stopped = subprocess.run(command, cwd=project, stdout=subprocess.PIPE, text=True, check=False)
    assert stopped.returncode == 3
    assert "postgres is stopped" in stopped.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another user")
def test_root_in_a_private_directory_gets_a_place_that_moves_along(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    _keep(embedded.ensure_running(first, durable=False), 4)
    assert (first / "runtime").is_symlink()
    first.rename(second)
    moved = embedded.ensure_running(second, durable=False)
    assert _rows(moved) == [(4,)]
    shutil.copytree(second, first, symlinks=True)
    copied = embedded.ensure_running(first, durable=False)
    assert copied.postgres.data != moved.postgres.data
    with psycopg.connect(copied.database_url) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)
    embedded.discard(first)
    embedded.discard(second)


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(own_servers: embedded.Servers) -> None:
    own_servers.start()
    assert os.getsid(own_servers.redis.pid) != os.getsid(0)
    os.kill(own_servers.redis.pid, signal.SIGCONT)
    assert own_servers.redis.is_running


def test_a_command_gets_fresh_servers_and_nothing_is_left(var_dir: Path) -> None:
    arguments = [sys.executable, "-m", "deploy.embedded", "run", "--var", str(var_dir), "--"]
    script = 'echo "$DATABASE_URL"; exit 7'
    project = embedded.PROJECT_VAR.parent
    done = subprocess.run([*arguments, "sh", "-c", script], cwd=project, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 7
    assert done.stdout.startswith("postgres://fanfare:")
    assert [path.name for path in var_dir.iterdir()] == ["lock"]
