"""Readers' pages in the reader's language; every sentence in every language, and compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils.translation import to_locale
from django.utils.translation.template import templatize
from lxml import html

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.partitions import ensure_event_partitions
from delivery.tracking import views
from tests.campaigns.views.reading import faults, texts
from tests.delivery.factories import make_campaign, make_contact, make_list, subscribe

ROOT = Path(__file__).parents[3]
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
HEADINGS = {
    "en": "Unsubscribe?",
    "de": "Abmelden?",
    "es": "¿Cancelar la suscripción?",
    "fr": "Se désabonner ?",
    "it": "Annullare l’iscrizione?",
    "ja": "配信を停止しますか？",
    "pt-br": "Cancelar a inscrição?",
    "zh-hans": "确定要退订吗？",
}


@pytest.fixture
def alice() -> Iterator[Contact]:
    ensure_event_partitions(datetime.now(UTC))
    views.database_outage().clear()
    contact = make_contact("alice@example.org")
    subscribe(contact, make_list())
    yield contact
    views.database_outage().clear()


@pytest.fixture
def campaign(alice: Contact) -> Campaign:
    return make_campaign(make_list(), state="sending", launched_at=datetime(2026, 1, 1, tzinfo=UTC))


def path(campaign: Campaign, contact: Contact, page: str = "u") -> str:
    return f"/{page}/{views.tokens().make(campaign.pk, contact.pk)}"


def seen(client: Client, address: str, accept: str = "") -> tuple[str, str]:
    """The page's language and its heading."""
    page = html.fromstring(client.get(address, headers={"accept-language": accept}).content.decode())
    return page.get("lang") or "", texts(page, "h1")[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("locale", "accept", "language"),
    [
        ("", "", "en"),
        ("", "tlh, ja;q=0.5", "ja"),
        ("", "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de", "fr", "de"),
        ("de_AT", "fr", "de"),
        ("zh-CN", "en", "zh-hans"),
        ("zh_TW", "en", "zh-hans"),  # no traditional characters yet; nearer than English
        ("zh-Hans-SG", "en", "zh-hans"),
        ("pt", "en", "pt-br"),
        ("pt-BR", "en", "pt-br"),
        ("en-GB", "de", "en"),
        ("tlh", "es", "es"),
        ("../../etc", "it", "it"),
        ("x" * 16, "", "en"),
    ],
)
def test_the_contacts_language_comes_first_then_the_browsers(
    client: Client, campaign: Campaign, alice: Contact, locale: str, accept: str, language: str
) -> None:
    Contact.objects.filter(pk=alice.pk).update(locale=locale)
    assert seen(client, path(campaign, alice), accept) == (language, HEADINGS[language])


@pytest.mark.django_db
@pytest.mark.parametrize("language", sorted(HEADINGS))
def test_every_page_speaks_the_language_and_still_works(
    client: Client, campaign: Campaign, alice: Contact, language: str
) -> None:
    Contact.objects.filter(pk=alice.pk).update(locale=language)
    headers = {"accept-language": language}
    pages = [
        client.get(path(campaign, alice)),
        client.get(path(campaign, alice, "p")),
        client.post(path(campaign, alice, "p"), {"list": []}),
        client.post(path(campaign, alice), {"scope": "list", "why": "too_often"}),
        client.post(path(campaign, alice), {"scope": "everything"}),
        client.get("/u/" + "A" * 22, headers=headers),
    ]
    shown = [html.fromstring(page.content.decode()) for page in pages]
    assert {(page.get("lang"), *faults(page)) for page in shown} == {(language,)}
    if language != "en":
        lines = {text.strip() for page in shown for text in page.itertext()}
        english = {text for (_, text), translated in catalog(language).items() if translated != text}
        assert lines & english == set()
    one_click = client.post(path(campaign, alice), {"List-Unsubscribe": "One-Click"}, headers=headers)
    assert one_click.content == b"Unsubscribed."


@pytest.mark.django_db
def test_while_postgresql_is_away_the_browser_says_the_language(
    client: Client, campaign: Campaign, alice: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    Contact.objects.filter(pk=alice.pk).update(locale="de")
    address = path(campaign, alice)

    def away(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(Campaign.objects, "select_related", away)
    assert seen(client, address, "ja") == ("ja", HEADINGS["ja"])
    assert seen(client, path(campaign, alice, "p"), "ja") == ("ja", "少々お待ちください")


@pytest.mark.django_db
def test_the_admin_stays_in_english(admin_client: Client) -> None:
    assert seen(admin_client, "/admin/contacts/contact/", "de")[0].startswith("en")


def messages_of(language: str) -> Path:
    return ROOT / "templates" / "locale" / to_locale(language) / "LC_MESSAGES"


def catalog(language: str) -> dict[tuple[str | None, str], str]:
    """Context and English text, to the translation."""
    with (messages_of(language) / "django.po").open("rb") as opened:
        messages = [message for message in read_po(opened) if message.id]
    return {(message.context, str(message.id)): str(message.string) for message in messages}


def sentences() -> set[tuple[str | None, str]]:
    """Context and text of all that readers' pages and the reasons for leaving say."""
    sources = [templatize(file.read_text()) for file in (ROOT / "templates").glob("**/public/*.html")]
    sources.append((ROOT / "delivery" / "services" / "leaving.py").read_text())
    keywords = {"gettext": None, "gettext_lazy": None, "pgettext": ((1, "c"), 2)}
    return {
        (context, str(text if isinstance(text, str) else text[-1]))
        for source in sources
        for _, text, _, context in extract("python", BytesIO(source.encode()), keywords)
    }


def slots(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|</?\w+>", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_and_none_that_is_not_said(language: str) -> None:
    known = catalog(language)
    assert known.keys() == sentences()
    assert [key for key, text in known.items() if not text] == []
    assert [key for key, text in known.items() if slots(text) != slots(key[1])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    with (messages_of(language) / "django.mo").open("rb") as opened:
        compiled = GNUTranslations(opened)
    said = {
        (context, text): compiled.pgettext(context, text) if context else compiled.gettext(text)
        for context, text in catalog(language)
    }
    assert said == catalog(language), "run `make messages`"
