"""anymail's SendGrid backend, made without the warning that its constructor gives each time.

anymail stopped testing against SendGrid in 2025: https://github.com/anymail/django-anymail/issues/432.
"""

from __future__ import annotations

from typing import Any

from anymail.backends.base_requests import AnymailRequestsBackend
from anymail.backends.sendgrid import EmailBackend


class QuietBackend(EmailBackend):  # type: ignore[misc]
    """anymail's backend without its constructor's warning; everything else is theirs."""

    def __init__(self, api_key: str, api_url: str, **kwargs: Any) -> None:
        self.api_key = api_key
        self.generate_message_id = True
        self.merge_field_format = "{}"
        AnymailRequestsBackend.__init__(self, api_url.rstrip("/") + "/", **kwargs)
