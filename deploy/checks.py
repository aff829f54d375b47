"""System checks that refuse bad combinations of settings in words."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_secrets(**_: Any) -> list[CheckMessage]:
    """Secrets are there and usable."""
    problems: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < 50:
        problems.append(
            Error(
                "SECRET_KEY is missing or shorter than 50 characters.",
                hint="Set SECRET_KEY to a long random text, for example from: openssl rand -base64 48",
                id="fanfare.E001",
            )
        )
    for key in settings.FIELD_ENCRYPTION_KEYS or [""]:
        problems += _key_problems(key)
    return problems


def _key_problems(key: str) -> list[CheckMessage]:
    try:
        Fernet(key)
    except ValueError:
        return [
            Error(
                "FIELD_ENCRYPTION_KEYS must hold one or more Fernet keys (32 bytes, base64), the newest first.",
                hint="Make one with: openssl rand -base64 32 | tr '+/' '-_'",
                id="fanfare.E002",
            )
        ]
    return []


@register()
def check_servers(**_: Any) -> list[CheckMessage]:
    """PostgreSQL and Redis are given together: one embedded and one real would be a surprise."""
    if bool(settings.DATABASE_URL) == bool(settings.REDIS_URL):
        return []
    given, missing = ("DATABASE_URL", "REDIS_URL") if settings.DATABASE_URL else ("REDIS_URL", "DATABASE_URL")
    return [
        Error(
            f"{given} is set but {missing} is not.",
            hint="Give both, or neither to use the embedded servers under var/ (make demo).",
            id="fanfare.E003",
        )
    ]


@register(Tags.security, deploy=True)
def check_production(**_: Any) -> list[CheckMessage]:
    """A public installation speaks HTTPS and is not the demo."""
    problems: list[CheckMessage] = []
    if not settings.HTTPS:
        problems.append(
            Error(
                f"PUBLIC_ORIGIN is {settings.PUBLIC_ORIGIN}: one-click unsubscribe (RFC 8058) needs https.",
                hint="Set PUBLIC_ORIGIN=https://your.host and let the proxy end TLS.",
                id="fanfare.E004",
            )
        )
    if settings.DEMO:
        problems.append(Error("FANFARE_DEMO is on in production.", hint="Unset FANFARE_DEMO.", id="fanfare.E005"))
    return problems
