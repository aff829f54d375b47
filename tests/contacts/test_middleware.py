"""A store whose secret no key opens: a page in words for people, "later" for machines, never a server error."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.test import Client

from tests.contacts.stores.delivering import make_store

pytestmark = pytest.mark.django_db


def test_a_lost_key_is_said_to_staff_and_not_to_visitors(client: Client, settings: Any) -> None:
    store = make_store()
    client.force_login(
        User.objects.create_superuser("olga", "o@example.com", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    page = client.get(f"/admin/stores/store/{store.pk}/change/")
    assert (page.status_code, "FIELD_ENCRYPTION_KEYS and restart" in page.content.decode()) == (503, True)
    client.logout()
    answer = client.post(f"/hooks/stores/{store.uuid}", b"{}", content_type="application/json")
    assert (answer.status_code, "FIELD_ENCRYPTION_KEYS" in answer.content.decode()) == (503, False)
