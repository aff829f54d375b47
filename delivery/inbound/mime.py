"""Reads a mail of unknown honesty into headers and leaf parts, within fixed bounds and without raising.

The standard email package is not used for structure: it recurses per nested part (RecursionError at about 300 levels)
and keeps everything. Here bytes past the caps are dropped, nesting past the cap stays one opaque part.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
from dataclasses import dataclass, replace
from email.errors import HeaderParseError
from email.header import decode_header

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 8
MAX_PARTS = 64
MAX_HEADERS = 400
MAX_HEADER = 4_000
MAX_TEXT = 200_000

# Codecs that decode text in linear time; "punycode", "idna" and the byte-to-byte codecs are not for mail.
_CHARSET = re.compile(
    r"(utf-?8|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]|gb2312|gbk|gb18030|big5"
    r"|iso-2022-(jp|kr)|euc-(jp|kr)|shift[-_]jis|ks_c_5601-1987|tis-620|macintosh)$"
)
_PARAMETER = re.compile(r';\s*([\w*-]{1,40})\s*=\s*(?:"([^"]{0,300})"|([^\s;"]{1,300}))')
_TAG = re.compile(r"<[^<>]{0,5000}>")
_BLOCK_TAGS = ("br", "/p", "/div", "/tr", "/li", "p", "div", "tr", "/h1", "/h2", "/h3", "pre", "/pre")


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order; names lower-cased, values unfolded."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first field of that (lower-case) name, or ""."""
        return next((value for key, value in self.pairs if key == name), "")

    def every(self, name: str) -> list[str]:
        """All fields of that (lower-case) name."""
        return [value for key, value in self.pairs if key == name]

    def words(self, name: str) -> str:
        """The first field with RFC 2047 words decoded."""
        return decode_words(self.get(name))


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the MIME tree; message/* parts are leaves too. `body` is still transfer-encoded."""

    headers: Headers
    content_type: str
    params: dict[str, str]
    body: bytes

    def content(self) -> bytes:
        """The body without its transfer encoding (RFC 2045 section 6); what does not decode is returned as it is."""
        encoding = self.headers.get("content-transfer-encoding").strip().lower()
        if encoding == "quoted-printable":
            return quopri.decodestring(self.body)
        if encoding == "base64":
            try:
                return base64.b64decode(re.sub(rb"[^A-Za-z0-9+/]", b"", self.body) + b"===")
            except binascii.Error:
                return self.body
        return self.body

    def text(self) -> str:
        """The content as text, at most MAX_TEXT characters; HTML loses its tags."""
        text = decode_text(self.content()[: 4 * MAX_TEXT], self.params.get("charset", ""))[:MAX_TEXT]
        return strip_tags(text) if self.content_type == "text/html" else text


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail: its headers, content type parameters and leaf parts in order."""

    headers: Headers
    content_type: str
    params: dict[str, str]
    parts: tuple[Part, ...]

    def first(self, *content_types: str) -> Part | None:
        """The first leaf of one of these types."""
        return next((part for part in self.parts if part.content_type in content_types), None)


def read_mail(raw: bytes) -> Mail:
    """The structure of `raw`, reading at most MAX_BYTES, MAX_DEPTH levels and MAX_PARTS parts."""
    data = raw[:MAX_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    if data.startswith((b"From ", b">From ")):
        data = data.partition(b"\n")[2]
    root = _part(data)
    parts: list[Part] = []
    _collect(root, 0, parts)
    return Mail(root.headers, root.content_type, root.params, tuple(parts))


def read_headers(data: bytes) -> Headers:
    """Header fields of a block of bytes with LF line ends; lines that are no field are skipped."""
    pairs: list[list[str]] = []
    for line in data.split(b"\n", MAX_HEADERS)[:MAX_HEADERS]:
        text = line[:MAX_HEADER].decode("utf-8", "replace")
        name, colon, value = text.partition(":")
        if text[:1] in (" ", "\t"):
            if pairs and len(pairs[-1][1]) < MAX_HEADER:
                pairs[-1][1] += " " + text.strip()
        elif colon and name.strip() and " " not in name.strip():
            pairs.append([name.strip().lower(), value.strip()])
    return Headers(tuple((name, value) for name, value in pairs))


def decode_words(value: str) -> str:
    """RFC 2047 words as text; a word that does not decode stays as it was written."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value[:MAX_HEADER])
    except (HeaderParseError, ValueError, LookupError):
        return value
    return "".join(piece if isinstance(piece, str) else decode_text(piece, charset or "") for piece, charset in pieces)


def decode_text(data: bytes, charset: str) -> str:
    """Text in a charset that mail uses; anything else is tried as UTF-8, then read as Latin-1."""
    name = charset.strip().lower()
    for candidate in (name if _CHARSET.match(name) else "", "utf-8"):
        try:
            if candidate:
                return data.decode(candidate)
        except (UnicodeError, LookupError):
            continue
    return data.decode(name, "replace") if name.startswith("utf") and _CHARSET.match(name) else data.decode("latin-1")


def strip_tags(text: str) -> str:
    """HTML as plain lines: block tags become line ends, style and script vanish. Linear in the length."""
    kept: list[str] = []
    position, hidden = 0, ""
    for tag in _TAG.finditer(text):
        if not hidden:
            kept.append(text[position : tag.start()])
        position = tag.end()
        name = tag.group()[1:-1].strip().lower().partition(" ")[0].rstrip("/") or "-"
        if name in ("style", "script", "head"):
            hidden = "/" + name
        elif name == hidden:
            hidden = ""
        if name in _BLOCK_TAGS:
            kept.append("\n")
    if not hidden:
        kept.append(text[position:])
    return html.unescape("".join(kept))


def content_type_of(value: str) -> tuple[str, dict[str, str]]:
    """Media type in lower case and its parameters; "text/plain" where the field says nothing usable."""
    media = value.partition(";")[0].strip().lower()
    params = {name.lower().rstrip("*"): quoted or bare for name, quoted, bare in _PARAMETER.findall(value)}
    return (media if "/" in media else "text/plain"), params


def _part(data: bytes) -> Part:
    head, _, body = (b"", b"", data[1:]) if data.startswith(b"\n") else data.partition(b"\n\n")
    headers = read_headers(head)
    content_type, params = content_type_of(headers.get("content-type"))
    return Part(headers, content_type, params, body)


def _collect(part: Part, depth: int, into: list[Part]) -> None:
    boundary = part.params.get("boundary", "")
    pieces = _split(part.body, boundary) if part.content_type.startswith("multipart/") and boundary else []
    if not pieces or depth >= MAX_DEPTH:
        if len(into) < MAX_PARTS:
            into.append(_as_text(part) if not pieces else part)
        return
    for piece in pieces[: MAX_PARTS - len(into)]:
        _collect(_part(piece), depth + 1, into)


def _as_text(part: Part) -> Part:
    """A multipart whose boundary never comes is text with a wrong label (Post.Office and other old systems)."""
    return replace(part, content_type="text/plain") if part.content_type.startswith("multipart/") else part


def _split(body: bytes, boundary: str) -> list[bytes]:
    """The pieces between delimiter lines (RFC 2046 section 5.1.1); a missing last delimiter is forgiven."""
    marker = b"--" + boundary.encode("utf-8", "replace")
    pieces: list[list[bytes]] = []
    for line in body.split(b"\n"):
        if line.startswith(marker) and line.rstrip() in (marker.rstrip(), marker + b"--"):
            if line.rstrip() == marker + b"--" and pieces:
                break
            pieces.append([])
        elif pieces:
            pieces[-1].append(line)
    return [b"\n".join(piece) for piece in pieces]
