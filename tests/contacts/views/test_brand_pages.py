"""A brand as a marketer sets it up, and the first list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from contacts.models import Brand
from tests.contacts.factories import make_brand

pytestmark = pytest.mark.django_db
ADD = "/admin/contacts/brand/add/"
BRAND = {
    "name": "Willow & Clay",
    "slug": "willow",
    "from_name": "Willow & Clay",
    "from_email": "hello@news.willow.example",
    "postal_address": "12 Kiln Lane, Bristol",
    "default_locale": "en",
    "timezone": "Europe/London",
}


def test_what_only_an_operator_knows_may_stay_empty(admin_client: Client) -> None:
    assert admin_client.post(ADD, BRAND).status_code == 302
    brand = Brand.objects.get()
    assert (brand.bounce_domain, brand.tracking_origin, brand.timezone) == ("news.willow.example", "", "Europe/London")


def test_a_domain_for_bounces_is_kept_as_given(admin_client: Client) -> None:
    admin_client.post(ADD, BRAND | {"bounce_domain": "bounces.willow.example"})
    assert Brand.objects.get().bounce_domain == "bounces.willow.example"


@pytest.mark.parametrize(
    ("name", "value"), [("timezone", "Mars/Olympus"), ("from_email", "hello"), ("postal_address", "")]
)
def test_what_would_spoil_mail_is_refused(admin_client: Client, name: str, value: str) -> None:
    page: Any = admin_client.post(ADD, BRAND | {name: value})
    assert list(page.context["adminform"].form.errors) == [name]
    assert not Brand.objects.exists()


def test_the_only_brand_is_chosen_for_a_new_list(admin_client: Client) -> None:
    brand = make_brand()
    page: Any = admin_client.get("/admin/contacts/mailinglist/add/")
    assert page.context["adminform"].form["brand"].value() == brand.pk
    make_brand("Another")
    page = admin_client.get("/admin/contacts/mailinglist/add/")
    assert page.context["adminform"].form["brand"].value() is None


def test_empty_pages_say_what_is_missing_in_plain_words(admin_client: Client) -> None:
    assert "No mailing lists yet" in admin_client.get("/admin/contacts/mailinglist/").content.decode()
    page = admin_client.get("/admin/contacts/mailinglist/?q=zzz").content.decode()
    assert "No mailing lists match the search and the filters." in page
