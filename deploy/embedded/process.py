"""Background processes of the embedded servers: start detached, know whether one lives, wait, choose a port."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from deploy.embedded.account import Account
from deploy.embedded.errors import NoAccessError, ServerError

# A fixed small environment: PGDATA, PGPORT or LD_PRELOAD of the caller's shell must not reach the servers.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@contextlib.contextmanager
def exclusive(path: Path, *, seconds: float = 120) -> Iterator[None]:
    """Hold the lock file `path`; raise ServerError when another process keeps it for `seconds`."""
    with path.open("w") as file:
        if not wait_for(lambda: _lock(file.fileno()), seconds=seconds):
            raise ServerError(f"Another process has held {path} for {seconds:.0f} seconds; is a start or stop stuck?")
        yield


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file `path`.

    A server inherits its lock at start and its children inherit it again, so the kernel itself tells when the last of
    them is gone. Unlike a pid file this cannot be stale, and a reused pid cannot mislead.
    """
    if not path.exists():
        return False
    with path.open("r") as file:
        return not _lock(file.fileno())


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def launch(arguments: Sequence[str], *, lock: Path, log: Path, account: Account) -> None:
    """Start a server detached from this process and terminal, holding `lock`, appending its output to `log`.

    The shell in between ends at once, so the server is nobody's child and Ctrl-C here does not reach it.
    """
    _rotate(log)
    with lock.open("a") as held, log.open("ab") as output:
        if not _lock(held.fileno()):
            raise ServerError(f"{lock} is held: the server runs already.")
        subprocess.run(
            ["/bin/sh", "-c", '"$0" "$@" &', *account.prefix, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(held.fileno(),),
            start_new_session=True,
            cwd=lock.parent,
            env=ENVIRONMENT,
            check=True,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )


def run(arguments: Sequence[str], *, cwd: Path, account: Account, text: str = "") -> None:
    """Run a program to its end with `text` as its input; raise ServerError with the end of its output when it fails."""
    done = subprocess.run(
        [*account.prefix, *arguments],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
    )
    if done.returncode != 0:
        raise ServerError(f"{Path(arguments[0]).name} failed (exit code {done.returncode}):\n{done.stdout[-2000:]}")


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > 5_000_000:
        log.replace(log.with_suffix(".old"))


def tail(log: Path, n_lines: int = 15) -> str:
    """The last lines of a log file, or words for an empty one."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-n_lines:]) or "(the log is empty)"


def wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Ask every 20 ms whether `condition` holds; False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_free(port: int) -> bool:
    """Whether a server may listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(remembered: int | None, first: int) -> Iterator[int]:
    """Free ports in the order to try: the one used last time, then upwards from `first`.

    The ports lie below 32768, where Linux begins to give out ports for outgoing connections.
    """
    candidates = ([remembered] if remembered else []) + list(range(first, first + 400))
    return (port for port in candidates if is_free(port))


def send_signal(pid: int, number: int) -> None:
    """Signal a process; one that is gone already is fine, another user's is a NoAccessError."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise NoAccessError(f"Process {pid} belongs to another user; stop it as that user or as root.") from error
