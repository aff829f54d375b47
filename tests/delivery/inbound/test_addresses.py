"""Finding addresses, tokens and message ids."""

from __future__ import annotations

import pytest

from delivery.inbound.addresses import addresses_in, message_id_in, message_token, recipient_field, tidy, token_in

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("<Erin@Gone.EXAMPLE>", "Erin@gone.example"),
        ("@relay.example:erin@gone.example", "erin@gone.example"),
        ("SMTP=erin@gone.example", "erin@gone.example"),
        ("erin@gone.example.", "erin@gone.example"),
        ("nobody", ""),
    ],
)
def test_addresses_are_tidied(written: str, address: str) -> None:
    assert tidy(written) == address


def test_addresses_in_prose_are_found_once_each_in_order() -> None:
    text = "<a@b.example>: said <a@b.example>, (c.d+e@f.example) 'x@y.example' and =?utf-8?B?8J+Q?=@z.example"
    assert addresses_in(text) == ["a@b.example", "c.d+e@f.example", "x@y.example", "=?utf-8?B?8J+Q?=@z.example"]


def test_a_recipient_field_loses_its_type_and_a_redacted_one_is_empty() -> None:
    assert recipient_field("rfc822; erin@gone.example") == "erin@gone.example"
    assert recipient_field("RFC822;<erin@gone.example>") == "erin@gone.example"
    assert recipient_field("utf-8; érin@gone.example") == "érin@gone.example"
    assert recipient_field("rfc822; redacted@") == ""


def test_a_token_is_found_whatever_its_case_and_only_behind_its_marker() -> None:
    assert token_in([f"<B+{TOKEN.upper()}@bounce.shop.example>"]) == TOKEN
    assert token_in([f"web+{TOKEN}@shop.example", "x"]) == ""
    assert token_in([f"b+{TOKEN}0@shop.example"]) == ""
    assert token_in([f"u+{TOKEN}@shop.example"]) == ""
    assert token_in([f"u+{TOKEN}@shop.example"], "u") == TOKEN


def test_message_ids_lose_their_brackets_and_only_ours_hold_a_token() -> None:
    assert message_id_in(f" <{TOKEN}@shop.example> (comment)") == f"{TOKEN}@shop.example"
    assert message_token(f"{TOKEN}@shop.example") == TOKEN
    assert message_token(f"x{TOKEN}@shop.example") == ""
    assert message_token("20260101.1234@mail.example") == ""
