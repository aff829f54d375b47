"""What makes two spellings one person, and what is no address."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.addresses import Address, AddressProblem, address_key, normalise_address

LOCAL = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
DOMAIN = st.from_regex(r"[a-zA-Z0-9]{1,10}(-[a-z0-9]{1,5})?\.[a-zA-Z]{2,6}", fullmatch=True)
ADDRESS = st.builds("{}@{}".format, LOCAL, DOMAIN)


def good(raw: str) -> Address:
    """The address, or the reason as a failure."""
    found = normalise_address(raw)
    assert isinstance(found, Address), found
    return found


@pytest.mark.parametrize(
    ("raw", "email", "address"),
    [
        ("Alice@Example.COM", "Alice@Example.COM", "alice@example.com"),
        ("  alice@example.com\n", "alice@example.com", "alice@example.com"),
        ("\ufeffalice@example.com\u200b", "alice@example.com", "alice@example.com"),
        ('"Smith, Alice" <Alice@example.com>', "Alice@example.com", "alice@example.com"),
        ("mailto:alice@example.com", "alice@example.com", "alice@example.com"),
        ("a.l.i.c.e+news@gmail.com", "a.l.i.c.e+news@gmail.com", "a.l.i.c.e+news@gmail.com"),
        ("user@MÜNCHEN.de", "user@MÜNCHEN.de", "user@xn--mnchen-3ya.de"),
        ("user@XN--MNCHEN-3YA.de", "user@XN--MNCHEN-3YA.de", "user@xn--mnchen-3ya.de"),
        ("用户@例子.公司", "用户@例子.公司", "用户@xn--fsqu00a.xn--55qx5d"),
        ("ａｌｉｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "alice@example.com", "alice@example.com"),
        ("alice@例子。公司", "alice@例子。公司", "alice@xn--fsqu00a.xn--55qx5d"),
        ("José@example.com", "José@example.com", "josé@example.com"),
        ("Jose\u0301@example.com", "José@example.com", "josé@example.com"),
        ("\u212aelvin@example.com", "Kelvin@example.com", "kelvin@example.com"),
    ],
)
def test_spellings_of_one_person(raw: str, email: str, address: str) -> None:
    found = good(raw)
    assert (found.email, found.address, found.domain) == (email, address, address.rpartition("@")[2])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("", "empty"),
        (" ", "empty"),
        ("alice", "name@example.com"),
        ("@example.com", "name@example.com"),
        ("alice@", "name@example.com"),
        ("alice@example", "no dot"),
        ("alice@@example.com", "more than one @"),
        (".alice@example.com", "dot"),
        ("al..ice@example.com", "dot"),
        ("al ice@example.com", "character"),
        ("al\u200bice@example.com", "character"),
        ("alice\r\nBcc: x@example.com", "character"),
        ("alice,bob@example.com", "character"),
        ('"al ice"@example.com', "Quoted"),
        ("alice@-example.com", "not a domain"),
        ("alice@exa_mple.com", "not a domain"),
        ("alice@192.168.0.1", "not a domain"),
        ("alice@[192.168.0.1]", "IP address"),
        (f"{'a' * 65}@example.com", "64 bytes"),
        (f"{'é' * 33}@example.com", "64 bytes"),
        (f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 20}.com", "254 bytes"),
    ],
)
def test_what_is_no_address_and_why(raw: str, words: str) -> None:
    found = normalise_address(raw)
    assert isinstance(found, AddressProblem), found
    assert words in found.reason


def test_the_key_is_the_first_half_of_sha_256() -> None:
    assert good("ALICE@example.com").key == UUID("ff8d9819fc0e12bf0d24892e45987e24")


@given(ADDRESS)
def test_normalising_twice_is_normalising_once(raw: str) -> None:
    once = good(raw)
    twice = good(once.address)
    assert (twice.address, twice.key) == (once.address, once.key)


@given(ADDRESS)
def test_case_and_space_and_display_names_make_no_other_person(raw: str) -> None:
    key = good(raw).key
    assert {good(text).key for text in (raw.upper(), raw.lower(), f" {raw}\t", f"Alice <{raw}>")} == {key}


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_has_a_reason(raw: str) -> None:
    found = normalise_address(raw)
    if isinstance(found, AddressProblem):
        assert found.reason.endswith(".")
    else:
        again = good(found.address)
        assert (again.address, again.domain) == (found.address, found.domain)
        assert found.address.isprintable()
        assert found.key == address_key(found.address)


@given(st.text(min_size=1, max_size=30), DOMAIN)
def test_any_local_part_is_stable(local: str, domain: str) -> None:
    found = normalise_address(f"{local}@{domain}")
    if isinstance(found, Address):
        assert good(found.address).address == found.address
        assert found.domain.isascii()
