"""Messages as bytes: their headers, their tokens, and what a hostile name or value cannot do."""

from __future__ import annotations

from collections.abc import Sequence

import dkim
import pytest

from campaigns.content.problems import RenderError
from delivery.dkim import KeyKind, Signer, dns_record, generate_key
from delivery.mime import MessageBuilder, needs_smtputf8
from delivery.tracking.links import dynamic_link_path
from tests.delivery.mime_samples import (
    DATE,
    MAIL_TOKEN,
    TOKEN,
    builder,
    built,
    check_wire,
    content,
    headers_of,
    parsed,
    parts_of,
    raw_header,
    recipient,
)


def test_the_whole_message_byte_by_byte() -> None:
    message = built(content(html='<a href="{% click 0 %}">{{ contact.nick }}</a>\n'), recipient(name="Zoe", nick="Z."))

    boundary = parsed(message).get_boundary()
    assert message.decode().split("\r\n") == [
        "From: Kiln & Co <news@news.kiln.example>",
        "To: Zoe <zoe@example.com>",
        "Subject: A subject",
        f"Date: {DATE}",
        f"Message-ID: <{MAIL_TOKEN}@news.kiln.example>",
        f"List-Unsubscribe: <https://go.kiln.example/u/{TOKEN}>,",
        f" <mailto:u+{MAIL_TOKEN}@bounce.kiln.example>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        'List-ID: "Letters" <list-7.kiln.news.kiln.example>',
        "Feedback-ID: 42:kiln:campaign:fanfare",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        f' boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Hello",
        "",
        f"--{boundary}",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        f'<a href=3D"https://go.kiln.example/c/{TOKEN}/0">=',
        "Z.=",
        "</a>",
        "",
        f"--{boundary}--",
        "",
    ]


def test_headers_that_are_not_set_are_left_out() -> None:
    message = built(content(), reply_to="", list_name="", unsubscribe_mailbox_domain="", from_name="")

    assert raw_header(message, "From") == "news@news.kiln.example"
    assert raw_header(message, "List-Unsubscribe") == f"<https://go.kiln.example/u/{TOKEN}>"
    assert raw_header(message, "List-ID") == "<list-7.kiln.news.kiln.example>"
    assert "Reply-To" not in parsed(message)


def test_a_reply_address_is_a_header() -> None:
    assert headers_of(built(content(), reply_to="team@kiln.example"))["Reply-To"] == "team@kiln.example"


@pytest.mark.parametrize(
    ("name", "address", "header"),
    [
        ("", "a@b.example", "a@b.example"),
        ("Ann Lee", "a@b.example", "Ann Lee <a@b.example>"),
        ("Lee, Ann (Ltd.)", "a@b.example", '"Lee, Ann (Ltd.)" <a@b.example>'),
        ('The "King" \\', "a@b.example", '"The \\"King\\" \\\\" <a@b.example>'),
        ("Zoë", "a@b.example", "=?utf-8?b?Wm/Dqw==?= <a@b.example>"),
        ("李雷", "a@b.example", "=?utf-8?b?5p2O6Zu3?= <a@b.example>"),
        ("=?utf-8?q?x?=", "a@b.example", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <a@b.example>"),
        ("Eve\r\nBcc: all@x.example", "a@b.example", '"Eve Bcc: all@x.example" <a@b.example>'),
        ("Eve\x00\u2028\x85", "a@b.example", "Eve <a@b.example>"),
        ("Ann", "a@bücher.example", "Ann <a@xn--bcher-kva.example>"),
        ("Ann", "ann\r\nBcc: x@y.example@b.example", "Ann <annBcc: x@y.example@b.example>"),
        ("Ann", "用户@例子.example", "Ann <用户@xn--fsqu00a.example>"),
    ],
)
def test_the_recipients_mailbox(name: str, address: str, header: str) -> None:
    assert raw_header(built(content(), recipient(address, name)), "To") == header


def test_a_long_mailbox_is_folded() -> None:
    message = built(content(), recipient("x" * 60 + "@example.com", "Ann of the Long Name"))

    assert b"\r\nTo: Ann of the Long Name\r\n <" + b"x" * 60 + b"@example.com>\r\n" in message


@pytest.mark.parametrize(
    ("subject", "name", "shown"),
    [
        ("Hi {{ contact.nick }}", "Zoë 🎉", "Hi Zoë 🎉"),
        ("Hi {{ contact.nick }}", "a\r\nBcc: b@c.example", "Hi a Bcc: b@c.example"),
        ("{% if contact.nick %}For {{ contact.nick | upcase }}{% endif %}", "ann", "For ANN"),
        ("{{ contact.nick }}", "word " * 50, ("word " * 50).strip()),
        ("{{ contact.nick }}", "x" * 500, "x" * 500),
        ("{{ contact.nick }}", "早上好" * 60, "早上好" * 60),
        ("{{ contact.nick }}", None, ""),
        ('<b> & "{{ contact.nick }}"', "<i>", '<b> & "<i>"'),
    ],
)
def test_subjects(subject: str, name: str | None, shown: str) -> None:
    message = built(content(subject=subject), recipient(name="x", nick=name))

    assert headers_of(message)["Subject"] == shown
    assert max(map(len, message.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78
    check_wire(message)


def test_tokens_are_in_every_address() -> None:
    page = "{% click 0 %} {% clickto 2 %}{{ contact.url }}{% endclickto %} {{ unsubscribe_url }} {{ preferences_url }}"
    message = built(
        content(text=page, html=f"{page}{{% openpixel %}}{{% honeypot %}}"), recipient(url="https://z.example/?q=ü")
    )

    path = dynamic_link_path(bytes(range(32)), 42, 2, "https://z.example/?q=%C3%BC")
    origin = "https://go.kiln.example"
    addresses = f"{origin}/c/{TOKEN}/0 {origin}/d/{TOKEN}/{path} {origin}/u/{TOKEN} {origin}/p/{TOKEN}"
    parts = parts_of(message)
    assert parts["text/plain"] == addresses
    assert parts["text/html"].startswith(f'{addresses}<img src="{origin}/o/{TOKEN}" width="1" height="1" alt=""')
    assert f'<a href="{origin}/h/{TOKEN}" tabindex="-1" aria-hidden="true"' in parts["text/html"]


def test_without_tracking_links_lead_straight_to_their_targets() -> None:
    page = "{% click 0 %} {% clickto 2 %}{{ contact.url }}{% endclickto %}{% openpixel %}{% honeypot %}"
    to = recipient(url="https://z.example/?q=1&r=2")

    message = built(content(html=page, text="{% click 0 %}"), to, track_clicks=False, track_opens=False)

    assert parts_of(message) == {
        "text/plain": "https://x.example/?a=1&b=2",
        "text/html": "https://x.example/?a=1&amp;b=2 https://z.example/?q=1&amp;r=2",
    }


def test_a_link_made_of_fields_is_harmless_when_the_field_is() -> None:
    page = content(html='<a href="{% clickto 2 %}{{ contact.url }}{% endclickto %}">')

    for url, target in [("javascript:alert(1)", "#"), ("mailto:a@b.example", "mailto:a@b.example"), ("", "#")]:
        assert parts_of(built(page, recipient(url=url)))["text/html"] == f'<a href="{target}">'


def test_the_boundary_cannot_occur_in_a_part() -> None:
    boundary = parsed(built(content())).get_boundary()
    assert boundary

    message = built(content(html=f"<p>--{boundary}--</p>", text=f"--{boundary}\n\n--{boundary}--\n"))

    assert parts_of(message)["text/plain"] == f"--{boundary}\n\n--{boundary}--"


@pytest.mark.parametrize(
    ("address", "needed"),
    [("a@b.example", False), ("ü@b.example", True), ("a@bücher.example", False), ("用户@例子.example", True)],
)
def test_what_needs_smtputf8(address: str, needed: bool) -> None:
    assert needs_smtputf8(address) is needed


def test_the_wire_forms_of_domains() -> None:
    assert builder(content(), bounce_domain="rückläufer.example").bounce_domain == b"xn--rcklufer-3za0v.example"
    assert MessageBuilder.wire_address("ü@bücher.example") == "ü@xn--bcher-kva.example".encode()


class FakeSigner:
    """Keeps what it is asked to sign."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    def sign(self, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, hashed: object = None) -> bytes:
        assert hashed is None  # the first body shares nothing yet
        self.headers, self.body = list(headers), body
        return b"DKIM-Signature: v=1;\r\n b=x"


def test_a_signer_sees_the_headers_and_the_body_as_they_are_sent() -> None:
    signer = FakeSigner()

    message = builder(content(), signer).build(recipient(), date_header=DATE.encode())

    head, _, body = message.partition(b"\r\n\r\n")
    assert head.startswith(b"DKIM-Signature: v=1;\r\n b=x\r\nFrom: ")
    assert signer.body == body
    assert b"\r\n".join(name + b": " + value for name, value in signer.headers) == head.partition(b"b=x\r\n")[2]


@pytest.mark.parametrize(
    "html",
    [
        "{% for a in (1..200) %}{% for b in (1..200) %}x{% endfor %}{% endfor %}",
        "{% for a in (1..10001) %}x{% endfor %}",
        "{% for a in (1..9000) %}" + "x" * 1_000 + "{% endfor %}",
        "{% for a in (1..90) %}{% for b in (1..90) %}" + "x" * 1_000 + "{% endfor %}{% endfor %}",
        "{% for a in (1..90) %}{% capture c %}{% for b in (1..90) %}"
        + "x" * 2_000
        + "{% endfor %}{% endcapture %}{% endfor %}",
        "{% tablerow a in (1..10001) %}x{% endtablerow %}",
        "{% assign s = contact.big %}{% assign s = s | append: s %}{% assign s = s | append: s %}",
    ],
)
def test_limits_hold_on_the_fast_path(html: str) -> None:
    with pytest.raises(RenderError):
        built(content(html=html), recipient(big="x" * 60_000))


def test_messages_with_a_long_static_beginning_verify_one_after_another() -> None:
    private_key, _ = generate_key(KeyKind.RSA)
    record = dns_record(private_key).encode()
    page = content(text="Static words.\n" * 500, html="<p>Long.</p>\n" * 500 + "<p>{{ contact.nick }}</p>")
    made = builder(page, Signer("news.kiln.example", "f1", private_key))
    messages = [made.build(recipient(nick=nick), date_header=DATE.encode()) for nick in ("Ada", "Bob", "Eve")]
    assert made._shared.start_of([b"another"]) == (None, 0)
    assert made._shared._hashed is not None
    assert all(dkim.DKIM(message).verify(dnsfunc=lambda name, timeout=5: record) for message in messages)


def test_a_signed_message_verifies() -> None:
    private_key, _ = generate_key(KeyKind.RSA)
    signer = Signer("news.kiln.example", "f1", private_key)
    page = content(html="<p>{{ contact.nick }}</p>\n" * 40, subject="Hi {{ contact.nick }}")

    message = builder(page, signer).build(recipient(nick="Zoë. " * 9), date_header=DATE.encode())

    record = dns_record(private_key).encode()
    assert dkim.DKIM(message).verify(dnsfunc=lambda name, timeout=5: record)
    with pytest.raises(dkim.ValidationError):
        dkim.DKIM(message.replace(b"Zo", b"So")).verify(dnsfunc=lambda name, timeout=5: record)
