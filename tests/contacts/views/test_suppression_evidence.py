"""A suppression says why, by whom, on what evidence; a person lifts it and that stays on record."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from contacts.models import Suppression
from contacts.services import suppress_address
from tests.contacts.factories import NOW, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(client: Client) -> Client:
    user = User.objects.create_superuser("olga", "olga@example.com", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page_of(client: Client, suppression: Suppression) -> str:
    return client.get(f"/admin/contacts/suppression/{suppression.pk}/change/").content.decode()


def test_a_file_leaves_its_name_and_who_brought_it(olga: Client) -> None:
    upload = SimpleUploadedFile("gone.csv", b"email\na@example.org\nb@example.org\n")
    olga.post("/admin/contacts/suppression/file/", {"file": upload, "reason": "complaint"})
    user = User.objects.get(username="olga")
    rows = Suppression.objects.order_by("address")
    assert [(row.address, row.reason, row.source, row.evidence) for row in rows] == [
        ("a@example.org", "complaint", "admin", {"file": "gone.csv", "by": user.pk}),
        ("b@example.org", "complaint", "admin", {"file": "gone.csv", "by": user.pk}),
    ]
    page = page_of(olga, rows[0])
    assert "gone.csv" in page
    assert "Suppressed by" in page
    assert "olga" in page


def test_evidence_is_shown_in_words_and_lifting_stays_on_record(olga: Client) -> None:
    contact = make_contact("dead@example.org")
    evidence = {"campaign": 12, "reply": "550 5.1.1 user unknown", "account": None, "rule": "enhanced 1.1"}
    suppress_address(
        contact.address_key, contact.address, reason="hard_bounce", source="smtp", evidence=evidence, now=NOW
    )
    found = Suppression.objects.get()
    page = page_of(olga, found)
    assert "The server said" in page
    assert "550 5.1.1 user unknown" in page
    assert "Provider account number" not in page
    olga.post(f"/admin/contacts/suppression/{found.pk}/change/", {"note": "mailbox is back"})
    found.refresh_from_db()
    assert (str(found.lifted_by), found.lift_note) == ("olga", "mailbox is back")
    assert "mailbox is back" in page_of(olga, found)
