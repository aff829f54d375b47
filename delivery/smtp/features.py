"""What a server announced in its answer to EHLO (RFC 5321 section 4.1.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from delivery.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Features:
    """The announced extensions that this client uses; `size` is in bytes, 0 when there is none or no limit."""

    name: str = ""
    pipelining: bool = False
    eightbitmime: bool = False
    smtputf8: bool = False
    chunking: bool = False
    starttls: bool = False
    size: int = 0
    auth: frozenset[str] = frozenset()
    keywords: tuple[str, ...] = ()


def parse_features(reply: Reply) -> Features:
    """Read an EHLO reply. Old servers announce "AUTH=LOGIN" beside "AUTH LOGIN" for the sake of Outlook Express."""
    name, *rest = [line.decode("ascii", "replace").strip() for line in reply.lines] or [""]
    found: dict[str, list[str]] = {}
    for line in rest:
        keyword, *parameters = line.replace("AUTH=", "AUTH ", 1).split() or [""]
        found.setdefault(keyword.upper(), []).extend(parameters)
    size = found.get("SIZE", [])
    return Features(
        name=name.partition(" ")[0],
        pipelining="PIPELINING" in found,
        eightbitmime="8BITMIME" in found,
        smtputf8="SMTPUTF8" in found,
        chunking="CHUNKING" in found,
        starttls="STARTTLS" in found,
        size=int(size[0]) if size and size[0].isascii() and size[0].isdigit() else 0,
        auth=frozenset(mechanism.upper() for mechanism in found.get("AUTH", [])),
        keywords=tuple(keyword for keyword in found if keyword),
    )
