"""Tencent SES: the canonical request of the documentation's example, templates, codes and their waits."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from delivery.outcomes import Result
from delivery.providers.fakes import Reply
from delivery.providers.tencent import sign
from tests.delivery.providers.conformance import connected, envelope

R = Result


def test_the_signature_covers_what_the_documented_example_covers() -> None:
    # https://www.tencentcloud.com/document/api/1084/39413; the page masks its keys, so these are others
    payload = b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    headers = {
        "content-type": "application/json; charset=utf-8",
        "host": "cvm.tencentcloudapi.com",
        "x-tc-action": "DescribeInstances",
    }
    key = ("AKIDEXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
    assert sign(headers, payload, datetime.fromtimestamp(1551113065, UTC), key, "cvm") == (
        "TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26"
    )


def test_a_message_is_a_template_with_variables() -> None:
    with connected("tencent") as (provider, server):
        provider.send([envelope("alice")])
    body = json.loads(server.requests[0].body)
    assert body["FromEmailAddress"] == "Shop <news@shop.example>"
    assert body["Destination"] == ["alice@example.com"]
    assert body["Template"] == {"TemplateID": 100091, "TemplateData": '{"first_name": "Alice", "code": "SPRING"}'}
    assert body["TriggerType"] == 0
    assert body["ReplyToAddresses"] == "care@shop.example"
    assert server.requests[0].headers["x-tc-region"] == "ap-guangzhou"


@pytest.mark.parametrize("changes", [{"from_name": "Shop: news"}, {"template_id": "E_1"}])
def test_what_it_cannot_say_is_refused_before_the_call(changes: dict[str, str]) -> None:
    with connected("tencent") as (provider, server):
        outcome = provider.send([envelope("alice", **changes)])[0]
    assert (outcome.result, outcome.reason) == (R.FAILED, "content")
    assert server.requests == []


@pytest.mark.parametrize(
    ("code", "result", "reason", "wait"),
    [
        ("FailedOperation.FrequencyLimit", R.DEFERRED, "", 3600),
        ("FailedOperation.TemporaryBlocked", R.DEFERRED, "", 600),
        ("FailedOperation.ServiceNotAvailable", R.DEFERRED, "", 60),
        ("FailedOperation.ExceedSendLimit", R.FAILED, "quota", None),
        ("FailedOperation.EmailAddrInBlacklist", R.REFUSED, "suppressed", None),
        ("FailedOperation.InvalidTemplateID", R.FAILED, "settings", None),
        ("OperationDenied.TemplateStatusError", R.FAILED, "settings", None),
        ("LimitExceeded.Something", R.FAILED, "quota", None),
        ("AuthFailure.SignatureFailure", R.FAILED, "credentials", None),
        ("InternalError.Something", R.UNCERTAIN, "", None),
        ("SomethingNew", R.FAILED, "content", None),
    ],
)
def test_a_code_is_understood(code: str, result: Result, reason: str, wait: int | None) -> None:
    with connected("tencent") as (provider, server):
        server.script(Reply(200, {"Response": {"Error": {"Code": code, "Message": "words"}}}))
        outcome = provider.send([envelope("alice")])[0]
    assert (outcome.result, outcome.reason, outcome.retry_after) == (result, reason, wait)
    assert outcome.text == f"{code}: words"
