"""The addresses of one campaign's messages, with a hole where the reader's token goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from campaigns.content.slots import Slots
from campaigns.content.source import LinkSlot
from delivery.tracking.links import click_url, dynamic_link_path

HOLE = "\x00"
"""Stands for the reader's token (22 characters of base64url); no content holds this character."""

_PIXEL = (
    '<img src="{}" width="1" height="1" alt="" border="0"'
    ' style="display:block;width:1px;height:1px;border:0;overflow:hidden">'
)
# Scanners that follow every link follow this one too; no person sees it, no screen reader says it.
_HONEYPOT = (
    '<a href="{}" tabindex="-1" aria-hidden="true" rel="nofollow"'
    ' style="display:inline-block;width:1px;height:1px;overflow:hidden;font-size:0;line-height:0"></a>'
)


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where clicks and opens are counted, and whether they are. `secret` signs dynamic links (at most 32 bytes)."""

    origin: str
    secret: bytes
    campaign_id: int
    opens: bool = True
    clicks: bool = True


class Addresses(Slots):
    """Fills slots with addresses whose token is still a hole."""

    def __init__(self, tracking: Tracking, links: Iterable[LinkSlot]) -> None:
        self._tracking = tracking
        self._origin = tracking.origin.rstrip("/")
        self._urls = {link.index: link.url for link in links}

    @property
    def unsubscribe(self) -> str:
        """The page that asks whether to unsubscribe, and the target of the one-click POST."""
        return f"{self._origin}/u/{HOLE}"

    @property
    def preferences(self) -> str:
        """The preference page."""
        return f"{self._origin}/p/{HOLE}"

    def click(self, index: int) -> str:
        """A static link."""
        return f"{self._origin}/c/{HOLE}/{index}" if self._tracking.clicks else self._urls[index]

    def click_to(self, index: int, url: str) -> str:
        """A link made of merge fields."""
        if not self._tracking.clicks:
            return url
        path = dynamic_link_path(self._tracking.secret, self._tracking.campaign_id, index, url)
        return click_url(self._origin, HOLE, path)

    def pixel(self) -> str:
        """The open pixel's element."""
        return _PIXEL.format(escape(f"{self._origin}/o/{HOLE}")) if self._tracking.opens else ""

    def honeypot(self) -> str:
        """The honeypot's element."""
        return _HONEYPOT.format(escape(f"{self._origin}/h/{HOLE}")) if self._tracking.clicks else ""


class ReaderSlots(Slots):
    """The same for one reader."""

    def __init__(self, addresses: Addresses, token: str) -> None:
        self._addresses = addresses
        self._token = token

    @property
    def unsubscribe(self) -> str:
        """The page that asks whether to unsubscribe, and the target of the one-click POST."""
        return self._addresses.unsubscribe.replace(HOLE, self._token)

    @property
    def preferences(self) -> str:
        """The preference page."""
        return self._addresses.preferences.replace(HOLE, self._token)

    def click(self, index: int) -> str:
        """A static link."""
        return self._addresses.click(index).replace(HOLE, self._token)

    def click_to(self, index: int, url: str) -> str:
        """A link made of merge fields."""
        return self._addresses.click_to(index, url).replace(HOLE, self._token)

    def pixel(self) -> str:
        """The open pixel's element."""
        return self._addresses.pixel().replace(HOLE, self._token)

    def honeypot(self) -> str:
        """The honeypot's element."""
        return self._addresses.honeypot().replace(HOLE, self._token)
