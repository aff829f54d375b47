"""Links made of merge fields: what their block says becomes an address with a hole for the token, and is remembered."""

from __future__ import annotations

from dataclasses import dataclass

from liquid.stringify import to_liquid_string
from markupsafe import escape

from campaigns.content.slots import click_target
from delivery.rendering.addresses import HOLE, Addresses
from delivery.rendering.quoted_printable import encode_around
from delivery.tracking.tokens import URL_LENGTH


class LinkTexts(dict[str, str]):
    """The address of one link by what its block says."""

    __slots__ = ("_addresses", "_html", "_index", "_max_entries")

    def __init__(self, addresses: Addresses, index: int, *, html: bool, max_entries: int = 8192) -> None:
        super().__init__()
        self._addresses = addresses
        self._index = index
        self._html = html
        self._max_entries = max_entries

    def made(self, written: str) -> str:
        """The address, made anew."""
        target = click_target(self._index, written.replace(HOLE, ""), self._addresses)
        return str(escape(target)) if self._html else target

    def __missing__(self, written: str) -> str:
        if written.__class__ is not str:
            return self.made(to_liquid_string(written, autoescape=False))
        if len(self) >= self._max_entries:
            self.clear()
        self[written] = address = self.made(written)
        return address


class LinkPieces(dict[str, tuple[bytes, ...]]):
    """The same in quoted-printable: `token.join(pieces[written])`. Forgets all at `max_entries`."""

    __slots__ = ("_max_entries", "_texts")

    def __init__(self, texts: LinkTexts, *, max_entries: int = 8192) -> None:
        super().__init__()
        self._texts = texts
        self._max_entries = max_entries

    def __missing__(self, written: str) -> tuple[bytes, ...]:
        if written.__class__ is not str:
            return encode_around(HOLE, URL_LENGTH, self._texts[written])
        if len(self) >= self._max_entries:
            self.clear()
        self[written] = pieces = encode_around(HOLE, URL_LENGTH, self._texts.made(written))
        return pieces


@dataclass(frozen=True, slots=True)
class DynamicLinks:
    """Makes the tables of one campaign's links."""

    addresses: Addresses

    def as_text(self, index: int, *, html: bool) -> LinkTexts:
        """For output that is text."""
        return LinkTexts(self.addresses, index, html=html)

    def as_bytes(self, index: int, *, html: bool) -> LinkPieces:
        """For output that is encoded."""
        return LinkPieces(self.as_text(index, html=html))
