"""AokSend: codes as number and as string, templates, variables without emoji."""

from __future__ import annotations

import pytest

from delivery.outcomes import Result
from delivery.providers import ApiEnvelope
from delivery.providers.fakes import Reply
from delivery.providers.one_by_one import mapped
from tests.delivery.providers.conformance import connected, envelope

R = Result


def with_merge(**merge: str) -> ApiEnvelope:
    plain = envelope("alice")
    fields = {name: getattr(plain, name) for name in plain.__slots__}
    return ApiEnvelope(**{**fields, "merge": merge})


@pytest.mark.parametrize("spelling", [int, str])
@pytest.mark.parametrize(
    ("code", "result", "reason"),
    [
        (200, R.ACCEPTED, ""),
        (40001, R.FAILED, "credentials"),
        (40002, R.FAILED, "credentials"),
        (40003, R.FAILED, "settings"),
        (40004, R.REFUSED, "address"),
        (40005, R.REFUSED, "address"),
        (40006, R.FAILED, "settings"),
        (40007, R.FAILED, "quota"),
        (40008, R.FAILED, "content"),
        (40009, R.FAILED, "content"),
        (49999, R.UNCERTAIN, ""),
    ],
)
def test_a_code_means_the_same_as_number_and_as_string(code: int, result: Result, reason: str, spelling: type) -> None:
    with connected("aoksend") as (provider, server):
        server.script(Reply(200, {"code": spelling(code), "message": "话"}))
        outcome = provider.send([envelope("alice")])[0]
    assert (outcome.result, outcome.reason) == (result, reason)


@pytest.mark.parametrize("body", [b"", b"<html>", [], {"code": None}, {"code": "ok"}])
def test_an_odd_answer_leaves_it_uncertain(body: object) -> None:
    with connected("aoksend") as (provider, server):
        server.script(Reply(200, body))
        assert provider.send([envelope("alice")])[0].result is R.UNCERTAIN


def test_emoji_are_taken_out_of_variables() -> None:
    with connected("aoksend") as (provider, server):
        outcome = provider.send([with_merge(first_name="艾丽斯 👩‍💻❤️ O'Neil", code="🎉")])[0]
    assert outcome.result is R.ACCEPTED
    assert server.sent[0].variables == {"first_name": "艾丽斯  O'Neil", "code": ""}


def test_variables_are_mapped_line_by_line() -> None:
    with connected("aoksend", variables="name = first_name\ncoupon=code\nnothing = unknown") as (provider, server):
        provider.send([with_merge(first_name="Alice", code="SPRING")])
    assert server.sent[0].variables == {"name": "Alice", "coupon": "SPRING", "nothing": ""}


def test_a_line_that_maps_nothing_is_said_so() -> None:
    with pytest.raises(ValueError, match="template_variable = campaign_variable"):
        mapped(envelope("alice"), "name first_name")


def test_a_campaign_may_name_its_own_template() -> None:
    with connected("aoksend") as (provider, server):
        provider.send([envelope("alice", template_id="E_42"), envelope("bob")])
    assert [sent.template_id for sent in server.sent] == ["E_42", "E_1234567890"]


def test_without_a_template_nothing_is_sent() -> None:
    with connected("aoksend", template_id="") as (provider, server):
        outcome = provider.send([envelope("alice")])[0]
    assert (outcome.result, outcome.text) == (
        R.FAILED,
        "No template is chosen: name one in the account.",
    )
    assert server.requests == []


def test_the_balance_is_shown() -> None:
    with connected("aoksend") as (provider, _):
        assert provider.test_connection().words == "Balance: 4321"
