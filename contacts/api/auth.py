"""Bearer keys: who may use the API, and for which brand."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from contacts.models import ApiKey
from contacts.queries import find_api_key
from contacts.services import note_api_key_use

from .errors import ApiError


class BearerKey(HttpBearer):
    """The key made in the admin, in the Authorization header."""

    def authenticate(self, _request: HttpRequest, token: str) -> ApiKey | None:
        """The key, None if there is no such key; raises ApiError 403 for one that no longer holds."""
        now = timezone.now()
        key = find_api_key(token)
        if key is None:
            return None
        if key.revoked_at is not None:
            raise ApiError(403, "This API key has been revoked.")
        if key.expires_at is not None and key.expires_at <= now:
            raise ApiError(403, "This API key has expired.")
        note_api_key_use(key, now=now)
        return key


def key_of(request: HttpRequest) -> ApiKey:
    """The key that opened a request."""
    key = request.auth  # type: ignore[attr-defined]  # set by ninja
    if not isinstance(key, ApiKey):
        raise TypeError("an API view without BearerKey")
    return key
