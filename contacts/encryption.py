"""Secrets at rest: a JSON model field encrypted with MultiFernet keys from FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class WrongKey(Exception):
    """The stored ciphertext was made with a key that FIELD_ENCRYPTION_KEYS does not hold."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise WrongKey("FIELD_ENCRYPTION_KEYS is empty: set it to one or more Fernet keys, the newest first.")
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(value: dict[str, Any]) -> bytes:
    """The ciphertext of a JSON object under the newest key."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(json.dumps(value).encode())


def decrypt(ciphertext: bytes) -> dict[str, Any]:
    """The JSON object behind a ciphertext; raises WrongKey, never returns the ciphertext as if it were the value."""
    try:
        plain = _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(bytes(ciphertext))
    except InvalidToken as error:
        raise WrongKey("Stored secrets cannot be read with the present FIELD_ENCRYPTION_KEYS.") from error
    value: dict[str, Any] = json.loads(plain)
    return value


class EncryptedJSONField(models.BinaryField):  # type: ignore[type-arg]
    """A dict of secrets, encrypted on the way in and out of the database; empty dict for NULL."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return str(name), path, args, kwargs

    def from_db_value(self, value: bytes | None, *_: Any) -> dict[str, Any]:
        return {} if value is None else decrypt(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(encrypt(value) if isinstance(value, dict) else value, connection, prepared)


def rotate(ciphertext: bytes) -> bytes:
    """The same value under the newest key; raises WrongKey where none of the keys opens it."""
    try:
        return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).rotate(bytes(ciphertext))
    except InvalidToken as error:
        raise WrongKey("Stored secrets cannot be read with the present FIELD_ENCRYPTION_KEYS.") from error


def under_newest_key(ciphertext: bytes) -> bool:
    """Whether the newest key alone opens it, so that older ones can be dropped."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(bytes(ciphertext))
    except InvalidToken:
        return False
    return True
