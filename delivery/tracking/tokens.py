"""Signed tokens that name a message: one AES block per message, no lookup needed to read one.

The 16-byte block holds campaign id (4 bytes), contact id (5 bytes) and 7 zero bytes, encrypted with AES-256. A forged
token decrypts to 56 zero bits with a chance of 2**-56; ids cannot be read from it. Encrypting 1,000 tokens is one call.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ZEROS = bytes(7)
URL_LENGTH = 22
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
MAIL_LENGTH = 32


def derive_key(secret: str, purpose: bytes) -> bytes:
    """32 bytes for one purpose out of the installation's secret (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"fanfare " + purpose).derive(secret.encode())


@dataclass(frozen=True, slots=True)
class MessageRef:
    """What a token names."""

    campaign_id: int
    contact_id: int


class TokenMaker:
    """Makes and reads tokens with one key; safe to share between threads."""

    def __init__(self, secret: str) -> None:
        # ECB of single blocks is a pseudo-random permutation of the block; the zeros authenticate it.
        self._cipher = Cipher(algorithms.AES(derive_key(secret, b"message token v1")), modes.ECB())  # noqa: S305

    def blocks(self, campaign_id: int, contact_ids: Iterable[int]) -> list[bytes]:
        """The 16-byte blocks of many messages of one campaign, in order."""
        head = campaign_id.to_bytes(4, "big")
        plain = b"".join([head + contact_id.to_bytes(5, "big") + _ZEROS for contact_id in contact_ids])
        encryptor = self._cipher.encryptor()
        joined = encryptor.update(plain) + encryptor.finalize()
        return [joined[i : i + 16] for i in range(0, len(joined), 16)]

    def make(self, campaign_id: int, contact_id: int) -> str:
        """The URL form for one message."""
        return url_form(self.blocks(campaign_id, [contact_id])[0])

    def read(self, token: str) -> MessageRef | None:
        """The message behind a token in URL or mail form, or None when it was not made with this key."""
        block = _block_of(token)
        if block is None:
            return None
        decryptor = self._cipher.decryptor()
        plain = decryptor.update(block) + decryptor.finalize()
        if plain[9:] != _ZEROS:
            return None
        return MessageRef(int.from_bytes(plain[:4], "big"), int.from_bytes(plain[4:9], "big"))


def url_form(block: bytes) -> str:
    """22 characters of unpadded base64url (RFC 4648 section 5)."""
    return binascii.b2a_base64(block, newline=False)[:URL_LENGTH].translate(_URL_SAFE).decode()


def mail_form(block: bytes) -> str:
    """32 hex digits: local parts may be lower-cased on their way."""
    return block.hex()


def _block_of(token: str) -> bytes | None:
    try:
        if len(token) == MAIL_LENGTH:
            return bytes.fromhex(token)
        if len(token) == URL_LENGTH:
            block = base64.b64decode(token.encode() + b"==", altchars=b"-_", validate=True)
            # The last character carries 4 unused bits: only the canonical spelling is accepted.
            return block if url_form(block) == token else None
    except (ValueError, binascii.Error):
        pass
    return None
