"""A contact leaves: lists of a campaign, or everything of its brand; recorded as consent, suppression and event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import msgspec
import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy
from redis import Redis

from campaigns.models import Campaign
from contacts.models import Brand, Contact, MailingList, Subscription
from contacts.services import subscribe_contact, suppress_address, unsubscribe_contact
from delivery.events import NewEvent, append_events, event_key
from delivery.models import Event

log = structlog.get_logger()

QUEUE = "fanfare:leaving"
# Wishes that could not be carried out for another reason than an outage: kept, so that a person can look.
FAILED = "fanfare:leaving:failed"

# What a person may tick as the reason; the report counts them.
WHYS = {
    "too_often": gettext_lazy("I get too many messages"),
    "not_interesting": gettext_lazy("The messages are not for me"),
    "never_asked": gettext_lazy("I never asked for them"),
    "other": gettext_lazy("Something else"),
}


class Wish(msgspec.Struct, frozen=True):
    """What a person asked for; `at` is Unix seconds, 0 for now."""

    campaign_id: int
    contact_id: int
    everything: bool = False
    reason: str = ""
    source: str = "page"
    why: str = ""  # a key of WHYS, or empty
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class ListChoice:
    """A list on the preference page."""

    pk: int
    name: str
    description: str
    subscribed: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the public pages show."""

    brand: Brand | None
    email: str
    lists: Sequence[ListChoice]
    locale: str = ""  # the contact's
    known: bool = True  # False: PostgreSQL is away, nothing can be shown


NOTHING_KNOWN = Page(None, "", [], known=False)


def page_for(campaign_id: int, contact_id: int) -> Page:
    """The page for one message's reader; empty where campaign or contact are gone."""
    try:
        campaign = Campaign.objects.select_related("brand").filter(pk=campaign_id).first()
        contact = Contact.objects.filter(pk=contact_id).first()
    except DatabaseError:
        return NOTHING_KNOWN  # the button must work during an outage
    if campaign is None or contact is None:
        return Page(campaign.brand if campaign else None, "", [])
    states = dict(contact.subscriptions.values_list("mailing_list_id", "state"))
    lists = MailingList.objects.filter(brand=campaign.brand)
    shown = [item for item in lists if item.public or states.get(item.pk) == Subscription.State.CONFIRMED]
    choices = [
        ListChoice(item.pk, item.name, item.description, states.get(item.pk) == Subscription.State.CONFIRMED)
        for item in shown
    ]
    return Page(campaign.brand, _hinted(contact.email), choices, contact.locale)


@transaction.atomic
def leave(wish: Wish, *, now: datetime) -> None:
    """The contact is off the campaign's lists (or suppressed for the brand); doing it again changes nothing."""
    campaign = Campaign.objects.filter(pk=wish.campaign_id).first()
    contact = Contact.objects.filter(pk=wish.contact_id).first()
    if campaign is None or contact is None:
        return
    evidence = {"campaign": campaign.pk, "reason": wish.reason, "why": wish.why}
    at = datetime.fromtimestamp(wish.at, UTC) if wish.at else now
    if wish.everything:
        suppress_address(
            contact.address_key,
            contact.address,
            reason="unsubscribed",
            source=wish.source,
            evidence=evidence,
            brand_id=campaign.brand_id,
            now=now,
        )
        list_ids = list(MailingList.objects.filter(brand=campaign.brand_id).values_list("pk", flat=True))
    else:
        list_ids = list(campaign.send_to.values_list("pk", flat=True))
    unsubscribe_contact(contact.pk, list_ids=list_ids, source=wish.source, occurred_at=at, evidence=evidence, now=now)
    _record(wish, at, now)


def set_preferences(campaign_id: int, contact_id: int, wanted: set[int], *, now: datetime) -> None:
    """The contact is on exactly the wanted ones of the lists that the page showed."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None or not Contact.objects.filter(pk=contact_id).exists():
        return
    choices = page_for(campaign_id, contact_id).lists
    dropped = [choice.pk for choice in choices if choice.subscribed and choice.pk not in wanted]
    joined = [choice.pk for choice in choices if not choice.subscribed and choice.pk in wanted]
    evidence = {"campaign": campaign_id}
    if dropped:
        unsubscribe_contact(
            contact_id, list_ids=dropped, source="preferences", occurred_at=now, evidence=evidence, now=now
        )
    if dropped and not wanted:
        _record(Wish(campaign_id, contact_id, source="preferences"), now, now)
    if joined:
        subscribe_contact(
            contact_id, list_ids=joined, source="preferences", occurred_at=now, evidence=evidence, now=now
        )


def keep_for_later(redis: Redis, wish: Wish) -> None:
    """PostgreSQL could not be written: the wish waits in Redis."""
    redis.rpush(QUEUE, msgspec.msgpack.encode(wish))


def carry_out_kept(redis: Redis) -> int:
    """Wishes that waited are carried out, each leaving Redis only after its commit; returns how many."""
    n_done = 0
    while raw := cast("bytes | None", redis.lindex(QUEUE, 0)):
        try:
            leave(msgspec.msgpack.decode(raw, type=Wish), now=timezone.now())
            n_done += 1
        except (OperationalError, InterfaceError):
            raise  # the outage goes on: it stays where it is
        except (msgspec.DecodeError, DatabaseError) as problem:
            log.error("unsubscribe not carried out", problem=str(problem))
            redis.rpush(FAILED, raw)
        redis.lrem(QUEUE, 1, cast("str", raw))
    return n_done


def _record(wish: Wish, at: datetime, now: datetime) -> None:
    """One unsubscribe per message, however often it is asked for; a reason that is given later is added to it."""
    # Two clicks at once: the second waits for the first one's commit, and sees its event.
    Contact.objects.select_for_update().filter(pk=wish.contact_id).values_list("pk").first()
    known = Event.objects.filter(campaign_id=wish.campaign_id, kind="unsubscribed", contact_id=wish.contact_id)
    details = {"source": wish.source, "reason": wish.reason, "everything": wish.everything, "why": wish.why}
    if known.exists():
        if wish.why or wish.reason:
            known.update(details=details)
        return
    event = NewEvent(
        kind="unsubscribed",
        event_key=event_key("unsubscribed", wish.campaign_id, wish.contact_id),
        occurred_at=at,
        campaign_id=wish.campaign_id,
        contact_id=wish.contact_id,
        verdict="human",
        details=details,
    )
    append_events([event], now=now)


def _hinted(email: str) -> str:
    """Enough of an address to recognise one's own: a forwarded mail must not give it away."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"
