"""DKIM signatures (RFC 6376) with RSA (RFC 8301) and Ed25519 (RFC 8463) keys, and the DNS records to publish for them.

Headers are canonicalised as relaxed, the body as simple: what is signed here leaves as quoted-printable lines of 76
characters at most, which relays do not refold, and hashing a body of 50 KB as it is takes 30 us, where relaxing its
white space first takes more than 1,000.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

if TYPE_CHECKING:
    from hashlib import _Hash

LIFETIME = 7 * 86_400
"""Seconds that a signature is valid (x=): longer than any queue keeps a message, short against replay."""

SIGNED = (
    *("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
    *("list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id"),
)
"""Headers to sign, each named once more than it is there, so that nobody can add another (RFC 6376 section 8.15).

RFC 8058 section 4 wants both unsubscribe headers signed. A relay that adds one of these itself (Amazon SES does with
Feedback-ID when it is absent) must do the signing in our place.
"""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?").fullmatch
_WHITE_SPACE = re.compile(rb"[ \t\r\n]+")
_MIN_RSA_BITS = 1024  # RFC 8301 section 3.2: verifiers must not take less
_RSA_BITS = 2048
_PADDING, _SHA256 = PKCS1v15(), hashes.SHA256()
_DNS_STRING = 255


class KeyKind(StrEnum):
    """The kinds of keys. Publish RSA in any case: not every receiver verifies Ed25519."""

    RSA = "rsa"
    ED25519 = "ed25519"


class UnusableKey(ValueError):
    """A private key that DKIM cannot use, or a domain or selector that is not a name."""


class Digest(NamedTuple):
    """What keys sign: the h= list as on the wire, the signed headers in canonical form, the body hash in base64."""

    names: bytes
    headers: bytes
    body_hash: bytes


class Signer:
    """Signs for one domain with one key.

    `clock` gives the seconds since 1970 for t= and x=. Raises UnusableKey for a PEM that is no RSA key of at least
    1024 bits and no Ed25519 key, or for names that would not be safe in a header.
    """

    def __init__(
        self, domain: str, selector: str, private_key_pem: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        if not (_NAME(domain) and _NAME(selector)):
            raise UnusableKey(f"{selector!r} in {domain!r} is no name; a domain must be given in its ASCII form")
        self._key = _load(private_key_pem)
        self._clock = clock
        kind = "rsa" if isinstance(self._key, RSAPrivateKey) else "ed25519"
        self._start = f"v=1; a={kind}-sha256; c=relaxed/simple;\r\n d={domain}; s={selector};".encode()

    def sign(self, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, hashed: _Hash | None = None) -> bytes:
        """The DKIM-Signature header, folded, without the last CRLF.

        `headers`: names and values in order, values as on the wire (folded or not). `body`: what follows the empty
        line, CRLF line ends, not dot-stuffed. `hashed`: a SHA-256 that has taken the beginning of the body already
        (it is copied, not changed); `body` is then the rest.
        """
        return self.seal(digest(headers, body, hashed=hashed))

    def seal(self, found: Digest) -> bytes:
        """The DKIM-Signature header for a digest."""
        now = int(self._clock())
        tags = b"%b%b t=%d; x=%d; bh=%b;" % (self._start, found.names, now, now + LIFETIME, found.body_hash)
        signature = base64.b64encode(self._sign(b"%bdkim-signature:%b b=" % (found.headers, _relaxed(tags))))
        folded = b"\r\n ".join([signature[at : at + 72] for at in range(0, len(signature), 72)])
        return b"DKIM-Signature: %b\r\n b=%b" % (tags.replace(b"; bh=", b";\r\n bh="), folded)

    def _sign(self, text: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(text, _PADDING, _SHA256)
        # RFC 8463 section 3: PureEdDSA over the SHA-256 hash.
        return self._key.sign(hashlib.sha256(text).digest())


class Signers:
    """Several signers over one message, such as RSA and Ed25519: its headers and body are digested once."""

    def __init__(self, *signers: Signer) -> None:
        self._signers = signers

    def sign(self, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, hashed: _Hash | None = None) -> bytes:
        """The DKIM-Signature headers, each folded, without the last CRLF."""
        found = digest(headers, body, hashed=hashed)
        return b"\r\n".join([signer.seal(found) for signer in self._signers])


def digest(headers: Sequence[tuple[bytes, bytes]], body: bytes, *, hashed: _Hash | None = None) -> Digest:
    """Canonicalise and hash a message (RFC 6376 section 3.7); arguments as for `Signer.sign`."""
    names, order = _plan(tuple([name for name, _ in headers]))
    lines = [b"%b:%b\r\n" % (name, _relaxed(headers[at][1])) for name, at in order]
    hashing = hashed.copy() if hashed is not None else hashlib.sha256()
    hashing.update(_without_empty_end(body))
    return Digest(names, b"".join(lines), base64.b64encode(hashing.digest()))


@lru_cache(maxsize=256)
def _plan(present: tuple[bytes, ...]) -> tuple[bytes, tuple[tuple[bytes, int], ...]]:
    """The h= tag for these header names, and which headers it means: the last of a name first."""
    lower = [name.strip().lower() for name in present]
    order = [(name, at) for name in (n.encode() for n in SIGNED) for at in _places(lower, name)]
    listed: list[bytes] = []
    for name in (n.encode() for n in SIGNED):
        listed += [name] * (lower.count(name) + 1)
    return b"\r\n h=" + _folded(listed) + b";\r\n", tuple(order)


def _places(names: list[bytes], name: bytes) -> list[int]:
    return [at for at in reversed(range(len(names))) if names[at] == name]


def _folded(names: list[bytes]) -> bytes:
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) > 70:
            lines.append(b"")
        lines[-1] += name + b":"
    return b"\r\n  ".join(lines).removesuffix(b":")


def _relaxed(value: bytes) -> bytes:
    """Relaxed canonical form (RFC 6376 section 3.4.2): unfolded, runs of white space as one space, none at the ends."""
    if b"\n" in value or b"\t" in value or b"  " in value:
        value = _WHITE_SPACE.sub(b" ", value)
    return value.strip(b" ")


def _without_empty_end(body: bytes) -> bytes:
    """Simple canonical form (RFC 6376 section 3.4.3): one CRLF at the end, of however many empty lines."""
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    return body if body.endswith(b"\r\n") else body + b"\r\n"


# Keys and their DNS records


def generate_key(kind: KeyKind) -> tuple[str, str]:
    """A new private key (PEM, PKCS 8, to be kept encrypted) and the value of the TXT record to publish."""
    key: RSAPrivateKey | Ed25519PrivateKey
    if kind is KeyKind.RSA:
        key = generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    else:
        key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, dns_record(pem)


def dns_record(private_key_pem: str) -> str:
    """The value of the TXT record at {selector}._domainkey.{domain} for a private key (RFC 6376 section 3.6.1)."""
    key = _load(private_key_pem)
    if isinstance(key, RSAPrivateKey):
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(key.public_key().public_bytes_raw()).decode()}"


def dns_strings(record: str) -> list[str]:
    """A record's value in strings of at most 255 characters, which TXT records consist of (RFC 1035 section 3.3.14)."""
    return [record[at : at + _DNS_STRING] for at in range(0, len(record), _DNS_STRING)]


def _load(pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey(f"the private key cannot be read: {error}") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise UnusableKey("DKIM has no use for a key of this kind; it takes RSA and Ed25519")
    if key.key_size < _MIN_RSA_BITS:
        raise UnusableKey(f"an RSA key of {key.key_size} bits is too short; 2048 is usual")
    return key
