"""DirectMail: the signature of the documentation's example, limits of fields, codes."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest

from delivery.outcomes import Result
from delivery.providers.alibaba import sign
from delivery.providers.fakes import Reply
from tests.delivery.providers.conformance import connected, envelope

R = Result
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_signature_is_that_of_the_documented_example() -> None:
    # https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature, "Fixed parameters"
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": EMPTY,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    assert sign("POST", query, headers, ("YourAccessKeyId", "YourAccessKeySecret")) == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_no_two_requests_carry_the_same_nonce() -> None:
    with connected("alibaba") as (provider, server):
        provider.send([envelope("alice"), envelope("bob")])
    assert len({request.headers["x-acs-signature-nonce"] for request in server.requests}) == 2


@pytest.mark.parametrize(
    "changes", [{"subject": "x" * 101}, {"html": "x" * (80 * 1024 + 1)}, {"text": "字" * (80 * 1024 // 3 + 1)}]
)
def test_what_is_too_long_is_refused_before_the_call(changes: dict[str, str]) -> None:
    with connected("alibaba") as (provider, server):
        outcome = provider.send([envelope("alice", **changes)])[0]
    assert (outcome.result, outcome.reason) == (R.FAILED, "content")
    assert "at most" in outcome.text
    assert server.requests == []


def test_a_long_sender_name_is_cut_to_15_characters() -> None:
    with connected("alibaba") as (provider, server):
        provider.send([envelope("alice", from_name="A very long sender name")])
    assert dict(parse_qsl(server.requests[0].body.decode()))["FromAlias"] == "A very long sen"


def test_only_the_headers_that_it_takes_go_out() -> None:
    with connected("alibaba") as (provider, server):
        provider.send([envelope("alice")])
    fields = dict(parse_qsl(server.requests[0].body.decode()))
    assert sorted(json.loads(fields["Headers"])) == ["List-Unsubscribe", "List-Unsubscribe-Post", "X-User-Mid"]
    assert fields["UnSubscribeLinkType"] == "disabled"


@pytest.mark.parametrize(
    ("status", "code", "result", "reason"),
    [
        (400, "InvalidToAddress.Spam", R.REFUSED, "suppressed"),
        (404, "InvalidMailAddress.NotFound", R.FAILED, "settings"),
        (400, "InvalidQuota.Exceeded", R.FAILED, "quota"),
        (403, "Forbidden.RAM", R.FAILED, "credentials"),
        (503, "ServiceUnavailable", R.DEFERRED, ""),
        (500, "InternalError", R.UNCERTAIN, ""),
        (400, "SomethingNew", R.FAILED, "content"),
    ],
)
def test_a_code_is_understood(status: int, code: str, result: Result, reason: str) -> None:
    with connected("alibaba") as (provider, server):
        server.script(Reply(status, {"Code": code, "Message": "words"}))
        outcome = provider.send([envelope("alice")])[0]
    assert (outcome.result, outcome.reason) == (result, reason)
    assert outcome.text == f"{code} words"
