"""What an HTTP answer says about a message."""

from __future__ import annotations

import pytest

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import bad_address, clip, from_status, retry_after, scrub, settled

DATE = {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}


@pytest.mark.parametrize(
    ("status", "words", "result", "reason"),
    [
        (400, "to parameter is not a valid address", Result.REFUSED, "address"),
        (422, "The recipient address is invalid", Result.REFUSED, "address"),
        (422, "invalid email address in from", Result.FAILED, "content"),
        (400, "html is required", Result.FAILED, "content"),
        (401, "", Result.FAILED, "credentials"),
        (402, "", Result.FAILED, "quota"),
        (403, "", Result.FAILED, "credentials"),
        (404, "no such template", Result.FAILED, "settings"),
        (408, "", Result.UNCERTAIN, ""),
        (413, "", Result.FAILED, "content"),
        (429, "", Result.DEFERRED, "rate"),
        (500, "", Result.UNCERTAIN, ""),
        (502, "", Result.UNCERTAIN, ""),
        (503, "", Result.DEFERRED, ""),
        (504, "", Result.UNCERTAIN, ""),
        (302, "", Result.UNCERTAIN, ""),
        (200, "half an answer", Result.UNCERTAIN, ""),
    ],
)
def test_only_what_provably_was_not_sent_is_tried_again(status: int, words: str, result: Result, reason: str) -> None:
    outcome = from_status(status, {}, words)
    assert (outcome.result, outcome.reason, outcome.code) == (result, reason, status)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "9999999"}, 86_400),
        ({"retry-after": "Thu, 01 Jan 2026 00:02:00 GMT", **DATE}, 120),
        ({"retry-after": "Thu, 01 Jan 2026 00:02:00 GMT"}, 60),
        ({"retry-after": "soon"}, 60),
        ({"x-ratelimit-reset": "1767225690", **DATE}, 90),
        ({"x-ratelimit-reset": "30"}, 30),
        ({"x-sib-ratelimit-reset": "12.5"}, 12),
        ({}, 60),
    ],
)
def test_the_wait_is_read_from_whichever_header_names_it(headers: dict[str, str], seconds: int) -> None:
    assert retry_after(headers) == seconds


def test_an_answer_keeps_at_most_500_characters_on_one_line() -> None:
    assert clip("a\n b\t" + "c" * 600) == "a b " + "c" * 496


def test_an_outcome_is_made_fit_for_its_table() -> None:
    raw = Outcome(Result.FAILED, code=40_005, text="key\x00 re_123456 \ud800", provider_id="i\x00d" * 200)
    assert settled(raw, ["re_123456"]) == Outcome(
        Result.FAILED, code=0, text="key *** ?", provider_id=("id" * 200)[:255]
    )


def test_a_secret_is_taken_out_of_a_servers_words() -> None:
    assert scrub("The key re_123456 is unknown", ["re_123456", ""]) == "The key *** is unknown"


@pytest.mark.parametrize(
    "address", ["", "bob", "bob@", "@x.example", "bob at@x.example", "b@x", "a@b@c.example", "a@-x.example"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    refusal = bad_address(address)
    assert refusal is not None
    assert (refusal.result, refusal.reason) == (Result.REFUSED, "address")


@pytest.mark.parametrize(
    "address", ["bob@x.example", "o'neil+a@x.example", '"b ob"@x.example', "bob@bücher.example", "böb@x.example"]
)
def test_an_address_is_not_refused(address: str) -> None:
    assert bad_address(address) is None
