"""Reading mails of unknown honesty within bounds."""

from __future__ import annotations

from delivery.inbound.mime import (
    MAX_DEPTH,
    MAX_PARTS,
    content_type_of,
    decode_text,
    decode_words,
    read_headers,
    read_mail,
    strip_tags,
)


def test_headers_are_unfolded_and_found_by_lower_case_name() -> None:
    headers = read_headers(b"Subject: one\n two\nTO: a@b.example\nnot a field\nTo: c@d.example")
    assert headers.get("subject") == "one two"
    assert headers.every("to") == ["a@b.example", "c@d.example"]
    assert headers.get("cc") == ""


def test_parts_are_split_at_their_boundary_and_a_missing_end_is_forgiven() -> None:
    mail = read_mail(b'Content-Type: multipart/mixed; boundary="x"\r\n\r\npre\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo')
    assert [part.text() for part in mail.parts] == ["one", "two"]


def test_a_multipart_whose_boundary_never_comes_is_text() -> None:
    mail = read_mail(b"Content-Type: multipart/report; boundary=never\n\nUser unknown")
    assert [(part.content_type, part.text()) for part in mail.parts] == [("text/plain", "User unknown")]


def test_nesting_beyond_the_cap_stays_one_opaque_part() -> None:
    raw = b"Content-Type: text/plain\n\ndeep"
    for level in range(500):
        raw = b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n%b\n--b%d--\n' % (level, level, raw, level)
    (part,) = read_mail(raw).parts
    assert part.content_type == "multipart/mixed"
    assert part.params["boundary"] == f"b{499 - MAX_DEPTH}"


def test_no_more_than_the_capped_number_of_parts_is_kept() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\npart\n" * 5_000
    assert len(read_mail(raw).parts) == MAX_PARTS


def test_an_mbox_line_before_the_headers_is_skipped() -> None:
    assert (
        read_mail(b"From x@y.example  Thu Apr 29 23:34:45 2021\nSubject: hello\n\n").headers.get("subject") == "hello"
    )


def test_transfer_encodings_are_undone_and_broken_ones_do_no_harm() -> None:
    quoted = read_mail(b"Content-Transfer-Encoding: quoted-printable\n\ncaf=C3=A9 =ZZ").parts[0]
    base64 = read_mail(b"Content-Transfer-Encoding: base64\n\naGVs bG8\n!!").parts[0]
    assert quoted.text() == "café =ZZ"
    assert base64.text() == "hello"


def test_charsets_that_mail_does_not_use_are_not_looked_up() -> None:
    assert decode_text(b"abc", "punycode") == "abc"
    assert decode_text(b"abc", "zlib_codec") == "abc"
    assert decode_text("邮箱".encode("gb18030"), "GB18030") == "邮箱"
    assert decode_text(b"\xff\xfe", "utf-8") == "\ufffd\ufffd"
    assert decode_text(b"caf\xe9", "us-ascii") == "café"


def test_encoded_words_are_decoded_and_broken_ones_kept() -> None:
    assert decode_words("=?utf-8?B?w6k=?= x") == "é x"
    assert decode_words("=?x-none?Q?caf=E9?=") == "café"
    assert decode_words("=?utf-8?B?A?=") == "=?utf-8?B?A?="


def test_html_becomes_lines_without_style_or_script() -> None:
    html = "<head><title>t</title></head><style>p{}</style><p>User unknown:<br>&lt;a@b.example&gt;</p>"
    assert strip_tags(html).split() == ["User", "unknown:", "<a@b.example>"]


def test_a_content_type_that_says_nothing_is_plain_text() -> None:
    assert content_type_of("") == ("text/plain", {})
    assert content_type_of("Text/HTML; Charset=UTF-8; x") == ("text/html", {"charset": "UTF-8"})
