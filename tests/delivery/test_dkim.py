"""DKIM signatures, verified by dkimpy."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from functools import lru_cache

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from delivery.dkim import LIFETIME, KeyKind, Signer, Signers, UnusableKey, dns_record, dns_strings, generate_key

BOTH = [KeyKind.RSA, KeyKind.ED25519]
HEADERS = [
    (b"From", b"=?utf-8?q?Caf=C3=A9_Fan?= <news@news.brand.example>"),
    (b"To", b'"Bob  Two  Spaces" <bob@there.example>'),
    (b"Subject", b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_an_alle?="),
    (b"Date", b"Thu, 01 Jan 2026 00:00:00 +0000"),
    (b"Message-ID", b"<0f@news.brand.example>"),
    (b"Reply-To", b"help@brand.example"),
    (b"List-Unsubscribe", b"<https://go.brand.example/u/TOKEN>,\r\n\t<mailto:u+0f@brand.example>"),
    (b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"),
    (b"List-ID", b'"Brand news" <news.12.brand.example>'),
    (b"Feedback-ID", b"c1:l1:brand:fanfare"),
    (b"MIME-Version", b"1.0"),
    (b"Content-Type", b'multipart/alternative;\r\n boundary="=_x"'),
    (b"X-Mailer", b"Fanfare"),
]
BODY = b"--=_x\r\nContent-Type: text/plain\r\n\r\nHello =C3=A9\r\n.leading dot\r\n..two\r\n  spaces  \r\n--=_x--\r\n"


@lru_cache
def key(kind: KeyKind) -> tuple[str, str]:
    """One key of each kind for all tests; RSA takes 0.1 s to make."""
    return generate_key(kind)


def signer(kind: KeyKind, at: float | None = None) -> Signer:
    """A signer for brand.example whose selector is the kind."""
    return Signer("news.brand.example", kind.value, key(kind)[0], clock=(lambda: at) if at else time.time)


def message(signatures: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The message as it is sent."""
    return b"".join([signatures, b"\r\n", *(b"%b: %b\r\n" % header for header in headers), b"\r\n", body])


def is_verified(raw: bytes, which: int = 0) -> bool:
    """Whether dkimpy verifies signature number `which`, with the record that we publish."""

    def lookup(name: bytes, timeout: int = 5) -> bytes:
        kind = KeyKind(name.decode().partition(".")[0])
        assert name == f"{kind.value}._domainkey.news.brand.example.".encode()
        return dns_record(key(kind)[0]).encode()

    try:
        return bool(dkim.DKIM(raw).verify(idx=which, dnsfunc=lookup))
    except dkim.DKIMException:
        return False


def tags(signature: bytes) -> dict[str, str]:
    """The tags of a signature, without white space."""
    text = re.sub(rb"\s+", b"", signature.partition(b":")[2]).decode()
    return dict(tag.split("=", 1) for tag in text.split(";") if tag)


@pytest.mark.parametrize("kind", BOTH)
def test_dkimpy_verifies_a_newsletter(kind: KeyKind) -> None:
    assert is_verified(message(signer(kind).sign(HEADERS, BODY), HEADERS, BODY))


def test_both_signatures_of_one_message_verify() -> None:
    signatures = Signers(signer(KeyKind.RSA), signer(KeyKind.ED25519)).sign(HEADERS, BODY)
    assert signatures.count(b"DKIM-Signature: ") == 2
    raw = message(signatures, HEADERS, BODY)
    assert [is_verified(raw, 0), is_verified(raw, 1)] == [True, True]


@pytest.mark.parametrize("kind", BOTH)
def test_a_change_breaks_the_signature(kind: KeyKind) -> None:
    raw = message(signer(kind).sign(HEADERS, BODY), HEADERS, BODY)
    assert not is_verified(raw.replace(b"Hello", b"Hallo"))
    assert not is_verified(raw.replace(b"TOKEN", b"OTHER"))
    assert not is_verified(raw.replace(b"One-Click", b"Two-Click"))
    assert not is_verified(raw.replace(b"c1:l1", b"c2:l1"))


@pytest.mark.parametrize(
    "name",
    [
        *("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"),
        *("List-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"),
    ],
)
def test_nobody_can_add_another_of_a_signed_header(name: str) -> None:
    raw = message(signer(KeyKind.ED25519).sign(HEADERS, BODY), HEADERS, BODY)
    assert is_verified(b"X-Relay: here\r\n" + raw)
    assert not is_verified(name.encode() + b": added\r\n" + raw)
    # RFC 6376 section 5.4.2: instances are taken from the bottom, so below is as bad as above.
    assert not is_verified(raw.replace(b"X-Mailer: Fanfare\r\n", name.encode() + b": added\r\n"))


def test_a_header_that_is_absent_cannot_be_added_either() -> None:
    headers = [header for header in HEADERS if header[0] not in (b"Reply-To", b"List-Unsubscribe")]
    raw = message(signer(KeyKind.ED25519).sign(headers, BODY), headers, BODY)
    assert is_verified(raw)
    assert not is_verified(b"Reply-To: thief@elsewhere.example\r\n" + raw)


def test_the_tags_say_what_was_done() -> None:
    found = tags(signer(KeyKind.RSA, at=1767225600.9).sign(HEADERS, BODY))
    assert {name: found[name] for name in "vacdstx"} == {
        "v": "1",
        "a": "rsa-sha256",
        "c": "relaxed/simple",
        "d": "news.brand.example",
        "s": "rsa",
        "t": "1767225600",
        "x": str(1767225600 + LIFETIME),
    }
    assert "l" not in found
    assert found["h"].split(":").count("list-unsubscribe-post") == 2
    assert found["h"].split(":").count("from") == 2
    assert base64.b64decode(found["bh"]) == hashlib.sha256(BODY).digest()
    assert tags(signer(KeyKind.ED25519).sign(HEADERS, BODY))["a"] == "ed25519-sha256"
    assert LIFETIME == 604_800


@pytest.mark.parametrize("kind", BOTH)
def test_the_header_is_folded_to_lines_of_78_characters(kind: KeyKind) -> None:
    lines = signer(kind).sign(HEADERS, BODY).split(b"\r\n")
    assert max(len(line) for line in lines) <= 78
    assert all(line.startswith(b" ") for line in lines[1:])
    assert lines[-1].strip()


@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"\r\n\r\n\r\n", b"no line end", b"end\r\n\r\n\r\n", b" \r\n", b"a\r\n \r\n\r\n", b"\r\nstart\r\n"],
)
def test_odd_bodies_verify(body: bytes) -> None:
    assert is_verified(message(signer(KeyKind.ED25519).sign(HEADERS, body), HEADERS, body))


def test_the_signature_is_over_the_body_before_dot_stuffing() -> None:
    signature = signer(KeyKind.ED25519).sign(HEADERS, BODY)
    stuffed = message(signature, HEADERS, BODY).replace(b"\r\n.", b"\r\n..")
    assert not is_verified(stuffed)
    assert is_verified(stuffed.replace(b"\r\n..", b"\r\n."))


@pytest.mark.parametrize("cut", [0, 1, 40, len(BODY)])
def test_a_body_whose_beginning_was_hashed_before_gives_the_same_signature(cut: int) -> None:
    before = hashlib.sha256(BODY[:cut])
    whole = signer(KeyKind.ED25519, at=1.0).sign(HEADERS, BODY)
    if cut < len(BODY):
        assert signer(KeyKind.ED25519, at=1.0).sign(HEADERS, BODY[cut:], hashed=before) == whole
        assert before.digest() == hashlib.sha256(BODY[:cut]).digest()


NAMES = st.sampled_from([b"From", b"TO", b"subject", b"X-Other", b"List-ID", b"Received", b"Content-Type"])
VALUES = st.text("aB é:;=?.,<>\t", max_size=30).map(lambda text: text.encode())
FOLDS = st.sampled_from([b"", b"\r\n ", b"\r\n\t", b" \r\n  "])


@settings(deadline=None)
@example([(b"To", b"x\r\n\ty")], b".\r\n..\r\n")
@given(
    st.lists(st.tuples(NAMES, st.builds(lambda a, fold, b: a + fold + b + b"x", VALUES, FOLDS, VALUES)), max_size=8),
    st.text("ab .é\r\n", max_size=60).map(lambda text: text.replace("\r", "").replace("\n", "\r\n").encode()),
)
def test_whatever_headers_and_body_the_signature_verifies(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    whole = [(b"From", b"a@news.brand.example"), *headers]
    assert is_verified(message(signer(KeyKind.ED25519).sign(whole, body), whole, body))


# Keys


def test_the_published_record_is_that_of_the_key() -> None:
    for kind in BOTH:
        pem, record = generate_key(kind)
        assert record == dns_record(pem)
        assert record.startswith(f"v=DKIM1; k={kind.value}; p=")
    raw = base64.b64decode(key(KeyKind.ED25519)[1].rpartition("p=")[2])
    assert len(raw) == 32
    loaded = serialization.load_der_public_key(base64.b64decode(key(KeyKind.RSA)[1].rpartition("p=")[2]))
    assert isinstance(loaded, rsa.RSAPublicKey)
    assert loaded.key_size == 2048


def test_a_long_record_is_cut_into_strings_of_255() -> None:
    record = key(KeyKind.RSA)[1]
    strings = dns_strings(record)
    assert [len(part) for part in strings] == [255, len(record) - 255]
    assert "".join(strings) == record
    assert dns_strings(key(KeyKind.ED25519)[1]) == [key(KeyKind.ED25519)[1]]


def pem_of(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A key as PEM."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.private_bytes(*form).decode()


def short_rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key of 648 bits, made of two Mersenne primes."""
    p, q, e = 2**127 - 1, 2**521 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def test_keys_that_dkim_cannot_use_are_told_as_such() -> None:
    with pytest.raises(UnusableKey, match="cannot be read"):
        Signer("brand.example", "s1", "nonsense")
    with pytest.raises(UnusableKey, match="an RSA key of 648 bits is too short"):
        Signer("brand.example", "s1", pem_of(short_rsa_key()))
    with pytest.raises(UnusableKey, match="it takes RSA and Ed25519"):
        Signer("brand.example", "s1", pem_of(ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize("name", ["", "brand.example;", "a b", "a\r\nX: y", "brañd.example", "-x", "x."])
def test_a_name_that_would_break_the_header_is_refused(name: str) -> None:
    for domain, selector in ((name, "s1"), ("brand.example", name)):
        with pytest.raises(UnusableKey, match="is no name"):
            Signer(domain, selector, key(KeyKind.ED25519)[0])
