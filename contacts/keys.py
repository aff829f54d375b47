"""The text of an API key: ff_PREFIX_SECRET. Pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without l, o, 0 and 1, which people misread


class KeyText(NamedTuple):
    """The two parts of a key: the prefix finds its row, the secret opens it."""

    prefix: str
    secret: str

    def __str__(self) -> str:
        return f"ff_{self.prefix}_{self.secret}"


def make_key() -> KeyText:
    """A new random key with a secret of 256 bits."""
    return KeyText("".join(secrets.choice(ALPHABET) for _ in range(8)), secrets.token_urlsafe(32))


def read_key(text: str) -> KeyText | None:
    """The parts of a key as a client sends it, or None if it has not the form of one."""
    scheme, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    return KeyText(prefix, secret) if scheme == "ff" and prefix and secret else None


def hash_secret(secret: str) -> str:
    """SHA-512 in hex; a 256-bit random secret needs no slow hash."""
    return hashlib.sha512(secret.encode()).hexdigest()


def opens(secret: str, secret_hash: str) -> bool:
    """Whether a secret belongs to a hash, in constant time."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)
