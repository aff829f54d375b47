"""Making, using and revoking API keys. Only a hash is kept; the key itself is seen once, by whoever makes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from contacts.errors import WrongState
from contacts.keys import hash_secret, make_key
from contacts.models import ApiKey, Brand


def create_api_key(brand: Brand, name: str, *, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """A new key of the brand and its text, ff_PREFIX_SECRET, which cannot be shown again."""
    text = make_key()
    key = ApiKey.objects.create(
        brand=brand, name=name, prefix=text.prefix, secret_hash=hash_secret(text.secret), expires_at=expires_at
    )
    return key, str(text)


def note_api_key_use(key: ApiKey, *, now: datetime) -> None:
    """`last_used_at` is right to a minute; a write per request would make the row a bottleneck."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1))
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def revoke_api_key(key: ApiKey, *, now: datetime) -> None:
    """The key opens nothing any more; raises WrongState if that is so already."""
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        raise WrongState("This key has been revoked already.")
