"""What every provider module must do, asserted against the fake of each: the list that says when one is done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import ceil
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.providers import PROVIDERS, ApiEnvelope, Network, Provider
from delivery.providers.contract import Content
from delivery.providers.fakes import REFUSED_DOMAIN, RETRY_AFTER, FakeProvider, Fault, Sent, fake

UNSUBSCRIBE = "https://t.example.com/u/{}"


def envelope(name: str, *, html: str = "", domain: str = "example.com", **changes: str) -> ApiEnvelope:
    """A campaign's message to a person of the cast."""
    token = f"mid-{name}-0123456789"
    fields: dict[str, Any] = {
        "key": name,
        "from_email": "news@shop.example",
        "from_name": "Shop",
        "reply_to": "care@shop.example",
        "recipient": f"{name}@{domain}",
        "recipient_name": name.title(),
        "subject": f"Spring offers for {name.title()}",
        "html": html or f'<p>Dear {name.title()} &amp; co,</p><a href="https://t.example.com/c/{token}/1">Look</a>',
        "text": f"Dear {name.title()},\nhttps://t.example.com/c/{token}/1",
        "message_token": token,
        "idempotency_key": f"key-{name}",
    } | changes
    headers = {
        "List-Unsubscribe": f"<{UNSUBSCRIBE.format(token)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return ApiEnvelope(**fields, headers=headers, merge={"first_name": name.title(), "code": "SPRING"})


@contextmanager
def connected(kind: str, latency: float = 0.0, **settings: str) -> Iterator[tuple[Provider, FakeProvider]]:
    """A provider of this kind and the fake it talks to."""
    with fake(kind, latency) as server:
        provider = PROVIDERS[kind].build(
            {"timeout": "5", **server.settings, **settings}, server.credentials, Network.ANY
        )
        try:
            yield provider, server
        finally:
            provider.close()


def assert_arrived(kind: str, sent: Sent, wanted: ApiEnvelope) -> None:
    """The fake took exactly this message: its own body, its own headers, our id."""
    can = PROVIDERS[kind].capabilities
    assert sent.recipient == wanted.recipient
    if can.from_selectable:
        assert "news@shop.example" in sent.sender
    if can.content is Content.TEMPLATE_ONLY:
        assert sent.variables == wanted.merge
        assert sent.template_id
    else:
        assert (sent.subject, sent.html, sent.text) == (wanted.subject, wanted.html, wanted.text)
    if can.per_recipient_headers:
        assert sent.headers["list-unsubscribe"] == wanted.headers["List-Unsubscribe"]
        assert sent.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    if can.own_message_id:
        assert sent.mid == wanted.message_token


def a_message_arrives_as_it_was_made(kind: str) -> None:
    """One message: accepted, with an id, word for word."""
    wanted = envelope("alice")
    with connected(kind) as (provider, server):
        outcomes = provider.send([wanted])
    assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED]
    assert outcomes[0].provider_id
    assert len(server.sent) == 1
    assert_arrived(kind, server.sent[0], wanted)


def many_messages_arrive_each_with_its_own_words(kind: str) -> None:
    """More messages than fit one call of most: every person gets the own body and unsubscribe link, once."""
    names = [f"person{n}" for n in range(23)]
    wanted = [envelope(name) for name in names]
    with connected(kind) as (provider, server):
        outcomes = provider.send(wanted)
    assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED] * 23
    assert sorted(sent.recipient for sent in server.sent) == sorted(e.recipient for e in wanted)
    assert len(server.requests) == ceil(23 / PROVIDERS[kind].capabilities.batch_max)
    taken = {sent.recipient: sent for sent in server.sent}
    for one in wanted:
        assert_arrived(kind, taken[one.recipient], one)


def bodies_of_different_build_do_not_mix(kind: str) -> None:
    """A conditional block, the provider's own template signs and HTML in a name stay as they are."""
    wanted = [
        envelope("alice", html="<p>Hi</p>"),
        envelope("bob", html="<p>Hi</p><p>A block for Bob &lt;only&gt;</p>"),
        envelope("carol", html="<p>{{not_a_field}} {{{raw}}} %recipient.name% -field.x- *|MC|* 100%</p>"),
        envelope("dave", html="<p>Hi</p>", subject="Half {{price}} %recipient.s0%"),
        envelope("erin", html='<p>Hi <b>"O\'Neill" & {x}</b></p>'),
    ]
    with connected(kind) as (provider, server):
        outcomes = provider.send(wanted)
    assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED] * 5
    taken = {sent.recipient: sent for sent in server.sent}
    for one in wanted:
        assert_arrived(kind, taken[one.recipient], one)


def one_bad_address_does_not_fail_the_batch(kind: str) -> None:
    """The refused recipient is told apart; all others get the mail once, in the order of the outcomes."""
    wanted = [envelope(f"person{n}", domain=REFUSED_DOMAIN if n == 5 else "example.com") for n in range(12)]
    with connected(kind) as (provider, server):
        outcomes = provider.send(wanted)
    assert [n for n, outcome in enumerate(outcomes) if outcome.result is not Result.ACCEPTED] == [5]
    assert outcomes[5].result in (Result.REFUSED, Result.FAILED)
    assert outcomes[5].text
    others = [one.recipient for one in wanted if not one.recipient.endswith(REFUSED_DOMAIN)]
    assert sorted(sent.recipient for sent in server.sent) == sorted(others)


def a_batch_meets_one_refusal_together(kind: str) -> None:
    """A limit, a wrong key or a missing server is not the messages' fault: one call, the same answer for all."""
    for fault, result in (
        (Fault.RATE_LIMITED, Result.DEFERRED),
        (Fault.UNAUTHORISED, Result.FAILED),
        (Fault.UNAVAILABLE, Result.DEFERRED),
    ):
        with connected(kind) as (provider, server):
            server.script(fault)
            outcomes = provider.send([envelope("alice"), envelope("bob"), envelope("carol")])
        assert [outcome.result for outcome in outcomes] == [result] * 3, fault
        assert len(server.requests) == 1, fault


def what_is_no_address_never_leaves(kind: str) -> None:
    """A string without a domain is refused before any call, and the others go out."""
    with connected(kind) as (provider, server):
        outcomes = provider.send([envelope("alice"), envelope("bob", recipient="bob at home"), envelope("carol")])
    assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED, Result.REFUSED, Result.ACCEPTED]
    assert outcomes[1].reason == "address"
    assert len(server.sent) == 2


# Providers that name no wait: the one that their documentation advises.
OWN_WAITS = {"amazon_ses": 1, "tencent": 1, "alibaba": 60}


def a_rate_limit_defers_and_names_the_wait(kind: str) -> None:
    """429, or the provider's own word for it: nothing was taken, try later."""
    outcome, server = _after(kind, Fault.RATE_LIMITED)
    assert outcome.result is Result.DEFERRED
    assert outcome.reason == "rate"
    assert outcome.retry_after == OWN_WAITS.get(kind, RETRY_AFTER)
    assert server.sent == []


def a_wrong_key_is_the_accounts_fault(kind: str) -> None:
    """Failed for the credentials, in the provider's words, without the key in them."""
    outcome, server = _after(kind, Fault.UNAUTHORISED)
    assert (outcome.result, outcome.reason) == (Result.FAILED, "credentials")
    assert outcome.text
    assert not any(secret in outcome.text for secret in server.credentials.values())
    assert server.sent == []


def a_broken_server_leaves_it_uncertain(kind: str) -> None:
    """500 without an idempotency key: nobody knows, so nothing is sent again."""
    outcome, server = _after(kind, Fault.SERVER_ERROR)
    if PROVIDERS[kind].capabilities.idempotency:
        assert outcome.result is Result.ACCEPTED
        assert len(server.sent) == 1
    else:
        assert outcome.result is Result.UNCERTAIN
        assert len(server.requests) == 1


def an_unavailable_server_took_nothing(kind: str) -> None:
    """503 comes from a balancer with no server behind it."""
    outcome, server = _after(kind, Fault.UNAVAILABLE)
    assert outcome.result is Result.DEFERRED
    assert server.sent == []


def an_answer_that_never_comes_leaves_it_uncertain(kind: str) -> None:
    """The body left and no answer came: uncertain, or repeated under the same key where the provider knows keys."""
    for fault in (Fault.SILENT, Fault.BREAKS_OFF, Fault.MALFORMED):
        outcome, server = _after(kind, fault, "0.4" if fault is Fault.SILENT else "5")
        assert len(server.sent) == 1, fault
        if PROVIDERS[kind].capabilities.idempotency:
            assert outcome.result is Result.ACCEPTED, fault
        else:
            assert outcome.result is Result.UNCERTAIN, fault
            assert len(server.requests) == 1, fault


def a_lost_batch_is_uncertain_as_a_whole(kind: str) -> None:
    """No message of an unanswered call is sent again, and none of the others is lost."""
    wanted = [envelope(f"person{n}") for n in range(3)]
    with connected(kind) as (provider, server):
        server.script(Fault.BREAKS_OFF)
        outcomes = provider.send(wanted)
    assert len(server.sent) == 3
    can = PROVIDERS[kind].capabilities
    lost = 0 if can.idempotency else (3 if can.batch_max >= 3 else 1)
    assert [outcome.result for outcome in outcomes] == [Result.UNCERTAIN] * lost + [Result.ACCEPTED] * (3 - lost)


def a_server_that_is_not_there_took_nothing(kind: str) -> None:
    """No connection: deferred, in words."""
    with connected(kind) as (provider, server):
        server.close()
        outcomes = provider.send([envelope("alice"), envelope("bob")])
    assert [outcome.result for outcome in outcomes] == [Result.DEFERRED, Result.DEFERRED]
    assert all(outcome.text for outcome in outcomes)


def a_connection_test_tells_the_truth(kind: str) -> None:
    """Works with the right key; with a wrong one it gives the server's words, not ours, and no secret."""
    if kind == "generic_http":
        return
    with connected(kind) as (provider, server):
        assert provider.test_connection().ok
        server.script(Fault.UNAUTHORISED)
        report = provider.test_connection()
        assert not report.ok
        assert report.words
        assert not any(secret in report.words for secret in server.credentials.values())
        assert server.sent == []


def threads_share_a_provider(kind: str) -> None:
    """Eight threads at once: every message arrives once, and each thread keeps its connection."""
    wanted = [envelope(f"person{n}") for n in range(32)]
    with connected(kind, latency=0.01) as (provider, server), ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda one: provider.send([one])[0], wanted))
    assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED] * 32
    assert sorted(sent.recipient for sent in server.sent) == sorted(one.recipient for one in wanted)
    assert server.connections <= 8


def _after(kind: str, fault: Fault, timeout: str = "5") -> tuple[Outcome, FakeProvider]:
    """The outcome of one message whose request meets a fault, and the fake afterwards."""
    with connected(kind, timeout=timeout) as (provider, server):
        server.script(fault)
        outcomes = provider.send([envelope("alice")])
    assert len(outcomes) == 1
    return outcomes[0], server


CHECKS = (
    a_message_arrives_as_it_was_made,
    many_messages_arrive_each_with_its_own_words,
    bodies_of_different_build_do_not_mix,
    one_bad_address_does_not_fail_the_batch,
    what_is_no_address_never_leaves,
    a_batch_meets_one_refusal_together,
    a_rate_limit_defers_and_names_the_wait,
    a_wrong_key_is_the_accounts_fault,
    a_broken_server_leaves_it_uncertain,
    an_unavailable_server_took_nothing,
    an_answer_that_never_comes_leaves_it_uncertain,
    a_lost_batch_is_uncertain_as_a_whole,
    a_server_that_is_not_there_took_nothing,
    a_connection_test_tells_the_truth,
    threads_share_a_provider,
)
