"""From a person to an envelope: message builders of the campaigns under way, cached per worker process."""

from __future__ import annotations

import time
from collections import OrderedDict
from email.utils import formatdate

from django.conf import settings

from campaigns.queries import frozen_contents
from delivery.mime import MessageBuilder, Recipient, needs_smtputf8
from delivery.outcomes import Outcome, Result
from delivery.sending.frozen import builder_for
from delivery.sending.lease import Lease, Person
from delivery.sending.people import merge_context
from delivery.smtp.envelope import Envelope
from delivery.tracking.tokens import TokenMaker, mail_form, url_form

# Campaigns whose compiled content a worker keeps: about 1 MB each.
KEPT_CAMPAIGNS = 16

ERASED = Outcome(Result.SUPPRESSED, text="The contact was erased after the audience was fixed.")
STOPPED = Outcome(Result.SUPPRESSED, text="Unsubscribed or suppressed after the audience was fixed.")


class Envelopes:
    """Makes envelopes; `prepare` touches the database and runs on the ledger's thread, `make` does not."""

    def __init__(self) -> None:
        self._tokens = TokenMaker(settings.SECRET_KEY)
        self._builders: OrderedDict[int, dict[int, MessageBuilder]] = OrderedDict()
        self._second = 0
        self._date = b""

    def prepare(self, lease: Lease) -> None:
        """The lease's tokens are made, and its campaign's builders are at hand."""
        lease.blocks = self._tokens.blocks(lease.campaign_id, [person.contact_id for person in lease.people])
        builders = self._builders.get(lease.campaign_id)
        if builders is None:
            builders = {frozen.variant_id: builder_for(frozen) for frozen in frozen_contents(lease.campaign_id)}
            self._builders[lease.campaign_id] = builders
            if len(self._builders) > KEPT_CAMPAIGNS:
                self._builders.popitem(last=False)
        lease.builders = builders

    def make(self, lease: Lease, person: Person) -> Envelope | Outcome:
        """The envelope for one person, or the outcome when there is nothing to send."""
        if not person.mailable:
            return STOPPED if person.email else ERASED
        block = lease.blocks[person.position - lease.start]
        builder = lease.builders[person.variant_id]
        mail_token = mail_form(block)
        contact = merge_context(person)
        recipient = Recipient(person.email, contact["full_name"], url_form(block), mail_token, {"contact": contact})
        try:
            data = builder.build(recipient, date_header=self._date_header())
        except Exception as problem:  # noqa: BLE001 - one person's data must not stop the others
            return Outcome(
                Result.FAILED, text=f"The message could not be built: {type(problem).__name__}: {problem}"[:500]
            )
        return Envelope(
            (lease, person),
            b"b+%s@%s" % (mail_token.encode(), builder.bounce_domain),
            builder.wire_address(person.email),
            data,
            smtputf8=needs_smtputf8(person.email),
        )

    def _date_header(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = formatdate(second).encode()
        return self._date
