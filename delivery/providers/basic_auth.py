"""HTTP basic credentials as a header."""

from __future__ import annotations

import base64


def basic(user: str, password: str) -> dict[str, str]:
    """The Authorization header of RFC 7617."""
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
