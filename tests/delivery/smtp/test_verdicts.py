"""What replies mean for the message they answer."""

from __future__ import annotations

import pytest

from delivery.outcomes import Outcome, Result
from delivery.smtp.replies import Reply
from delivery.smtp.verdicts import outcome_of, provider_id_in, wait_in


def outcome(raw: bytes) -> Outcome | None:
    """The outcome of a reply as it is on the wire, lines divided by newlines."""
    lines = raw.split(b"\n")
    return outcome_of(Reply(int(lines[0][:3]), tuple(line[4:] for line in lines)))


def test_2yz_is_accepted_with_the_servers_id() -> None:
    assert outcome(b"250 2.0.0 Ok: queued as 4XyZ1") == Outcome(
        Result.ACCEPTED, 250, "2.0.0", "Ok: queued as 4XyZ1", "4XyZ1"
    )


def test_4yz_is_deferred_with_the_wait_that_it_asks_for() -> None:
    assert outcome(b"450 4.2.0 Greylisted, try again in 5 minutes") == Outcome(
        Result.DEFERRED, 450, "4.2.0", "Greylisted, try again in 5 minutes", retry_after=300
    )


def test_5yz_is_refused_and_a_repeated_enhanced_code_is_dropped() -> None:
    gmail = b"550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 Please try double-checking"
    assert outcome(gmail) == Outcome(
        Result.REFUSED,
        550,
        "5.1.1",
        "The email account that you tried to reach does not exist. Please try double-checking",
    )


def test_3yz_is_no_verdict() -> None:
    assert outcome(b"354 go on") is None


def test_a_text_without_enhanced_code_stays_whole() -> None:
    assert outcome(b"550 5.1 is not a code") == Outcome(Result.REFUSED, 550, "", "5.1 is not a code")


def test_a_text_is_cut_at_500_characters() -> None:
    found = outcome(b"550 5.7.1 " + b"x" * 900)
    assert found is not None
    assert found.text == "x" * 500


@pytest.mark.parametrize(
    ("text", "provider_id"),
    [
        ("Ok: queued as 3F9A12C0B5", "3F9A12C0B5"),
        ("Ok: queued as <abc.def@host>", "abc.def@host"),
        ("OK id=1rTxYz-0000AB-2c", "1rTxYz-0000AB-2c"),
        (
            "Ok 0102018f3b7a1c2d-1a2b3c4d-0000-1111-2222-333344445555-000000",
            "0102018f3b7a1c2d-1a2b3c4d-0000-1111-2222-333344445555-000000",
        ),
        ("OK  1767225600 d2e1a72fcca58-7ff7aa36c4asi1234b3a.12 - gsmtp", "d2e1a72fcca58-7ff7aa36c4asi1234b3a.12"),
        ("Great success", ""),
        ("Ok", ""),
        ("", ""),
    ],
)
def test_the_servers_id_is_found_in_known_texts(text: str, provider_id: str) -> None:
    assert provider_id_in(text) == provider_id


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("try again in 300 seconds", 300),
        ("Please try again in 5 minutes.", 300),
        ("Try again later in 2 hours", 7200),
        ("please retry in 90 secs", 90),
        ("Greylisted for 10 min", 600),
        ("greylisting in action, please come back in 00:04:30", 270),
        ("wait at least 60s before retrying", 60),
        ("retry after 1 hr", 3600),
        ("Retry in 9999999 minutes", None),
        ("try again in 5000 hours", 86_400),
        ("Limited to 30 messages per 1 minutes, try again later", None),
        ("try again later", None),
        ("421 4.7.28 unusual rate of mail", None),
        ("mailbox full: 300 messages", None),
        ("try again in 5 mangoes", None),
    ],
)
def test_a_wait_is_read_from_the_text(text: str, seconds: int | None) -> None:
    assert wait_in(text) == seconds
