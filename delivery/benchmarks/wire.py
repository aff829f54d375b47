"""How many bytes a message of the bench has, so that the ceiling is measured with as many."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate

from django.conf import settings

from campaigns.content.compiler import compile_content
from delivery.benchmarks.fixture import Shape
from delivery.benchmarks.newsletter import contact_fields, newsletter_source
from delivery.mime import Identity, MessageBuilder, Recipient
from delivery.sending.signing import signer_for
from delivery.tracking.tokens import TokenMaker, mail_form, url_form

SAMPLE = 200


def wire_bytes(shape: Shape) -> int:
    """The mean over the first messages."""
    builder, date = builder_of(shape), formatdate().encode()
    return sum(len(builder.build(recipient, date_header=date)) for recipient in recipients(SAMPLE)) // SAMPLE


def builder_of(shape: Shape) -> MessageBuilder:
    """Builds what the bench's campaign sends."""
    content = compile_content(newsletter_source(shape.size_kb, shape.links, shape.template), None)
    identity = Identity(
        from_name="Bench",
        from_email="news@news.bench.example",
        reply_to="",
        sending_domain="news.bench.example",
        bounce_domain="bounce.bench.example",
        list_id="bench.news.bench.example",
        list_name="Bench",
        feedback_id="1:bench:campaign:fanfare",
        tracking_origin="https://go.bench.example",
        unsubscribe_mailbox_domain="bounce.bench.example",
        track_opens=True,
        track_clicks=True,
    )
    constants = {
        "brand": {"name": "Bench", "postal_address": "1 Measure Street", "website": ""},
        "campaign": {"name": "B"},
    }
    builder = MessageBuilder(content, identity, constants=constants, link_secret=bytes(32), campaign_id=1)
    builder.sign_with(signer_for(builder.from_domain))
    return builder


def recipients(n: int) -> Iterator[Recipient]:
    """Readers as the bench's contacts are."""
    blocks = TokenMaker(settings.SECRET_KEY).blocks(1, range(n))
    for number, block in enumerate(blocks):
        contact = contact_fields(number) | {"email": f"reader{number}@example.org", "first_name": f"Ada {number}"}
        yield Recipient(
            contact["email"], contact["first_name"], url_form(block), mail_form(block), {"contact": contact}
        )
