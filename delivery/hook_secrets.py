"""What proves an account's webhook calls: the present secret, and the one before it for a week after a change. Pure.

Stored (encrypted) as {"current": ..., "previous": ..., "previous_until": ISO 8601}.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from delivery.providers.contract import Proof

# Long enough to paste the new secret at the provider, and for the calls that it repeats (SendGrid: 24 hours).
OVERLAP = timedelta(days=7)
MADE_HERE = (Proof.BASIC_AUTH, Proof.SECRET_IN_URL, Proof.TOKEN_HEADER)


def make_secret(proof: Proof) -> str:
    """A secret in the form that this proof wants."""
    word = secrets.token_urlsafe(24)
    return f"fanfare:{word}" if proof is Proof.BASIC_AUTH else word


def in_force(stored: Mapping[str, Any] | None, now: datetime) -> list[str]:
    """The secrets that prove a call at `now`, the present one first."""
    stored = stored or {}
    found = [stored.get("current") or ""]
    if overlap_ends(stored, now) is not None:
        found.append(stored["previous"])
    return [secret for secret in found if secret]


def overlap_ends(stored: Mapping[str, Any] | None, now: datetime) -> datetime | None:
    """Until when the secret before this one holds; None when there is none or its time is over."""
    stored = stored or {}
    if not stored.get("previous"):
        return None
    until = datetime.fromisoformat(stored["previous_until"])
    return until if now < until else None


def rotated(stored: Mapping[str, Any] | None, new: str, now: datetime) -> dict[str, Any]:
    """The new secret holds from now on, and the present one for a week; the same one again changes nothing."""
    stored = dict(stored or {})
    current = stored.get("current") or ""
    if current == new:
        return stored
    if not current:
        return {"current": new}
    return {"current": new, "previous": current, "previous_until": (now + OVERLAP).isoformat()}


def without_previous(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Only the present secret holds."""
    current = (stored or {}).get("current")
    return {"current": current} if current else {}
