"""Which message a report is about."""

from __future__ import annotations

import pytest

from delivery.inbound.match import Matched, Unmatched, match_report
from delivery.inbound.parse import parse_reports
from delivery.inbound.report import Report, ReportKind, SourceHeaders
from delivery.tracking.tokens import MessageRef, TokenMaker, mail_form
from tests.delivery.inbound.mails import TOKEN, dsn

MAKER = TokenMaker("a secret of the tests")
REF = MessageRef(7, 42)
OTHER = MessageRef(7, 43)


def token(ref: MessageRef = REF) -> str:
    """The mail form of a token for one message."""
    return mail_form(MAKER.blocks(ref.campaign_id, [ref.contact_id])[0])


def report(**fields: object) -> Report:
    """A bounce with only the fields that matter."""
    return Report(ReportKind.BOUNCE, "test", **fields)  # type: ignore[arg-type]


def test_the_return_path_token_decides_first() -> None:
    source = SourceHeaders(message_id=f"{token()}@shop.example")
    assert match_report(report(verp_token=token(), source=source), MAKER.read) == Matched(REF, "verp")


@pytest.mark.parametrize(
    ("found", "by"),
    [
        (report(original_envelope_id=token().upper()), "envelope_id"),
        (report(source=SourceHeaders(message_id=f"{token()}@shop.example")), "message_id"),
        (report(original_message_id=f"{token()}@shop.example"), "message_id"),
        (
            report(source=SourceHeaders(list_unsubscribe=f"<https://u.example/u/{MAKER.make(7, 42)}>")),
            "list_unsubscribe",
        ),
        (report(source=SourceHeaders(list_unsubscribe=f"<mailto:u+{token()}@shop.example>")), "list_unsubscribe"),
    ],
)
def test_other_tokens_match_where_the_return_path_is_lost(found: Report, by: str) -> None:
    assert match_report(found, MAKER.read) == Matched(REF, by)  # type: ignore[arg-type]


def test_backscatter_names_no_message_of_ours() -> None:
    stranger = report(recipient="erin@gone.example", source=SourceHeaders(message_id="2026.1@forger.example"))
    assert match_report(stranger, MAKER.read) == Unmatched("no_token")


def test_an_invented_token_is_refused() -> None:
    assert match_report(report(verp_token="0" * 32), MAKER.read) == Unmatched("forged_token")
    other_key = TokenMaker("another secret")
    assert match_report(report(verp_token=token()), other_key.read) == Unmatched("forged_token")


def test_tokens_of_two_messages_contradict_each_other() -> None:
    mixed = report(verp_token=token(), source=SourceHeaders(message_id=f"{token(OTHER)}@shop.example"))
    assert match_report(mixed, MAKER.read) == Unmatched("contradiction")


def test_a_foreign_message_id_of_the_same_form_does_not_unmake_a_good_token() -> None:
    answered = report(verp_token=token(), original_message_id="f" * 32 + "@other.example")
    assert match_report(answered, MAKER.read) == Matched(REF, "verp")


def test_words_alone_match_nothing() -> None:
    talk = report(recipient="erin@gone.example", diagnostic=f"about {token()}", notice=f"see b+{token()}@shop.example")
    assert match_report(talk, MAKER.read) == Unmatched("no_token")


def test_a_whole_notification_is_matched_and_a_forged_one_is_not() -> None:
    genuine = parse_reports(dsn().replace(TOKEN.encode(), token().encode()))
    forged = parse_reports(dsn())
    assert isinstance(genuine, list)
    assert isinstance(forged, list)
    assert match_report(genuine[0], MAKER.read) == Matched(REF, "verp")
    assert match_report(forged[0], MAKER.read) == Unmatched("forged_token")
