"""Mail of a domain with a key leaves signed: what arrived at a real server verifies with dkimpy against a real DNS."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dkim
import pytest
from redis import Redis

from campaigns.models import Variant
from contacts.encryption import WrongKey
from delivery.dkim import KeyKind, dns_strings
from delivery.models import DkimKey, Route
from delivery.providers.dns_lookup import Lookup
from delivery.sending import builders
from delivery.sending.signing import signer_for
from delivery.services.dkim_keys import activate_dkim_key, add_dkim_key, retire_dkim_key
from delivery.services.testing import send_test_messages
from tests.delivery.factories import make_account, make_campaign, make_list, make_readers, make_route
from tests.delivery.providers import name_server
from tests.delivery.sending.draining import launch_and_drain
from tests.delivery.smtp.scripted import ScriptedServer, in_thread

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOMAIN = "news.acme.example"


def make_key(kind: KeyKind = KeyKind.RSA, domain: str = DOMAIN) -> DkimKey:
    key = add_dkim_key(domain, kind, now=NOW)
    return activate_dkim_key(key.pk, unseen=True, now=NOW)


def zone_of(*keys: DkimKey) -> dict[tuple[str, str], list[str]]:
    quoted = {key.name: " ".join(f'"{part}"' for part in dns_strings(key.record)) for key in keys}
    return {(name, "TXT"): [text] for name, text in quoted.items()}


def asking(lookup: Lookup) -> Callable[..., bytes]:
    def ask(name: bytes, **_: Any) -> bytes:
        return "".join(lookup(name.decode(), "TXT")).encode()

    return ask


def signatures(raw: bytes) -> list[tuple[str, str]]:
    """(domain, selector) of each."""
    return re.findall(r"d=([\w.]+); s=([\w-]+)", raw.partition(b"\r\n\r\n")[0].decode())


def route_to(server: ScriptedServer) -> Route:
    return make_route(make_account(port=server.port, max_connections=2))


@pytest.mark.django_db(transaction=True)
def test_a_drained_campaign_is_signed_with_every_active_key(redis: Redis) -> None:
    rsa, short = make_key(), make_key(KeyKind.ED25519)
    news = make_list()
    make_readers(5, news)
    campaign = make_campaign(news)
    with in_thread(ScriptedServer()) as server:
        launch_and_drain(campaign, route_to(server), redis)
    assert len(server.received) == 5
    with name_server.serving(zone_of(rsa, short)) as lookup:
        for received in server.received:
            verifier = dkim.DKIM(received.data)
            assert [verifier.verify(idx=i, dnsfunc=asking(lookup)) for i in (0, 1)] == [True, True]
            assert b"list-unsubscribe-post" in received.data.partition(b"b=")[0]
            assert not dkim.verify(received.data.replace(b"sale", b"scam"), dnsfunc=asking(lookup))
    assert signatures(server.received[0].data) == [(DOMAIN, rsa.selector), (DOMAIN, short.selector)]


@pytest.mark.django_db(transaction=True)
def test_a_test_message_is_signed_too() -> None:
    key = make_key()
    news = make_list()
    campaign = make_campaign(news)
    with in_thread(ScriptedServer()) as server:
        route_to(server)
        results = send_test_messages(
            Variant.objects.get(campaign=campaign).pk, contact_id=None, to=["alice@example.org"]
        )
    assert [result.ok for result in results] == [True]
    with name_server.serving(zone_of(key)) as lookup:
        assert dkim.verify(server.received[0].data, dnsfunc=asking(lookup))


@pytest.mark.django_db
def test_only_active_keys_sign_and_the_nearest_domain_does() -> None:
    assert signer_for(DOMAIN) is None
    add_dkim_key(DOMAIN, KeyKind.RSA, now=NOW)
    assert signer_for(DOMAIN) is None  # it waits
    above = make_key(domain="acme.example")
    make_key(domain="other.example")
    found = signer_for(DOMAIN)
    assert found is not None
    assert signatures(found.sign([(b"From", b" x")], b"y\r\n") + b"\r\n\r\n") == [("acme.example", above.selector)]
    own = make_key()
    found = signer_for(DOMAIN.upper())
    assert found is not None
    assert signatures(found.sign([(b"From", b" x")], b"y\r\n") + b"\r\n\r\n") == [(DOMAIN, own.selector)]
    retire_dkim_key(own.pk, now=NOW)
    retire_dkim_key(above.pk, now=NOW)
    assert signer_for(DOMAIN) is None


@pytest.mark.django_db(transaction=True)
def test_a_campaign_under_way_changes_to_the_new_key(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builders, "KEYS_HOLD_SECONDS", 0.0)
    old = make_key()
    new = add_dkim_key(DOMAIN, KeyKind.RSA, now=NOW)
    prepare = builders.Envelopes.prepare

    def switch_then_prepare(envelopes: builders.Envelopes, lease: Any) -> None:
        prepare(envelopes, lease)  # the builder is made with the old key
        if DkimKey.objects.get(pk=new.pk).state == "waiting":
            activate_dkim_key(new.pk, unseen=True, now=NOW)
        prepare(envelopes, lease)

    monkeypatch.setattr(builders.Envelopes, "prepare", switch_then_prepare)
    news = make_list()
    make_readers(2, news)
    with in_thread(ScriptedServer()) as server:
        launch_and_drain(make_campaign(news), route_to(server), redis)
    assert [signatures(received.data) for received in server.received] == [[(DOMAIN, new.selector)]] * 2
    assert list(DkimKey.objects.order_by("pk").values_list("selector", "state")) == [
        (old.selector, "retired"),
        (new.selector, "active"),
    ]


@pytest.mark.django_db
def test_a_private_key_is_stored_encrypted_and_a_wrong_key_is_an_error(settings: Any) -> None:
    make_key()
    settings.FIELD_ENCRYPTION_KEYS = ["dGhpcy1rZXktaXMtb25seS1mb3ItdGhpcy10ZXN0ISE="]
    with pytest.raises(WrongKey):
        signer_for(DOMAIN)
