"""Random secrets of a demo, made once and kept in a file that only its owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def read_credentials(path: Path) -> dict[str, str]:
    """What `path` holds, by name; empty when it is not there."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}


def keep_credentials(path: Path, values: dict[str, str]) -> dict[str, str]:
    """`path` holds these values beside what it held, with mode 600; returns all of it."""
    kept = read_credentials(path) | values
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write("".join(f"{name}={value}\n" for name, value in kept.items()))
    unfinished.replace(path)
    return kept


def make_secrets() -> dict[str, str]:
    """New values for the settings that have no default."""
    return {"SECRET_KEY": secrets.token_urlsafe(48), "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode()}


def ensure_secrets(path: Path) -> dict[str, str]:
    """The secrets in `path`, made at the first call; what is missing from an older file is added."""
    kept = read_credentials(path)
    missing = {name: value for name, value in make_secrets().items() if name not in kept}
    return keep_credentials(path, missing) if missing else kept


def make_password() -> str:
    """80 bits as 16 letters and digits that nobody mistakes for one another, in groups of four."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))
