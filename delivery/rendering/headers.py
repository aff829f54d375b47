"""Header values per RFC 5322, RFC 2047 and RFC 6532: clean, folded, encoded where they must be."""

from __future__ import annotations

import base64
import re
from functools import lru_cache

import idna

MAX_LINE = 76
_MAX_WORD = 75  # RFC 2047 section 2: an encoded word has at most 75 characters
_FRAME = len("=?utf-8?q?") + len("?=")

_UNCLEAN = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_CLEAN_LINE = re.compile(r"[!-~]+(?: [!-~]+)*+").fullmatch
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*+").fullmatch
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+").fullmatch
_UNSAFE_IN_ADDRESS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029<>]+")
# RFC 2047 section 5 (3): what may stand for itself in an encoded word inside a phrase.
_Q_LITERAL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def clean(text: str) -> str:
    """The text on one line: runs of white space and control characters become one space, none at the ends."""
    return _UNCLEAN.sub(" ", text).strip()


def encode_text(text: str, column: int) -> bytes:
    """An unstructured value such as a subject, folded; `column` is where it starts on its line."""
    if len(text) + column <= MAX_LINE and _CLEAN_LINE(text) and "=?" not in text:
        return text.encode()
    value = clean(text)
    if value.isascii() and "=?" not in value:
        folded = _folded(value, column)
        if folded is not None:
            return folded
    return _encoded_words(value, column)


def encode_phrase(name: str, column: int = 4) -> bytes:
    """A display name as RFC 5322 section 3.2.5 wants it: atoms, a quoted string or encoded words."""
    if len(name) + column <= MAX_LINE - 2 and _ATOMS(name) and "=?" not in name:
        return name.encode()
    value = clean(name)
    short = value.isascii() and "=?" not in value and len(value) + column <= MAX_LINE - 2
    if short and (not value or _ATOMS(value)):
        return value.encode()
    if short:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'.encode()
    return _encoded_words(value, column)


def mailbox(name: str, address: str, column: int = 4) -> bytes:
    """`Name <address>`, folded before the address where the line would be long."""
    return _joined(encode_phrase(name, column), wire_address(address).encode(), column)


def wire_address(address: str) -> str:
    """An address as it goes on the wire: no control characters or angle brackets, the domain in A-labels (RFC 5891)."""
    if _PLAIN_ADDRESS(address):
        return address
    local, _, domain = _UNSAFE_IN_ADDRESS.sub("", address).strip().rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def needs_smtputf8(address: str) -> bool:
    """Whether an address can only be sent with SMTPUTF8: its local part is not ASCII (RFC 6531)."""
    return not address.rpartition("@")[0].isascii()


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """The domain in A-labels; one that IDNA cannot encode comes back as it is, for the server to refuse."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain


class EncodedTexts(dict[str, bytes]):
    """Encoded forms of unstructured values by value; `column` is where they start. Forgets all at `max_entries`."""

    __slots__ = ("_column", "_max_entries")

    def __init__(self, *, column: int, max_entries: int = 4096) -> None:
        super().__init__()
        self._column = column
        self._max_entries = max_entries

    def __missing__(self, value: str) -> bytes:
        if len(self) >= self._max_entries:
            self.clear()
        self[value] = encoded = encode_text(value, self._column)
        return encoded


class Mailboxes:
    """Encodes `To` mailboxes; display names come again and are remembered, addresses are not."""

    def __init__(self, *, max_entries: int = 4096) -> None:
        self._phrases: dict[str, bytes] = {}
        self._max_entries = max_entries

    def encoded(self, name: str, address: str) -> bytes:
        """The same as `mailbox`."""
        phrase = self._phrases.get(name)
        if phrase is None:
            phrase = encode_phrase(name)
            if len(self._phrases) >= self._max_entries:
                self._phrases.clear()
            self._phrases[name] = phrase
        return _joined(phrase, wire_address(address).encode(), 4)


def _joined(phrase: bytes, wire: bytes, column: int) -> bytes:
    if not phrase:
        return wire
    last_line = len(phrase) + column if b"\n" not in phrase else len(phrase) - phrase.rfind(b"\n") - 1
    gap = b" <" if last_line + len(wire) + 3 <= MAX_LINE else b"\r\n <"
    return phrase + gap + wire + b">"


def _folded(value: str, column: int) -> bytes | None:
    if len(value) + column <= MAX_LINE:
        return value.encode()
    lines = [""]
    room = MAX_LINE - column
    for word in value.split(" "):
        if len(word) > MAX_LINE - 1:
            return None
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
            room = MAX_LINE - 1
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\r\n ".join(lines).encode()


def _encoded_words(value: str, column: int) -> bytes:
    data = value.encode("utf-8", "replace")
    q_length = sum(1 if byte in _Q_LITERAL or byte == 32 else 3 for byte in data)
    use_q = q_length <= 4 * len(data) / 3
    words: list[bytes] = []
    chunk = b""
    room = min(_MAX_WORD, MAX_LINE - column)
    for character in value:
        piece = character.encode("utf-8", "replace")
        if chunk and _word_length(chunk + piece, use_q=use_q) > room:
            words.append(_word(chunk, use_q=use_q))
            chunk, room = b"", _MAX_WORD
        chunk += piece
    words.append(_word(chunk, use_q=use_q))
    return b"\r\n ".join(words)


def _word_length(data: bytes, *, use_q: bool) -> int:
    if use_q:
        return _FRAME + sum(1 if byte in _Q_LITERAL or byte == 32 else 3 for byte in data)
    return _FRAME + (len(data) + 2) // 3 * 4


def _word(data: bytes, *, use_q: bool) -> bytes:
    if not use_q:
        return b"=?utf-8?b?" + base64.b64encode(data) + b"?="
    quoted = "".join(chr(byte) if byte in _Q_LITERAL else "_" if byte == 32 else f"={byte:02X}" for byte in data)
    return b"=?utf-8?q?" + quoted.encode() + b"?="
