"""Header values: what is encoded reads back, and nothing breaks out of its header."""

from __future__ import annotations

from email.header import decode_header, make_header

from hypothesis import given
from hypothesis import strategies as st

from delivery.rendering.headers import EncodedTexts, Mailboxes, clean, encode_phrase, encode_text, mailbox

texts = st.text(st.characters(codec="utf-8"), max_size=300)


def read(encoded: bytes) -> str:
    return str(make_header(decode_header(encoded.decode().replace("\r\n", ""))))


@given(texts)
def test_every_text_reads_back_on_short_lines(text: str) -> None:
    encoded = encode_text(text, len("Subject: "))

    assert read(encoded) == clean(text)
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines[1:])
    assert len(lines[0]) + len("Subject: ") <= 76
    assert all(line.startswith(b" ") for line in lines[1:])
    assert encoded.isascii()


@given(texts)
def test_every_name_reads_back(name: str) -> None:
    encoded = encode_phrase(name)

    value = read(encoded)
    if encoded.startswith(b'"'):
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    assert value == clean(name)
    assert not any(character in encoded.replace(b"\r\n ", b"") for character in (b"\r", b"\n", b"\x00"))


@given(st.lists(st.tuples(texts, st.sampled_from(["a@b.example", "ü@b.example", "x" * 60 + "@c.example"])), max_size=5))
def test_remembered_mailboxes_are_the_same(pairs: list[tuple[str, str]]) -> None:
    mailboxes = Mailboxes(max_entries=2)

    assert [mailboxes.encoded(*pair) for pair in pairs] == [mailbox(*pair) for pair in pairs]


def test_remembered_texts_are_bounded() -> None:
    subjects = EncodedTexts(column=9, max_entries=3)

    assert [subjects[f"s{number}"] for number in range(5)] == [b"s0", b"s1", b"s2", b"s3", b"s4"]
    assert sorted(subjects) == ["s3", "s4"]
