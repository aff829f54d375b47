"""What single ESPs say in their own words: codes, partial failures, keys, suppression."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from delivery.outcomes import Outcome, Result
from delivery.providers.fakes import Fault, Reply
from tests.delivery.providers.conformance import connected, envelope

R = Result


def one(kind: str, status: int, body: object, headers: Mapping[str, str] | None = None) -> Outcome:
    """The outcome of a message to Alice that is answered so."""
    with connected(kind) as (provider, server):
        server.script(*[Reply(status, body, headers or {})] * 3)
        return provider.send([envelope("alice")])[0]


def mandrill(name: str, words: str = "") -> dict[str, object]:
    return {"status": "error", "code": 1, "name": name, "message": words}


def postal(code: str) -> dict[str, object]:
    return {"status": "error", "data": {"code": code, "message": "words"}}


def ses(code: str) -> Mapping[str, str]:
    return {"x-amzn-errortype": code}


@pytest.mark.parametrize(
    ("kind", "status", "body", "result", "reason"),
    [
        (
            "postmark",
            422,
            {"ErrorCode": 406, "Message": "Found inactive addresses: alice@example.com."},
            R.REFUSED,
            "suppressed",
        ),
        ("postmark", 422, {"ErrorCode": 300, "Message": "Invalid 'To' address: 'alice'."}, R.REFUSED, "address"),
        ("postmark", 422, {"ErrorCode": 405, "Message": "You ran out of credits."}, R.FAILED, "quota"),
        ("postmark", 422, {"ErrorCode": 401, "Message": "Sender signature not confirmed."}, R.FAILED, "settings"),
        ("postmark", 422, {"ErrorCode": 999, "Message": "Something new"}, R.FAILED, "content"),
        ("resend", 429, {"name": "daily_quota_exceeded", "message": "no"}, R.FAILED, "quota"),
        ("resend", 403, {"name": "validation_error", "message": "The domain is not verified"}, R.FAILED, "settings"),
        ("resend", 403, {"name": "invalid_api_key", "message": "API key is invalid"}, R.FAILED, "credentials"),
        ("resend", 409, {"name": "invalid_idempotent_request", "message": "differs"}, R.FAILED, "content"),
        ("resend", 409, {"name": "concurrent_idempotent_requests", "message": "x"}, R.UNCERTAIN, ""),
        ("mandrill", 500, mandrill("PaymentRequired"), R.FAILED, "quota"),
        ("mandrill", 500, mandrill("Unknown_Subaccount"), R.FAILED, "settings"),
        ("mandrill", 500, mandrill("ValidationError", "You must specify html"), R.FAILED, "content"),
        ("mandrill", 500, mandrill("GeneralError", "An unexpected error"), R.UNCERTAIN, ""),
        ("mandrill", 500, b"oops", R.UNCERTAIN, ""),
        (
            "mandrill",
            200,
            [{"email": "alice@example.com", "status": "rejected", "reject_reason": "hard-bounce", "_id": "1"}],
            R.REFUSED,
            "suppressed",
        ),
        ("postal", 200, postal("ServerSuspended"), R.FAILED, "credentials"),
        ("postal", 200, postal("UnauthenticatedFromAddress"), R.FAILED, "settings"),
        ("postal", 200, postal("NoContent"), R.FAILED, "content"),
        ("postal", 200, {"status": "perhaps"}, R.UNCERTAIN, ""),
        (
            "mailjet",
            400,
            {
                "Messages": [
                    {"Status": "error", "Errors": [{"ErrorMessage": "not validated", "ErrorRelatedTo": ["From"]}]}
                ]
            },
            R.FAILED,
            "settings",
        ),
        ("mailjet", 400, {"ErrorCode": "mj-0002", "ErrorMessage": "Malformed JSON"}, R.FAILED, "content"),
        ("brevo", 400, {"code": "duplicate_parameter", "message": "idempotencyKey was used"}, R.ACCEPTED, ""),
        ("brevo", 402, {"code": "not_enough_credits", "message": "no"}, R.FAILED, "quota"),
        ("mailgun", 404, {"message": "Domain not found: mg.example.com"}, R.FAILED, "settings"),
        ("mailgun", 200, b"Mailgun Magnificent API", R.UNCERTAIN, ""),
        ("sparkpost", 420, {"errors": [{"message": "Exceed Sending Limit (daily)"}]}, R.FAILED, "quota"),
        (
            "sparkpost",
            200,
            {"results": {"total_accepted_recipients": 0, "total_rejected_recipients": 1, "id": "1"}},
            R.REFUSED,
            "suppressed",
        ),
        (
            "unisender_go",
            400,
            {"code": 204, "failed_emails": {"alice@example.com": "unsubscribed"}},
            R.REFUSED,
            "suppressed",
        ),
        (
            "unisender_go",
            400,
            {"code": 204, "failed_emails": {"alice@example.com": "temporary_unavailable"}},
            R.DEFERRED,
            "",
        ),
        ("unisender_go", 400, {"code": 301, "message": "Error: skip_unsubscribe is not allowed"}, R.FAILED, "content"),
        (
            "mailersend",
            202,
            {"warnings": [{"type": "ALL_SUPPRESSED", "recipients": [{"email": "alice@example.com"}]}]},
            R.REFUSED,
            "suppressed",
        ),
        ("mailtrap", 200, {"success": False, "errors": ["?"]}, R.UNCERTAIN, ""),
        ("scaleway", 200, {"emails": []}, R.UNCERTAIN, ""),
    ],
)
def test_an_answer_is_understood(kind: str, status: int, body: object, result: Result, reason: str) -> None:
    outcome = one(kind, status, body)
    assert (outcome.result, outcome.reason) == (result, reason)


@pytest.mark.parametrize(
    ("status", "code", "result", "reason"),
    [
        (400, "MessageRejected", R.FAILED, "content"),
        (400, "MailFromDomainNotVerifiedException", R.FAILED, "settings"),
        (400, "AccountSuspendedException", R.FAILED, "credentials"),
        (400, "SendingPausedException", R.FAILED, "credentials"),
        (400, "LimitExceededException", R.FAILED, "quota"),
        (403, "SignatureDoesNotMatch", R.FAILED, "credentials"),
        (400, "ThrottlingException", R.DEFERRED, "rate"),
        (418, "SomethingNew", R.FAILED, "content"),
    ],
)
def test_a_code_of_ses_is_understood(status: int, code: str, result: Result, reason: str) -> None:
    outcome = one("amazon_ses", status, {"message": "words"}, ses(code))
    assert (outcome.result, outcome.reason) == (result, reason)
    assert outcome.text == f"{code}: words"


def test_each_entry_of_a_bulk_answer_of_ses_speaks_for_itself() -> None:
    statuses = ("SUCCESS", "ACCOUNT_THROTTLED", "ACCOUNT_DAILY_QUOTA_EXCEEDED", "MESSAGE_REJECTED", "SOMETHING_NEW")
    entries = [{"Status": status, "MessageId": status} for status in statuses]
    with connected("amazon_ses") as (provider, server):
        server.script(Reply(200, {"BulkEmailEntryResults": entries}))
        outcomes = provider.send([envelope(f"p{n}") for n in range(5)])
    assert [(o.result, o.reason) for o in outcomes] == [
        (R.ACCEPTED, ""), (R.DEFERRED, "rate"), (R.FAILED, "quota"), (R.FAILED, "content"), (R.UNCERTAIN, ""),
    ]  # fmt: skip


def test_a_bulk_answer_of_ses_with_one_failure_for_all_is_that_failure() -> None:
    entries = [{"Status": "ACCOUNT_SENDING_PAUSED", "Error": "paused"}] * 2
    with connected("amazon_ses") as (provider, server):
        server.script(Reply(200, {"BulkEmailEntryResults": entries}))
        outcomes = provider.send([envelope("alice"), envelope("bob")])
    assert [(o.result, o.reason) for o in outcomes] == [(R.FAILED, "credentials")] * 2


def test_an_answer_that_forgets_somebody_leaves_all_uncertain() -> None:
    with connected("postmark") as (provider, server):
        server.script(Reply(200, [{"ErrorCode": 0, "Message": "OK", "MessageID": "1"}]))
        outcomes = provider.send([envelope("alice"), envelope("bob")])
    assert [outcome.result for outcome in outcomes] == [R.UNCERTAIN, R.UNCERTAIN]


def test_sparkpost_rejections_in_a_batch_are_left_to_the_receipts() -> None:
    results = {"total_accepted_recipients": 1, "total_rejected_recipients": 1, "id": "t-1"}
    with connected("sparkpost") as (provider, server):
        server.script(Reply(200, {"results": results}))
        outcomes = provider.send([envelope("alice"), envelope("bob")])
    assert [(o.result, o.provider_id) for o in outcomes] == [(R.ACCEPTED, "t-1"), (R.ACCEPTED, "t-1")]
    assert outcomes[0].text == "1 of 2 rejected; the receipts name them"


def test_a_repeat_of_a_lost_call_carries_the_same_key() -> None:
    with connected("resend") as (provider, server):
        server.script(Fault.BREAKS_OFF)
        provider.send([envelope("alice"), envelope("bob")])
        provider.send([envelope("alice")])
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert keys[0] == keys[1] != keys[2]
    assert len(server.sent) == 3


def test_no_key_no_repeat() -> None:
    with connected("mailgun") as (provider, server):
        server.script(Fault.SERVER_ERROR)
        outcomes = provider.send([envelope("alice"), envelope("bob")])
    assert [outcome.result for outcome in outcomes] == [R.UNCERTAIN, R.UNCERTAIN]
    assert len(server.requests) == 1


def test_tracking_by_the_provider_is_off_unless_asked_for() -> None:
    for asked, wanted in (("off", "None"), ("on", None)):
        with connected("postmark", esp_tracking=asked) as (provider, server):
            provider.send([envelope("alice")])
        assert json.loads(server.requests[0].body).get("TrackLinks") == wanted


def test_two_accounts_of_one_provider_do_not_mix() -> None:
    with connected("postmark") as (first, server), connected("postmark") as (second, other):
        first.send([envelope("alice")])
        second.send([envelope("bob")])
        first.send([envelope("carol")])
    assert [sent.recipient for sent in server.sent] == ["alice@example.com", "carol@example.com"]
    assert [sent.recipient for sent in other.sent] == ["bob@example.com"]


def test_two_messages_to_one_person_go_out_in_two_calls() -> None:
    twice = [envelope("alice"), envelope("alice", subject="Another"), envelope("bob")]
    with connected("mailgun") as (provider, server):
        outcomes = provider.send(twice)
    assert [outcome.result for outcome in outcomes] == [R.ACCEPTED] * 3
    assert len(server.requests) == 2
    assert sorted(sent.subject for sent in server.sent if sent.recipient == "alice@example.com") == [
        "Another",
        "Spring offers for Alice",
    ]


def test_an_international_domain_gets_its_own_words_in_a_batch() -> None:
    people = [envelope("alice", recipient="alice@bücher.example"), envelope("bob")]
    for kind in ("sparkpost", "mailgun", "sendgrid", "resend"):
        with connected(kind) as (provider, server):
            outcomes = provider.send(people)
        assert [outcome.result for outcome in outcomes] == [R.ACCEPTED, R.ACCEPTED]
        taken = {sent.recipient: sent for sent in server.sent}
        assert taken["alice@xn--bcher-kva.example"].html == people[0].html


def test_substitutions_too_long_for_sendgrid_go_out_one_by_one() -> None:
    people = [
        envelope("alice", html="<p>" + "a" * 12_000 + "</p>"),
        envelope("bob", html="<p>" + "b" * 12_000 + "</p>"),
    ]
    with connected("sendgrid") as (provider, server):
        outcomes = provider.send(people)
    assert [outcome.result for outcome in outcomes] == [R.ACCEPTED, R.ACCEPTED]
    assert len(server.requests) == 2
    assert [sent.html for sent in server.sent] == [one.html for one in people]


def test_a_line_break_in_a_name_or_subject_cannot_add_a_header() -> None:
    evil = envelope("alice", recipient_name="Al\r\nBcc: x@evil.example", subject="Hi\r\nX-Evil: 1", from_name="S\nhop")
    for kind in ("amazon_ses", "mailgun"):
        with connected(kind) as (provider, server):
            assert provider.send([evil])[0].result is R.ACCEPTED
        assert server.sent[0].subject == "Hi X-Evil: 1"
        assert "x-evil" not in server.sent[0].headers
        assert "bcc" not in server.sent[0].headers
