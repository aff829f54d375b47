"""Forms, addresses to paste, and the words of a refused launch."""

from __future__ import annotations

import pytest

from delivery.providers import PROVIDERS, Network
from delivery.providers.contract import Proof
from delivery.providers.fitness import Uses, problems
from delivery.providers.presets import SMTP_PRESETS, Tls


def test_a_missing_answer_is_named() -> None:
    with pytest.raises(ValueError, match=r"^Mailgun needs: API key or sending key, Sending domain\.$"):
        PROVIDERS["mailgun"].build({}, {})


def test_a_region_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="not an AWS region"):
        PROVIDERS["amazon_ses"].build({"access_key_id": "A", "region": "x.evil.example/"}, {"secret_access_key": "s"})


def test_a_provider_is_built_with_the_defaults_of_its_form() -> None:
    provider = PROVIDERS["mailgun"].build({"sender_domain": "mg.example.com"}, {"api_key": "key-1"}, Network.PUBLIC)
    assert provider.capabilities == PROVIDERS["mailgun"].capabilities
    provider.close()


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_what_is_secret_is_asked_as_a_secret(kind: str) -> None:
    words = ("key", "token", "secret", "password")
    names = {field.name for field in PROVIDERS[kind].fields if any(word in field.name for word in words)}
    secret = {field.name for field in PROVIDERS[kind].fields if field.secret}
    assert names - secret <= {"access_key_id", "secret_id"}
    assert secret


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("postmark", "https://u:p%40ss@shop.example/hooks/abc/"),
        ("tencent", "https://shop.example/hooks/abc/?secret=u%3Ap%40ss"),
        ("resend", "https://shop.example/hooks/abc/"),
        ("aoksend", ""),
    ],
)
def test_the_address_to_paste_carries_what_its_proof_needs(kind: str, address: str) -> None:
    assert PROVIDERS[kind].webhook_address("https://shop.example/hooks/abc/", "u:p@ss") == address


def test_every_scheme_of_proof_is_in_use() -> None:
    hooks = [kind.capabilities.webhooks for kind in PROVIDERS.values()]
    assert {hook.proof for hook in hooks if hook} == set(Proof)


def test_a_route_without_headers_per_recipient_is_refused_in_words() -> None:
    kind = PROVIDERS["aoksend"]
    assert problems(kind.label, kind.capabilities, Uses()) == [
        "AokSend (template API) cannot carry a List-Unsubscribe header per recipient, which Gmail and Yahoo require of "
        "bulk mail. Add a provider with its SMTP relay, or choose another route.",
        "AokSend (template API) sends only templates approved in its console, not a campaign's own design. Choose "
        "a route that takes HTML.",
        "AokSend (template API) binds the From address to the account; the campaign's own sender would be ignored.",
    ]


def test_a_route_that_can_do_it_all_is_not_refused() -> None:
    kind = PROVIDERS["resend"]
    assert problems(kind.label, kind.capabilities, Uses()) == []


def test_what_a_campaign_does_not_use_is_no_reason() -> None:
    kind = PROVIDERS["aoksend"]
    uses = Uses(own_html=False, one_click_unsubscribe=False, chosen_from=False)
    assert problems(kind.label, kind.capabilities, uses) == []


def test_presets_name_hosts_that_speak_tls() -> None:
    assert len(SMTP_PRESETS) == 26
    for preset in SMTP_PRESETS.values():
        assert preset.tls is Tls.IMPLICIT if preset.port == 465 else preset.tls is Tls.STARTTLS
        assert preset.host_in() == preset.host
        assert preset.host in preset.regions.values() or not preset.regions


def test_a_preset_knows_the_hosts_of_its_regions() -> None:
    assert SMTP_PRESETS["amazon_ses"].host_in("eu-central-1") == "email-smtp.eu-central-1.amazonaws.com"
    assert SMTP_PRESETS["tencent"].host_in("ap-singapore") == "sg-smtp.qcloudmail.com"
    with pytest.raises(ValueError, match="no region"):
        SMTP_PRESETS["amazon_ses"].host_in("mars-1")
