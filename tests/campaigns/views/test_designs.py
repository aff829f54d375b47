"""Templates: gallery, editor, and the frames in which designs are shown."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from campaigns.models import Template
from campaigns.starters import BLANK
from tests.campaigns.factories import BODY, BROKEN, make_campaign, make_template
from tests.campaigns.views.reading import page_of, texts
from tests.contacts.factories import make_brand, make_contact


def url(name: str, *args: object) -> str:
    return reverse(f"admin:campaigns_template_{name}", args=args)


def test_the_gallery_shows_own_and_shipped_designs(maria: Client) -> None:
    template = make_template()

    page = page_of(maria.get(url("changelist")))

    assert texts(page, "[aria-labelledby=own] .cover") == ["Newsletter"]
    assert page.cssselect("[aria-labelledby=own] iframe")[0].get("src") == url("show", template.pk)
    assert texts(page, "[aria-labelledby=shipped] .cover")[-1] == "Blank"


def test_a_new_template_starts_from_a_design_and_opens_in_the_editor(maria: Client) -> None:
    response = maria.post(url("add"), {"name": "News", "brand": make_brand().pk, "start": "blank"})

    template = Template.objects.get()
    assert response["Location"] == url("change", template.pk)
    assert (template.name, template.markup, template.body) == ("News", "mjml", BLANK)


def test_a_name_is_used_once_per_brand(maria: Client) -> None:
    template = make_template()

    page = page_of(maria.post(url("add"), {"name": template.name, "brand": template.brand_id}))

    assert texts(page, "#id_name_error") == ["A template of this name exists already."]
    assert Template.objects.count() == 1


def test_the_editor_saves(maria: Client) -> None:
    template = make_template()

    maria.post(url("change", template.pk), {"name": "New", "markup": "mjml", "body": BLANK, "text": "Hello"})

    template.refresh_from_db()
    assert (template.name, template.markup, template.body, template.text) == ("New", "mjml", BLANK, "Hello")


def test_a_template_that_cannot_be_shown_yet_can_be_saved(maria: Client) -> None:
    template = make_template()

    maria.post(url("change", template.pk), {"name": "New", "markup": "html", "body": BROKEN})

    template.refresh_from_db()
    assert template.body == BROKEN
    page = page_of(maria.get(url("change", template.pk)))
    assert texts(page, ".preview .small-title") == ["It cannot be shown yet"]


def test_changing_a_template_changes_no_campaign(maria: Client) -> None:
    template = make_template()
    campaign = make_campaign(brand=template.brand, body=template.body)

    maria.post(url("change", template.pk), {"name": "New", "markup": "html", "body": "<p>Other</p>"})

    assert campaign.variants.get().body == BODY


def test_a_design_is_shown_in_a_frame_that_may_load_pictures_and_nothing_else(maria: Client) -> None:
    response = maria.get(url("show", make_template().pk))

    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self' data: https:; style-src 'unsafe-inline';")
    assert policy.endswith("frame-ancestors 'self'; sandbox")
    assert "Hello Robin" in response.content.decode()


def test_a_broken_design_says_so_in_its_frame(maria: Client) -> None:
    body = maria.get(url("show", make_template(body=BROKEN).pk)).content.decode()

    assert "cannot be read" in body


def test_a_shipped_design_that_does_not_exist_is_not_found(maria: Client) -> None:
    assert maria.get(url("starter", "no-such-design")).status_code == 404


def test_the_preview_of_a_template_does_not_ask_for_a_subject(maria: Client) -> None:
    made = maria.post(url("preview", make_template().pk), {"markup": "html", "body": BODY}).json()

    assert "No problems found." in made["problems"]


def test_dark_mode_is_shown_when_asked_for(maria: Client) -> None:
    body = BODY.replace("<head>", "<head><style>@media (prefers-color-scheme: dark) { p { color: red } }</style>")
    source = {"markup": "html", "body": body}
    preview = url("preview", make_template().pk)

    assert "prefers-color-scheme" in maria.post(preview, source).json()["html"]
    assert "prefers-color-scheme" not in maria.post(preview, {**source, "preview_dark": "on"}).json()["html"]


def test_readers_are_suggested_by_address_or_name(maria: Client) -> None:
    make_contact("alice@example.com", first_name="Alice", last_name="O'Hara <b>")

    body = maria.get(url("readers"), {"preview_as": "ali"}).content.decode()

    assert '<option value="alice@example.com">Alice O&#x27;Hara &lt;b&gt;</option>' in body


def test_a_body_cannot_leave_its_frame(maria: Client) -> None:
    template = make_template(body='<html><body>"></iframe><script>alert(1)</script></body></html>')

    page = page_of(maria.get(url("change", template.pk)))

    assert page.cssselect("script:not([src]):not([type='application/json'])") == []
