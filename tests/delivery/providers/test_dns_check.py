"""What a sending domain's records say about a route, asked of a real name server on loopback."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from delivery.providers.dns_check import Finding, Level, Record, Sending, check_domain, is_aligned, is_ready
from tests.delivery.providers.name_server import Zone, serving


def key(bits: int) -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


KEY, SHORT_KEY = key(2048), key(1024)
SENDING = Sending(
    from_domain="news.shop.example",
    return_path_domain="b.shop.example",
    spf_includes=("relay.example",),
    dkim_domain="shop.example",
    dkim_selector="f1",
    dkim_public_key=KEY,
    bounce_host="mx.shop.example",
    own_ips=("198.51.100.7",),
)


def txt(*strings: str) -> list[str]:
    """One TXT record per string, cut into the 255 octets that a string of DNS may have."""
    return [" ".join(f'"{text[i : i + 255]}"' for i in range(0, len(text), 255)) for text in strings]


GOOD: Zone = {
    ("b.shop.example", "TXT"): txt("unrelated", "v=spf1 include:relay.example ip4:198.51.100.0/28 ~all"),
    ("relay.example", "TXT"): txt("v=spf1 ip4:192.0.2.0/24 include:more.example -all"),
    ("more.example", "TXT"): txt("v=spf1 ip6:2001:db8::/32 a -all"),
    ("f1._domainkey.shop.example", "TXT"): txt(f"v=DKIM1; k=rsa; p={KEY}"),
    ("_dmarc.shop.example", "TXT"): txt("v=DMARC1; p=reject; rua=mailto:d@shop.example"),
    ("b.shop.example", "MX"): ["10 mx.shop.example."],
    ("7.100.51.198.in-addr.arpa", "PTR"): ["out.shop.example."],
    ("out.shop.example", "A"): ["198.51.100.7"],
}


def findings(zone: Zone, sending: Sending = SENDING) -> list[Finding]:
    with serving(zone) as lookup:
        return check_domain(sending, lookup)


def about(topic: str, changes: Mapping[tuple[str, str], list[str]], sending: Sending = SENDING) -> list[Finding]:
    zone = {name: records for name, records in {**GOOD, **changes}.items() if records}
    return [finding for finding in findings(zone, sending) if finding.topic == topic]


def test_a_domain_that_is_in_order_is_ready() -> None:
    found = findings(GOOD)
    assert [(finding.topic, finding.level) for finding in found] == [
        ("SPF", Level.OK),
        ("DKIM", Level.OK),
        ("DMARC", Level.OK),
        ("MX", Level.OK),
        ("PTR", Level.OK),
    ]
    assert [finding.words for finding in found] == [
        "b.shop.example allows this route, with 3 of 10 lookups.",
        "The DKIM key at f1._domainkey.shop.example is live.",
        "DMARC of shop.example is live (p=reject); aligned by SPF and DKIM.",
        "b.shop.example takes mail at mx.shop.example.",
        "198.51.100.7 is out.shop.example, and out.shop.example is 198.51.100.7.",
    ]
    assert is_ready(found)


def test_a_domain_with_nothing_is_told_what_to_publish() -> None:
    found = findings({("shop.example", "A"): ["192.0.2.1"]})
    assert [finding.publish for finding in found if finding.publish] == [
        Record("b.shop.example", "TXT", "v=spf1 include:relay.example ip4:198.51.100.7 ~all"),
        Record("f1._domainkey.shop.example", "TXT", f"v=DKIM1; k=rsa; p={KEY}"),
        Record("_dmarc.news.shop.example", "TXT", "v=DMARC1; p=none; rua=mailto:dmarc@news.shop.example"),
        Record("b.shop.example", "MX", "10 mx.shop.example"),
    ]
    assert not is_ready(found)


def test_a_name_server_that_does_not_answer_is_no_failure_of_the_domain() -> None:
    broken = Sending(from_domain="broken.example", dkim_selector="f1", own_ips=("198.51.100.7",))
    found = findings(GOOD, broken)
    assert [(finding.topic, finding.level) for finding in found] == [
        ("SPF", Level.UNKNOWN),
        ("DKIM", Level.UNKNOWN),
        ("DMARC", Level.UNKNOWN),
        ("MX", Level.UNKNOWN),
        ("PTR", Level.OK),
    ]
    assert not is_ready(found)


SPF = ("b.shop.example", "TXT")


@pytest.mark.parametrize(
    ("records", "words", "publish"),
    [
        (
            ["v=spf1 include:other.example -all"],
            "The SPF record of b.shop.example does not allow this route: include:relay.example, 198.51.100.7.",
            "v=spf1 include:relay.example ip4:198.51.100.7 include:other.example -all",
        ),
        (
            ["v=spf1 include:relay.example ip4:203.0.113.0/24 -all"],
            "The SPF record of b.shop.example does not allow this route: 198.51.100.7.",
            "v=spf1 ip4:198.51.100.7 include:relay.example ip4:203.0.113.0/24 -all",
        ),
        (
            ["v=spf1 include:relay.example -all", "v=spf1 mx -all"],
            "b.shop.example has 2 SPF records; receivers then treat SPF as broken. Keep one.",
            "v=spf1 ip4:198.51.100.7 include:relay.example mx ~all",
        ),
    ],
)
def test_an_spf_record_that_lacks_the_route_is_mended(records: list[str], words: str, publish: str) -> None:
    changes = {SPF: txt(*records), ("other.example", "TXT"): txt("v=spf1 -all")}
    finding = about("SPF", changes)[0]
    assert (finding.level, finding.words) == (Level.FAILURE, words)
    assert finding.publish == Record("b.shop.example", "TXT", publish)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=spf1 include:relay.example ip4:198.51.100.7 +all", "ends with +all: it allows everybody"),
        (
            "v=spf1 include:relay.example ip4:198.51.100.7 include:gone.example -all",
            "gone.example, which is included, has no SPF",
        ),
        ("v=spf1 include:relay.example ip4:198.51.100.7 ipv4:1.2.3.4 -all", "ipv4:1.2.3.4 is not a mechanism"),
        ("v=spf1 include:relay.example ip4:198.51.100.7 ip4:300.1.1.1 -all", "ip4:300.1.1.1 is not an address"),
        ("v=spf1 include:relay.example ip4:198.51.100.7 include:loop.example -all", "in a circle"),
        (
            "v=spf1 include:relay.example ip4:198.51.100.7 " + "a:x.example " * 8 + "-all",
            "needs 11 lookups; receivers stop at 10",
        ),
    ],
)
def test_an_spf_record_that_is_wrong_is_explained(record: str, words: str) -> None:
    changes = {SPF: txt(record), ("loop.example", "TXT"): txt("v=spf1 include:loop.example -all")}
    found = about("SPF", changes)
    assert any(finding.level is Level.FAILURE and words in finding.words for finding in found)


def test_what_a_redirect_leads_to_counts() -> None:
    changes = {
        SPF: txt("v=spf1 redirect=all.example"),
        ("all.example", "TXT"): txt("v=spf1 include:relay.example ip4:198.51.100.7 -all"),
    }
    assert [finding.words for finding in about("SPF", changes)] == [
        "b.shop.example allows this route, with 4 of 10 lookups."
    ]


DKIM = ("f1._domainkey.shop.example", "TXT")


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([], Level.FAILURE, "has no DKIM key"),
        (["v=DKIM1; p="], Level.FAILURE, "is revoked"),
        ([f"v=DKIM1; p={SHORT_KEY}"], Level.FAILURE, "is not the one that we sign with"),
        ([f"v=DKIM1; p={KEY}", f"v=DKIM1; p={SHORT_KEY}"], Level.FAILURE, "has 2 DKIM keys"),
        ([f"v=DKIM1; k=rsa; p={KEY[:200]} {KEY[200:]}"], Level.OK, "is live"),
    ],
)
def test_our_key_must_be_the_published_one(records: list[str], level: Level, words: str) -> None:
    found = about("DKIM", {DKIM: txt(*records)})
    assert [finding.level for finding in found] == [level]
    assert words in found[0].words


@pytest.mark.parametrize(
    ("published", "level", "words"),
    [
        (SHORT_KEY, Level.WARNING, "has 1024 bits; 2048 are advised"),
        ("bm90IGEga2V5", Level.FAILURE, "cannot be read"),
        ("not base64!", Level.FAILURE, "cannot be read"),
        (base64.b64encode(bytes(32)).decode(), Level.OK, "is live"),
    ],
)
def test_a_providers_key_is_weighed(published: str, level: Level, words: str) -> None:
    found = about("DKIM", {DKIM: txt(f"v=DKIM1; p={published}")}, replace(SENDING, dkim_public_key=""))
    assert [finding.level for finding in found] == [level]
    assert words in found[0].words


def test_an_unknown_selector_is_a_warning() -> None:
    found = about("DKIM", {}, replace(SENDING, dkim_selector=""))
    assert [finding.level for finding in found] == [Level.WARNING]


@pytest.mark.parametrize(
    ("policy", "sending", "levels"),
    [
        ("v=DMARC1; p=none", SENDING, [Level.OK, Level.WARNING]),
        ("v=DMARC1; p=reject; aspf=s; adkim=s", SENDING, [Level.FAILURE]),
        (
            "v=DMARC1; p=reject",
            replace(SENDING, return_path_domain="relay.example", dkim_domain="relay.example"),
            [Level.FAILURE],
        ),
        ("v=DMARC1; p=reject", replace(SENDING, return_path_domain="relay.example"), [Level.OK]),
    ],
)
def test_dmarc_wants_the_return_path_or_the_signature_aligned(
    policy: str, sending: Sending, levels: list[Level]
) -> None:
    changes = {("_dmarc.shop.example", "TXT"): txt(policy)}
    assert [finding.level for finding in about("DMARC", changes, sending)] == levels


@pytest.mark.parametrize(
    ("left", "right", "strict", "aligned"),
    [
        ("shop.example", "SHOP.example.", True, True),
        ("news.shop.example", "shop.example", True, False),
        ("news.shop.example", "b.shop.example", False, True),
        ("shop.co.uk", "other.co.uk", False, False),
        ("news.shop.co.uk", "shop.co.uk", False, True),
        ("shop.com.cn", "relay.com.cn", False, False),
        ("shop.example", "relay.example", False, False),
    ],
)
def test_alignment(left: str, right: str, strict: bool, aligned: bool) -> None:
    assert is_aligned(left, right, strict=strict) is aligned


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([], Level.FAILURE, "has no MX record"),
        (["0 ."], Level.FAILURE, "takes no mail (null MX"),
        (["10 elsewhere.example."], Level.WARNING, "bounces go elsewhere"),
        (["20 backup.example.", "10 MX.shop.example."], Level.OK, "takes mail"),
    ],
)
def test_bounces_must_find_their_way_back(records: list[str], level: Level, words: str) -> None:
    found = about("MX", {("b.shop.example", "MX"): records})
    assert [finding.level for finding in found] == [level]
    assert words in found[0].words


def test_an_address_needs_a_name_that_leads_back_to_it() -> None:
    changes: dict[tuple[str, str], list[str]] = {("out.shop.example", "A"): ["192.0.2.9"]}
    assert about("PTR", changes)[0].publish == Record("out.shop.example", "A", "198.51.100.7")
    nameless = about("PTR", {("7.100.51.198.in-addr.arpa", "PTR"): []})
    assert [finding.words for finding in nameless] == [
        "198.51.100.7 has no PTR record; ask the owner of the address for one."
    ]


def test_an_ipv6_address_is_looked_up_too() -> None:
    reverse = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    changes = {(reverse, "PTR"): ["out6.shop.example."], ("out6.shop.example", "AAAA"): ["2001:db8::7"]}
    found = about("PTR", changes, replace(SENDING, own_ips=("2001:db8::7",)))
    assert [finding.level for finding in found] == [Level.OK]
