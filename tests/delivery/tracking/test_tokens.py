"""Tokens: made in bulk, read from either form, never forged."""

from hypothesis import given
from hypothesis import strategies as st

from delivery.tracking.tokens import MAIL_LENGTH, URL_LENGTH, MessageRef, TokenMaker, mail_form, url_form

MAKER = TokenMaker("s" * 60)
campaigns = st.integers(min_value=0, max_value=2**32 - 1)
contacts = st.integers(min_value=0, max_value=2**40 - 1)


@given(campaigns, st.lists(contacts, max_size=5))
def test_every_token_reads_back_in_both_forms(campaign_id: int, contact_ids: list[int]) -> None:
    for contact_id, block in zip(contact_ids, MAKER.blocks(campaign_id, contact_ids), strict=True):
        ref = MessageRef(campaign_id, contact_id)
        assert MAKER.read(url_form(block)) == ref
        assert MAKER.read(mail_form(block)) == ref
        assert MAKER.read(mail_form(block).upper()) == ref
        assert (len(url_form(block)), len(mail_form(block))) == (URL_LENGTH, MAIL_LENGTH)


@given(st.text(max_size=40))
def test_text_that_is_no_token_names_nobody(text: str) -> None:
    assert MAKER.read(text) is None


@given(campaigns, contacts, st.integers(min_value=0, max_value=127))
def test_a_token_with_one_bit_changed_names_nobody(campaign_id: int, contact_id: int, bit: int) -> None:
    block = bytearray(MAKER.blocks(campaign_id, [contact_id])[0])
    block[bit // 8] ^= 1 << (bit % 8)
    assert MAKER.read(mail_form(bytes(block))) is None


def test_a_token_of_another_installation_names_nobody() -> None:
    assert TokenMaker("t" * 60).read(MAKER.make(1, 2)) is None


def test_only_the_canonical_spelling_is_accepted() -> None:
    token = MAKER.make(7, 9)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + char for char in alphabet if char != token[-1]]
    assert [other for other in others if MAKER.read(other)] == []
