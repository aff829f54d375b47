"""The suppression policy is a row that people edit; bad combinations are refused in words."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from contacts.models import SuppressionPolicy
from contacts.services import policy_of
from contacts.suppression_policy import Policy
from tests.contacts.factories import make_brand

pytestmark = pytest.mark.django_db

ANSWERS = {
    "brand": "",
    "hard_scope": "everywhere",
    "complaint_scope": "brand",
    "soft_scope": "list",
    "soft_count": "3",
    "soft_span_days": "7",
    "soft_window_days": "60",
    "soft_expiry_days": "30",
    "role_names": "abuse\ninfo",
}


@pytest.fixture
def olga(client: Client) -> Client:
    user = User.objects.create_superuser("olga", "olga@example.com", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def usual() -> SuppressionPolicy:
    return SuppressionPolicy.objects.get_or_create(brand=None)[0]


def test_the_usual_policy_is_there_and_can_be_changed(olga: Client) -> None:
    row = usual()
    assert "All brands" in olga.get("/admin/contacts/suppressionpolicy/").content.decode()
    assert olga.post(f"/admin/contacts/suppressionpolicy/{row.pk}/change/", ANSWERS).status_code == 302
    assert policy_of(make_brand().pk) == Policy("everywhere", "brand", "list", 3, 7, 60, 30)


def test_a_window_shorter_than_its_span_is_refused(olga: Client) -> None:
    row = usual()
    page = olga.post(f"/admin/contacts/suppressionpolicy/{row.pk}/change/", ANSWERS | {"soft_window_days": "5"})
    assert page.status_code == 200
    assert policy_of(None) == Policy()


def test_a_second_policy_for_all_brands_is_refused(olga: Client) -> None:
    usual()
    assert olga.post("/admin/contacts/suppressionpolicy/add/", ANSWERS).status_code == 200
    assert SuppressionPolicy.objects.count() == 1


def test_the_policy_for_all_brands_stays(olga: Client) -> None:
    row = usual()
    assert olga.post(f"/admin/contacts/suppressionpolicy/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert SuppressionPolicy.objects.count() == 1
