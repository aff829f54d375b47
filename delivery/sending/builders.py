"""From a person to an envelope: message builders of the campaigns under way, cached per worker process."""

from __future__ import annotations

import time
from collections import OrderedDict
from email.utils import formatdate
from typing import TYPE_CHECKING

from django.conf import settings

from campaigns.queries import frozen_contents
from delivery.mime import MessageBuilder, Parts, Recipient, needs_smtputf8
from delivery.outcomes import Outcome, Result
from delivery.sending.frozen import builder_for
from delivery.sending.lease import Lease, Person
from delivery.sending.people import merge_context
from delivery.sending.signing import signer_for
from delivery.smtp.envelope import Envelope
from delivery.tracking.tokens import TokenMaker, mail_form, url_form

if TYPE_CHECKING:
    from delivery.providers.contract import ApiEnvelope
    from delivery.sending.api_pool import Letter

# Campaigns whose compiled content a worker keeps: about 1 MB each.
KEPT_CAMPAIGNS = 16
# A key that was switched to signs after so long at the latest, in campaigns under way too.
KEYS_HOLD_SECONDS = 60.0

# What mailbox providers ask of bulk mail and an API would not add by itself.
API_HEADERS = ("List-Unsubscribe", "List-Unsubscribe-Post", "List-ID", "Feedback-ID")

ERASED = Outcome(Result.SUPPRESSED, text="The contact was erased after the audience was fixed.")
STOPPED = Outcome(Result.SUPPRESSED, text="Unsubscribed or suppressed after the audience was fixed.")


class Envelopes:
    """Makes envelopes; `prepare` touches the database and runs on the ledger's thread, `make` does not."""

    def __init__(self) -> None:
        self._tokens = TokenMaker(settings.SECRET_KEY)
        self._builders: OrderedDict[int, dict[int, MessageBuilder]] = OrderedDict()
        self._keys_read_at: dict[int, float] = {}
        self._second = 0
        self._date = b""

    def prepare(self, lease: Lease) -> None:
        """The lease's tokens are made, and its campaign's builders are at hand."""
        lease.blocks = self._tokens.blocks(lease.campaign_id, [person.contact_id for person in lease.people])
        builders = self._builders.get(lease.campaign_id)
        if builders is None:
            builders = {frozen.variant_id: builder_for(frozen) for frozen in frozen_contents(lease.campaign_id)}
            self._builders[lease.campaign_id] = builders
            self._keys_read_at[lease.campaign_id] = time.monotonic()
            if len(self._builders) > KEPT_CAMPAIGNS:
                self._keys_read_at.pop(self._builders.popitem(last=False)[0], None)
        self._read_keys_again(lease.campaign_id, builders)
        lease.builders = builders

    def _read_keys_again(self, campaign_id: int, builders: dict[int, MessageBuilder]) -> None:
        if time.monotonic() - self._keys_read_at[campaign_id] < KEYS_HOLD_SECONDS:
            return
        self._keys_read_at[campaign_id] = time.monotonic()
        for builder in builders.values():
            builder.sign_with(signer_for(builder.from_domain))

    def make(self, lease: Lease, person: Person) -> Envelope | Outcome:
        """The SMTP envelope for one person, or the outcome when there is nothing to send."""
        if not person.mailable:
            return STOPPED if person.email else ERASED
        builder, recipient = _addressed(lease, person)
        try:
            data = builder.build(recipient, date_header=self._date_header())
        except MemoryError:
            raise  # it says nothing about this message: the process ends (delivery.sending.worker)
        except Exception as problem:  # noqa: BLE001 - one person's data must not stop the others
            return _not_built(problem)
        return Envelope(
            (lease, person),
            b"b+%s@%s" % (recipient.mail_token.encode(), builder.bounce_domain),
            builder.wire_address(person.email),
            data,
            smtputf8=needs_smtputf8(person.email),
        )

    def make_letter(self, lease: Lease, person: Person) -> Letter | Outcome:
        """The same for a provider's API, which takes the parts and makes the message itself."""
        if not person.mailable:
            return STOPPED if person.email else ERASED
        builder, recipient = _addressed(lease, person)
        try:
            parts = builder.build_parts(recipient)
        except MemoryError:
            raise  # as above
        except Exception as problem:  # noqa: BLE001 - as above
            return _not_built(problem)
        # Where SMTP alone is spoken the providers' modules stay out of memory.
        from delivery.sending.api_pool import Letter

        return Letter((lease, person), api_envelope(parts, recipient, lease.campaign_id))

    def _date_header(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = formatdate(second).encode()
        return self._date


def _addressed(lease: Lease, person: Person) -> tuple[MessageBuilder, Recipient]:
    block = lease.blocks[person.position - lease.start]
    contact = merge_context(person)
    recipient = Recipient(person.email, contact["full_name"], url_form(block), mail_form(block), {"contact": contact})
    return lease.builders[person.variant_id], recipient


def _not_built(problem: Exception) -> Outcome:
    text = f"The message could not be built: {type(problem).__name__}: {problem}"
    return Outcome(Result.FAILED, text=text[:500], reason="content")


def api_envelope(parts: Parts, recipient: Recipient, campaign_id: int) -> ApiEnvelope:
    """One reader's copy as a provider's API takes it."""
    from delivery.providers.contract import ApiEnvelope

    contact = recipient.context["contact"]
    return ApiEnvelope(
        key=recipient.mail_token,
        from_email=parts.from_email,
        from_name=parts.from_name,
        reply_to=parts.reply_to,
        recipient=recipient.address,
        recipient_name=recipient.name,
        subject=parts.subject,
        html=parts.html,
        text=parts.text,
        headers={name: parts.headers[name] for name in API_HEADERS if name in parts.headers},
        message_token=recipient.mail_token,
        metadata={"campaign": str(campaign_id)},
        merge={key: str(value) for key, value in contact.items() if isinstance(value, str | int | float)},
        # The same for every attempt at this message: who remembers it takes a repeated call only once.
        idempotency_key=f"fanfare-{recipient.mail_token}",
    )
