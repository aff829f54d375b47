"""Locks, ports and logs of the embedded servers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deploy.embedded import ServerError
from deploy.embedded.process import exclusive, free_ports, is_free, is_held, tail


def test_a_lock_is_held_only_inside(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not is_held(lock)
    with exclusive(lock):
        assert is_held(lock)
    assert not is_held(lock)


def test_a_lock_held_too_long_is_an_error_that_names_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive(lock), pytest.raises(ServerError, match=f"has held {lock}"), exclusive(lock, seconds=0):
        pass


def test_a_port_someone_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert port not in list(free_ports(port, port))


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == "(the log is empty)"
    log.write_text("one\ntwo\nthree\n")
    assert tail(log, 2) == "two\nthree"
