"""What building and the SMTP client cost by themselves, so that the rest of the worker's CPU can be told apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate

import uvloop
from django.conf import settings

from campaigns.content.compiler import compile_content
from delivery.benchmarks.fixture import Shape
from delivery.benchmarks.newsletter import contact_fields, newsletter_source
from delivery.mime import Identity, MessageBuilder, Recipient
from delivery.outcomes import Outcome
from delivery.sending.signing import signer_for
from delivery.smtp import Envelope, Pool, SmtpConfig, Tls
from delivery.tracking.tokens import TokenMaker, mail_form, url_form

SAMPLE = 2_000


def measure_parts(shape: Shape, host: str, port: int, connections: int) -> tuple[float, float, int]:
    """(CPU µs to build a message, CPU µs of the SMTP client for it, its bytes on the wire)."""
    builder = _builder(shape)
    recipients = list(_recipients(SAMPLE))
    date = formatdate().encode()
    builder.build(recipients[0], date_header=date)
    start = time.process_time()
    messages = [builder.build(recipient, date_header=date) for recipient in recipients]
    fill_us = (time.process_time() - start) * 1e6 / SAMPLE
    smtp_us = uvloop.run(_send(messages[0], host, port, connections))
    return fill_us, smtp_us, sum(map(len, messages)) // SAMPLE


def _builder(shape: Shape) -> MessageBuilder:
    content = compile_content(newsletter_source(shape.size_kb, shape.links), None)
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


def _recipients(n: int) -> Iterator[Recipient]:
    blocks = TokenMaker(settings.SECRET_KEY).blocks(1, range(n))
    for number, block in enumerate(blocks):
        contact = contact_fields(number) | {"email": f"reader{number}@example.org", "first_name": f"Ada {number}"}
        yield Recipient(
            contact["email"], contact["first_name"], url_form(block), mail_form(block), {"contact": contact}
        )


async def _send(message: bytes, host: str, port: int, connections: int) -> float:
    left = SAMPLE

    def feed() -> Envelope | None:
        nonlocal left
        left -= 1
        return Envelope(None, b"b@bench.example", b"reader@example.org", message) if left >= 0 else None

    def settle(_key: object, _outcome: Outcome) -> None:
        return None

    start = time.process_time()
    config = SmtpConfig(host, port, tls=Tls.NONE)
    pool = Pool(config, feed=feed, settle=settle, on_trouble=lambda _: None)
    pool.open(connections)
    while left > 0 or pool.in_flight():
        await pool.idle()
        await _breath()
    cpu = time.process_time() - start
    await pool.close()
    return cpu * 1e6 / SAMPLE


async def _breath() -> None:
    import asyncio

    await asyncio.sleep(0.001)
