"""What becomes of a recipient's mail, decided by a hash of the address: pure, the same at every run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Kind = Literal["taken", "greylisted", "refused", "refused_content", "returned", "complained"]


@dataclass(frozen=True, slots=True)
class Fate:
    """`reply` is the server's answer, or for "returned" the words of the report that comes back later."""

    kind: Kind
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon things happen, in seconds; ranges are (earliest, latest)."""

    greylist_s: int
    return_s: tuple[float, float]
    read_s: tuple[float, float]
    pause_s: tuple[float, float]  # between one reader's acts


# Readers wait at least 4 s: what comes within 2 s of sending is judged a machine's (delivery.tracking.verdicts).
PACES = {
    "demo": Pace(greylist_s=30, return_s=(3, 75), read_s=(6, 360), pause_s=(4, 45)),
    "smoke": Pace(greylist_s=1, return_s=(0.2, 2), read_s=(4, 6), pause_s=(2.5, 3)),
}

_GREYLISTED = "451 4.7.1 Greylisted, please try again in {seconds} seconds"
_REFUSALS = (
    "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.1 The email account that you tried to reach does not exist",
    "552 5.2.2 <{address}>: Mailbox full, user is over quota",
    "550 5.2.1 The mailbox is disabled, not accepting messages",
)
_CONTENT_REFUSAL = "550 5.7.1 Message rejected as spam by content filtering"
_RETURNS = (
    "550 5.1.1 <{address}>... User unknown",
    "552 5.2.2 Mailbox size limit exceeded",
    "554 5.4.4 Host or domain name not found. Name service error",
)
# Upper ends of the shares; the rest of the addresses take their mail. Fewer than 2 % do not exist and 0.15 % complain:
# at 2 % and 0.3 % the brake pauses a campaign (delivery.brake).
_SHARES: tuple[tuple[float, Kind], ...] = (
    (0.009, "refused"),
    (0.012, "refused_content"),
    (0.052, "greylisted"),
    (0.062, "returned"),
    (0.0635, "complained"),
)


def fate_of(address: str, pace: Pace) -> Fate:
    """The fate of mail to `address`, whose case does not matter."""
    share = fraction(address, "fate")
    kind: Kind = next((kind for limit, kind in _SHARES if share < limit), "taken")
    return Fate(kind, _reply(kind, address, pace))


def fraction(address: str, purpose: str) -> float:
    """A number in [0, 1) that this address always gets for this purpose."""
    digest = hashlib.blake2b(f"{purpose}\0{address.lower()}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _reply(kind: Kind, address: str, pace: Pace) -> str:
    match kind:
        case "refused":
            return _pick(_REFUSALS, address).format(address=address)
        case "returned":
            return _pick(_RETURNS, address).format(address=address)
        case "refused_content":
            return _CONTENT_REFUSAL
        case "greylisted":
            return _GREYLISTED.format(seconds=pace.greylist_s)
    return ""


def _pick(texts: tuple[str, ...], address: str) -> str:
    return texts[int(fraction(address, "words") * len(texts))]
