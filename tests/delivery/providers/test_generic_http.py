"""A provider described by a form: where the secret goes, what the placeholders mean, when it worked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from delivery.outcomes import Result
from delivery.providers import PROVIDERS, EventKind, Network, Provider, UnreadableReceiptError, WebhookRequest
from delivery.providers.contract import Content
from delivery.providers.fakes import Fault, HttpRequest, Reply
from tests.delivery.providers.conformance import envelope
from tests.delivery.providers.test_network import answering

R = Result


def build(url: str, **settings: str) -> Provider:
    return PROVIDERS["generic_http"].build({"url": url, **settings}, {"secret": "s3cret-key"}, Network.ANY)


def requested(body: object = b"ok", **settings: str) -> tuple[Result, HttpRequest]:
    """The request that a message makes, and its result when it is answered 200 with `body`."""
    with answering(Reply(200, body)) as (server, seen):
        provider = build(server.url + settings.pop("path", "/send"), **settings)
        outcome = provider.send([envelope("alice", recipient_name='Al "A" Ice')])[0]
        provider.close()
    return outcome.result, seen[0]


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({"auth": "bearer"}, "authorization", "Bearer s3cret-key"),
        ({"auth": "basic", "auth_name": "user"}, "authorization", "Basic dXNlcjpzM2NyZXQta2V5"),
        ({"auth": "header", "auth_name": "X-Api-Key"}, "x-api-key", "s3cret-key"),
        ({"auth": "none", "headers": "X-To: {{recipient}}"}, "x-to", "alice@example.com"),
    ],
)
def test_the_secret_goes_where_the_form_says(settings: Mapping[str, str], name: str, value: str) -> None:
    _, request = requested(**settings)
    assert request.headers[name] == value


def test_the_secret_may_stand_in_the_query() -> None:
    _, request = requested(path="/send?v=2", auth="query", auth_name="key")
    assert request.query == {"v": "2", "key": "s3cret-key"}


def test_placeholders_fill_json_without_breaking_it() -> None:
    body = (
        '{"to": "{{recipient_name}} <{{ recipient }}>", "n": [{"h": "{{html}}"}], "u": "{{header.List-UNSUBSCRIBE}}"}'
    )
    with answering(Reply(200, b"")) as (server, seen):
        provider = build(server.url, body=body)
        provider.send([envelope("alice", recipient_name='Al "A" Ice')])
        provider.close()
    assert seen[0].headers["content-type"] == "application/json"
    found = json.loads(seen[0].body)
    assert found["to"] == 'Al "A" Ice <alice@example.com>'
    assert found["n"][0]["h"] == envelope("alice").html
    assert found["u"] == envelope("alice").headers["List-Unsubscribe"]


def test_placeholders_fill_a_form_and_the_address() -> None:
    with answering(Reply(200, b"")) as (server, seen):
        provider = build(
            server.url + "/{{recipient}}", body_format="form", body="to: {{recipient}}\nname: {{merge.first_name}}"
        )
        provider.send([envelope("alice")])
        provider.close()
    assert seen[0].form == {"to": "alice@example.com", "name": "Alice"}
    assert seen[0].path == "/alice%40example.com"


def test_a_value_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    with answering(Reply(200, b"")) as (server, seen):
        provider = build(server.url, body='{"s": "{{subject}}"}')
        provider.send([envelope("alice", subject="{{html}} {{recipient}}")])
        provider.close()
    assert json.loads(seen[0].body) == {"s": "{{html}} {{recipient}}"}


@pytest.mark.parametrize(
    ("settings", "body", "result"),
    [
        ({}, b"anything", R.ACCEPTED),
        ({"success_path": "code", "success_value": "0"}, {"code": 0}, R.ACCEPTED),
        ({"success_path": "code", "success_value": "0"}, {"code": "0"}, R.ACCEPTED),
        ({"success_path": "ok", "success_value": "true"}, {"ok": True}, R.ACCEPTED),
        ({"success_path": "data.0.status", "success_value": "sent"}, {"data": [{"status": "sent"}]}, R.ACCEPTED),
        ({"success_path": "code", "success_value": "0"}, {"code": 17, "message": "no"}, R.FAILED),
        ({"success_path": "code", "success_value": "0"}, {}, R.FAILED),
        ({"success_path": "code", "success_value": "0"}, b"<html>", R.UNCERTAIN),
        ({"success_codes": "202"}, b"", R.UNCERTAIN),
    ],
)
def test_the_success_rule_decides(settings: Mapping[str, str], body: object, result: Result) -> None:
    assert requested(body, **settings)[0] is result


def test_the_message_id_is_found_at_its_path() -> None:
    with answering(Reply(200, {"messages": [{"id": 71}]})) as (server, _):
        provider = build(server.url, id_path="messages.0.id")
        assert provider.send([envelope("alice")])[0].provider_id == "71"
        provider.close()


def test_a_form_that_carries_no_unsubscribe_header_says_so() -> None:
    provider = build("https://api.example.com/send", body='{"to": "{{recipient}}", "template": 7}')
    assert not provider.capabilities.per_recipient_headers
    assert provider.capabilities.content is Content.TEMPLATE_ONLY
    assert not provider.capabilities.from_selectable
    full = build("https://api.example.com/send")
    assert full.capabilities.per_recipient_headers
    assert full.capabilities.content is Content.FREE_HTML


@pytest.mark.parametrize("settings", [{"body": "{not json"}, {"success_codes": "200, fine"}])
def test_a_form_that_makes_no_sense_is_refused(settings: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match=r"not JSON|not fine\.$"):
        build("https://api.example.com/send", **settings)


@pytest.mark.parametrize("settings", [{"body": '{"a": "{{sender}}"}'}, {"headers": "no colon"}])
def test_a_test_of_the_form_names_what_is_wrong(settings: Mapping[str, str]) -> None:
    report = build("https://api.example.com/send", **settings).test_connection()
    assert not report.ok
    assert "sender" in report.words or "no colon" in report.words


def test_a_test_of_a_good_form_asks_for_a_test_message() -> None:
    report = build("https://api.example.com/send").test_connection()
    assert (report.ok, report.words) == (True, "The form makes a request to api.example.com; send a test message.")


def test_a_lost_answer_is_uncertain() -> None:
    with answering(Reply(200, b"")) as (server, _):
        server.faults.append(Fault.BREAKS_OFF)
        provider = build(server.url)
        assert provider.send([envelope("alice")])[0].result is R.UNCERTAIN
        provider.close()


FIELDS = """list: data.events
kind: type
id: uid
message_token: custom.mid
recipient: to
time: at
reply: why"""
KINDS = "dm:delivered: delivered\nhard bounce: bounced hard\nspam: complained"


def event_account(fields: str = FIELDS, kinds: str = KINDS) -> Provider:
    settings = {"url": "https://api.example.com/", "event_fields": fields, "event_kinds": kinds}
    return PROVIDERS["generic_http"].build(settings, {"secret": "s"})


def test_events_are_read_as_the_form_says() -> None:
    one = {"type": "hard bounce", "uid": 7, "custom": {"mid": "m"}, "to": "a@b.example", "at": 1767268800, "why": "550"}
    other = {"type": "seen", "at": "2026-01-01T12:00:00Z"}
    body = json.dumps({"data": {"events": [one, other, "odd"]}}).encode()
    bounced, unknown = event_account().parse_events(WebhookRequest("", body, {}))
    assert (bounced.kind, bounced.bounce_class, bounced.event_id, bounced.mid) == (EventKind.BOUNCED, "hard", "7", "m")
    assert (bounced.recipient, bounced.reply) == ("a@b.example", "550")
    assert bounced.occurred_at == unknown.occurred_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert (unknown.kind, unknown.mid) == (EventKind.UNKNOWN, "")


def test_one_event_alone_and_milliseconds_are_read_too() -> None:
    provider_ = event_account("kind: type\nprovider_id: id\nrecipient: to\ntime: at", KINDS)
    body = b'{"type": "spam", "id": "x-1", "to": "a@b.example", "at": 1767268800000}'
    (event,) = provider_.parse_events(WebhookRequest("", body, {}))
    assert (event.kind, event.provider_id) == (EventKind.COMPLAINED, "x-1")
    assert event.occurred_at == datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"data": 5}', b"[" * 100_000])
def test_a_call_of_another_form_is_said_to_be_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableReceiptError):
        event_account().parse_events(WebhookRequest("", body, {}))


def test_without_event_fields_nothing_is_read() -> None:
    with pytest.raises(UnreadableReceiptError, match="does not say"):
        event_account("", "").parse_events(WebhookRequest("", b"{}", {}))


@pytest.mark.parametrize(
    ("fields", "kinds", "words"),
    [
        ("colour: x", "", "'colour' is none of them"),
        ("kind: type", "", "need a line for kind"),
        ("kind type", "", "is not of the form"),
        (FIELDS, "x: exploded", "names no kind of event"),
        (FIELDS, "x: bounced gently", "names no kind of event"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_in_words(fields: str, kinds: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        event_account(fields, kinds)
