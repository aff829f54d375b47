"""A new encryption key in front, everything under it, the old one dropped; what no key opens is named."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from contacts.encryption import WrongKey
from delivery.dkim import KeyKind
from delivery.models import DkimKey, ProviderAccount
from delivery.services.dkim_keys import add_dkim_key
from tests.delivery.factories import NOW

pytestmark = pytest.mark.django_db


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_after_rotation_the_old_key_can_be_dropped(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = new_key(), new_key()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    for name in ("a", "b"):
        ProviderAccount.objects.create(name=name, secrets={"password": f"s3cret {name}"})
    ProviderAccount.objects.create(name="without")
    private = add_dkim_key("news.acme.example", KeyKind.ED25519, now=NOW).secrets
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    ProviderAccount.objects.create(name="c", secrets={"password": "new"})
    call_command("reencrypt_secrets")
    assert "delivery_provideraccount.secrets: 2 re-encrypted, 1 under the newest key before" in capsys.readouterr().out
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert ProviderAccount.objects.get(name="b").secrets == {"password": "s3cret b"}
    assert ProviderAccount.objects.get(name="without").secrets == {}
    assert DkimKey.objects.get().secrets == private


def test_what_no_key_opens_is_named_and_kept(settings: Any) -> None:
    lost, old, new = new_key(), new_key(), new_key()
    settings.FIELD_ENCRYPTION_KEYS = [lost]
    stuck = ProviderAccount.objects.create(name="stuck", secrets={"password": "x"})
    settings.FIELD_ENCRYPTION_KEYS = [old]
    fine = ProviderAccount.objects.create(name="fine", secrets={"password": "y"})
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    with pytest.raises(CommandError, match=rf"delivery_provideraccount\.secrets of rows {stuck.pk}\."):
        call_command("reencrypt_secrets")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert ProviderAccount.objects.get(pk=fine.pk).secrets == {"password": "y"}
    with pytest.raises(WrongKey):
        ProviderAccount.objects.get(pk=stuck.pk)
    settings.FIELD_ENCRYPTION_KEYS = [new, lost]
    assert ProviderAccount.objects.get(pk=stuck.pk).secrets == {"password": "x"}
