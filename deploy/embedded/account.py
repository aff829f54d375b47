"""Which user runs the embedded servers: the present one, or for root another, because PostgreSQL refuses root."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import NoAccessError


@dataclass(frozen=True)
class Account:
    """How a program is made to run as that user. Ids are None where no other user is needed."""

    name: str
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None
    prefix: tuple[str, ...] = ()

    def succeeds(self, arguments: Sequence[str | Path]) -> bool:
        """Whether this account may and can run a program to a good end."""
        try:
            done = subprocess.run(
                [*self.prefix, *map(str, arguments)],
                cwd="/",
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
                capture_output=True,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def choose_account(data: Path) -> Account:
    """The owner of the data there is, else the system's postgres user, else nobody; NoAccessError when none can be had.

    A root that may not change users (a sandbox with a single user id) enters a user namespace, in which it is not root.
    """
    if os.geteuid() != 0:
        return Account("the current user")
    other = _other_account(data)
    namespace = Account(
        f"{other.name} in a user namespace",
        prefix=("unshare", "--user", f"--map-user={other.uid}", f"--map-group={other.gid}", "--"),
    )
    for account in (other, namespace):
        if account.succeeds(["/bin/sh", "-c", ":"]):
            return account
    raise NoAccessError(
        "PostgreSQL refuses to run as root, and this root may neither switch to another user nor make a user namespace."
        " Run as a plain user, or set DATABASE_URL and REDIS_URL."
    )


def _other_account(data: Path) -> Account:
    if data.is_dir() and data.stat().st_uid != 0:
        # The id may be unknown here: a container that mounts what a user of the host made.
        return Account(f"user {data.stat().st_uid}", data.stat().st_uid, data.stat().st_gid, groups=())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid, groups=())
    raise NoAccessError("PostgreSQL refuses to run as root, and there is neither a `postgres` nor a `nobody` user.")
