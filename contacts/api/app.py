"""The endpoints of /api/v1/."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI

from contacts.addresses import Address, normalise_address
from contacts.models import ApiKey, Contact, MailingList
from contacts.queries import field_kinds, lists_by_reference, suppressed_keys
from contacts.services import unsubscribe_contact
from contacts.services.profiles import SOURCE, ProfileRow, ProfilesTaken, RowError, sync_profiles

from .auth import BearerKey, key_of
from .bodies import answer_once, read_json
from .errors import ApiError, answer_errors
from .rows import RowChecker
from .schemas import (
    Bulk,
    ErrorOut,
    ListOut,
    ProfileOut,
    ProfilesIn,
    ProfilesOut,
    UnsubscribeIn,
    UnsubscribeOut,
    inlined,
)

MAX_ROWS = 1000
REFUSALS = {401: ErrorOut, 403: ErrorOut}
STATES = {"confirmed": "subscribed", "unconfirmed": "unconfirmed", "unsubscribed": "unsubscribed"}

api = NinjaAPI(
    title="Fanfare API",
    version="1",
    description="Sync people and their consent. Make a key in the admin under API keys.",
    urls_namespace="api-1",
    auth=BearerKey(),
)
answer_errors(api)


@api.post(
    "/profiles/bulk",
    response={200: ProfilesOut, **REFUSALS, 409: ErrorOut, 413: ErrorOut, 415: ErrorOut, 422: ErrorOut},
    summary="Add or change up to 1,000 profiles",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": inlined(ProfilesIn)}}},
        "parameters": [
            {
                "in": "header",
                "name": "Idempotency-Key",
                "schema": {"type": "string", "maxLength": 255},
                "description": "A repeated request with the same key and body gets the first answer, for 24 hours.",
            }
        ],
    },
)
def bulk_profiles(request: HttpRequest) -> HttpResponse:
    """Rows that cannot be taken in are listed under `errors`; all others are."""
    key = key_of(request)
    body = read_json(request)
    rows = _rows(body)
    return answer_once(request, key, body, lambda: _take_profiles(key, rows))


def _rows(body: bytes) -> list[msgspec.Raw]:
    try:
        rows = msgspec.json.decode(body, type=Bulk).profiles
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(422, f"The body does not have the documented form: {error}") from error
    if len(rows) > MAX_ROWS:
        raise ApiError(413, f"A request may have {MAX_ROWS:,} profiles; this one has {len(rows):,}.")
    return rows


def _take_profiles(key: ApiKey, rows: list[msgspec.Raw]) -> dict[str, Any]:
    checker = RowChecker(lists_by_reference(key.brand_id), field_kinds(), key.prefix)
    checked = [checker.check(index, row) for index, row in enumerate(rows)]
    good = [row for row in checked if isinstance(row, ProfileRow)]
    taken = sync_profiles(key.brand, good, now=timezone.now())
    taken.errors += [row for row in checked if isinstance(row, RowError)]
    return _report(len(rows), taken)


def _report(n_rows: int, taken: ProfilesTaken) -> dict[str, Any]:
    return {
        "n_rows": n_rows,
        "n_accepted": len(taken.ids),
        "n_created": taken.n_created,
        "n_updated": taken.n_updated,
        "n_consents": taken.n_consents,
        "profiles": [{"index": index, "id": str(taken.ids[index])} for index in sorted(taken.ids)],
        "errors": [
            {"index": error.index, "field": error.field, "error": error.error}
            for error in sorted(taken.errors, key=lambda error: error.index)
        ],
    }


@api.get("/profiles/{uuid:profile_id}", response={200: ProfileOut, **REFUSALS, 404: ErrorOut}, summary="One profile")
def read_profile(request: HttpRequest, profile_id: UUID) -> dict[str, Any]:
    """The contact, and its subscriptions to lists of the key's brand."""
    key = key_of(request)
    contact = Contact.objects.filter(uuid=profile_id).first()
    if contact is None:
        raise ApiError(404, "There is no such profile.")
    subscriptions = contact.subscriptions.filter(mailing_list__brand=key.brand_id).select_related("mailing_list")
    suppressed = suppressed_keys([contact.address_key], brand_id=key.brand_id, now=timezone.now())
    names = ("email", "first_name", "last_name", "phone", "country", "city", "locale", "timezone", "fields")
    return {name: getattr(contact, name) for name in (*names, "created_at", "updated_at")} | {
        "id": contact.uuid,
        "suppressed": bool(suppressed),
        "subscriptions": [
            {
                "list_id": subscription.mailing_list_id,
                "list": subscription.mailing_list.name,
                "state": STATES[subscription.state],
                "since": subscription.consent_at,
            }
            for subscription in subscriptions.order_by("mailing_list__name")
        ],
    }


@api.get("/lists", response={200: list[ListOut], **REFUSALS}, summary="The brand's mailing lists")
def read_lists(request: HttpRequest) -> list[MailingList]:
    """Lists by name."""
    return list(MailingList.objects.filter(brand=key_of(request).brand_id).order_by("name"))


@api.post(
    "/unsubscribe",
    response={200: UnsubscribeOut, **REFUSALS, 404: ErrorOut, 422: ErrorOut},
    summary="Take a person off lists",
)
def unsubscribe(request: HttpRequest, leaving: UnsubscribeIn) -> dict[str, int]:
    """The person is off the lists; repeating it changes nothing."""
    key = key_of(request)
    now = timezone.now()
    known = lists_by_reference(key.brand_id)
    references = leaving.lists if leaving.lists is not None else list(known)
    missing = [reference for reference in references if reference not in known]
    if missing:
        raise ApiError(422, f"The key's brand has no list {missing[0]!r}.")
    contact = _person(key, leaving)
    list_ids = {known[reference] for reference in references}
    if leaving.lists is None:
        list_ids &= set(contact.subscriptions.values_list("mailing_list_id", flat=True))
    n_unsubscribed = unsubscribe_contact(
        contact.pk,
        list_ids=list_ids,
        source=SOURCE,
        occurred_at=leaving.occurred_at or now,
        evidence={"key": key.prefix},
        now=now,
    )
    return {"n_unsubscribed": n_unsubscribed}


def _person(key: ApiKey, leaving: UnsubscribeIn) -> Contact:
    found = Contact.objects.none()
    if leaving.email:
        address = normalise_address(leaving.email)
        if isinstance(address, Address):
            found = Contact.objects.filter(address=address.address)
    elif leaving.external_id is not None:
        found = Contact.objects.filter(
            identities__brand=key.brand_id, identities__source=SOURCE, identities__external_id=str(leaving.external_id)
        )
    contact = found.first()
    if contact is None:
        raise ApiError(404, "There is no profile with that email or external_id.")
    return contact
