"""What must be in the environment before Django reads its settings: servers, secrets, the address of the pages."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy import embedded
from deploy.demo.credentials import ensure_secrets, make_secrets, read_credentials
from deploy.demo.ports import FIRST, SMOKE_FIRST, Ports, choose_ports
from deploy.embedded.home import make_open

CREDENTIALS = embedded.PROJECT_VAR / "demo" / "credentials.env"
SMOKE_VAR = embedded.PROJECT_VAR / "smoke"
# What a demo writes beside the servers' data; `--reset` removes it.
LEFTOVERS = ("demo", "log", "media", "static")


@dataclass(slots=True)
class _Held:
    lock: IO[str] | None = None  # open as long as this process lives


_held = _Held()


def prepare_demo(*, reset: bool) -> dict[str, str]:
    """The environment of a demo on the embedded servers in var/, which run afterwards.

    Exits with words when another demo runs in this checkout. Addresses of servers in the caller's environment or .env
    are not used: sample people belong into no other database.
    """
    var = embedded.PROJECT_VAR
    make_open(var)
    _hold_lock(var / "demo.lock")
    if reset:
        _start_over(var)
    _say("Starting PostgreSQL and Redis ...")
    servers = embedded.ensure_running(var)
    secrets = ensure_secrets(CREDENTIALS)
    kept = {name: secrets[name] for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS")}
    return servers.environment() | kept | of_pages(choose_ports(FIRST))


def prepare_smoke() -> dict[str, str]:
    """The environment of a smoke test on the servers that `deploy.embedded run` gave; starts none itself."""
    if not os.environ.get("DATABASE_URL"):
        command = [sys.executable, "-m", "deploy.embedded", "run", "--var", str(SMOKE_VAR), "--"]
        os.execv(sys.executable, [*command, sys.executable, *sys.argv])  # noqa: S606
    return make_secrets() | of_pages(choose_ports(SMOKE_FIRST)) | {"STATIC_ROOT": str(SMOKE_VAR / "static")}


def demo_secrets() -> dict[str, str]:
    """The secrets of the demo in var/, for other commands beside it; empty before the first demo."""
    kept = read_credentials(CREDENTIALS)
    return {name: kept[name] for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS") if name in kept}


def of_pages(ports: Ports) -> dict[str, str]:
    """The settings that follow from the ports; ports travel to the command in FANFARE_DEMO_PORTS."""
    hosts = ("127.0.0.1", "localhost")
    return {
        "FANFARE_DEMO": "1",
        "PUBLIC_ORIGIN": f"http://127.0.0.1:{ports.web}",
        "ALLOWED_HOSTS": ",".join(hosts),
        "CSRF_TRUSTED_ORIGINS": ",".join(f"http://{host}:{ports.web}" for host in hosts),
        "FANFARE_DEMO_PORTS": f"{ports.web},{ports.catcher},{ports.smtp},{ports.intake}",
    }


def chosen_ports() -> Ports:
    """The ports that `of_pages` put into this process's environment."""
    return Ports(*(int(port) for port in os.environ["FANFARE_DEMO_PORTS"].split(",")))


def _hold_lock(path: Path) -> None:
    _held.lock = path.open("a")
    try:
        fcntl.flock(_held.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("The demo runs already in this checkout. Stop it with Ctrl-C where it runs.")


def _start_over(var: Path) -> None:
    _say("Starting over: removing the demo's database, queues, keys, logs and files below var/ ...")
    embedded.discard(var)
    for name in LEFTOVERS:
        shutil.rmtree(var / name, ignore_errors=True)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
