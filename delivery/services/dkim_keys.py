"""The life of a DKIM key: made, published, switched to, retired."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from django.db import IntegrityError, transaction

from delivery.dkim import KeyKind, generate_key
from delivery.models import DkimKey


class WrongKeyState(Exception):
    """The key cannot do this now; the text says why."""


def add_dkim_key(domain: str, kind: KeyKind, *, now: datetime) -> DkimKey:
    """A new key that signs nothing yet; its selector names the day, so that a rotation never reuses one."""
    private_key, record = generate_key(kind)
    stem = f"ff{now:%Y%m%d}" + ("e" if kind is KeyKind.ED25519 else "")
    for number in count(1):
        try:
            with transaction.atomic():
                return DkimKey.objects.create(
                    domain=domain,
                    selector=stem if number == 1 else f"{stem}-{number}",
                    kind=kind.value,
                    record=record,
                    secrets={"private_key": private_key},
                    created_at=now,
                )
        except IntegrityError:
            continue
    raise AssertionError("count() does not end")


@transaction.atomic
def activate_dkim_key(key_id: int, *, unseen: bool = False, now: datetime) -> DkimKey:
    """Mail of the domain is signed with this key, and no longer with the one of its kind before it.

    Raises WrongKeyState while DNS has not shown the key, unless `unseen`: receivers would call the signature broken.
    """
    key = DkimKey.objects.select_for_update().defer("secrets").get(pk=key_id)
    if key.live_at is None and not unseen:
        raise WrongKeyState(f"{key.name} is not live yet: publish the record, check again, then switch.")
    DkimKey.objects.filter(domain=key.domain, kind=key.kind, state=DkimKey.State.ACTIVE).exclude(pk=key.pk).update(
        state=DkimKey.State.RETIRED, retired_at=now
    )
    changed = DkimKey.objects.filter(pk=key.pk).exclude(state=DkimKey.State.ACTIVE)
    if not changed.update(state=DkimKey.State.ACTIVE, activated_at=now, retired_at=None):
        raise WrongKeyState(f"{key.name} signs already.")
    return key


def retire_dkim_key(key_id: int, *, now: datetime) -> None:
    """The key signs nothing more; its record must stay published while its signatures are on their way."""
    active = DkimKey.objects.filter(pk=key_id, state=DkimKey.State.ACTIVE)
    if not active.update(state=DkimKey.State.RETIRED, retired_at=now):
        raise WrongKeyState("This key does not sign.")


def delete_dkim_key(key_id: int) -> None:
    """The key and its private half are gone; one that signs stays."""
    if not DkimKey.objects.filter(pk=key_id).exclude(state=DkimKey.State.ACTIVE).delete()[0]:
        raise WrongKeyState("This key signs mail: switch to another one first.")
