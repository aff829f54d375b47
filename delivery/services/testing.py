"""Test messages: one variant as it is now through its campaign's route, or a few words through one account."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from email.utils import formatdate

from django.conf import settings
from django.utils import timezone
from redis import Redis

from campaigns.compiling import compile_variant
from campaigns.content.compiler import compile_content
from campaigns.content.problems import ContentError, RenderError
from campaigns.content.source import Source
from campaigns.identity import SENDER_ID, freeze_identity
from campaigns.merging import contact_values, sample_values
from campaigns.models import FrozenContent, Variant
from campaigns.registry import TestResult
from contacts.addresses import AddressProblem, normalise_address
from contacts.encryption import WrongKey
from contacts.models import Brand, Contact
from delivery.mime import Identity, MessageBuilder, Recipient, needs_smtputf8
from delivery.models import ProviderAccount, RouteChoice
from delivery.outcomes import Outcome, Result
from delivery.routing import NoRoute, choose_route
from delivery.sending.builders import api_envelope
from delivery.sending.front import wait_in_front
from delivery.sending.frozen import builder_for
from delivery.sending.signing import signer_for
from delivery.sending.transports import provider_of, smtp_config
from delivery.smtp import Envelope, send_one
from delivery.tracking.tokens import TokenMaker, derive_key, mail_form, url_form

MAX_ADDRESSES = 10
TRIAL = """<html><body><p>This is a test message from Fanfare.</p>
<p>If you read it, the provider account <strong>{{ campaign.name }}</strong> sends mail of {{ brand.name }}.</p>
<p>{{ brand.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>"""


def send_test_messages(variant_id: int, *, contact_id: int | None, to: Sequence[str]) -> list[TestResult]:
    """One message per address, its subject marked [Test]; links are those of a contact that does not exist."""
    variant = Variant.objects.select_related("campaign__brand").get(pk=variant_id)
    try:
        account = _account_of(variant)
        builder = _builder(variant)
    except (NoRoute, ContentError, WrongKey) as problem:
        return [TestResult(address, False, str(problem)) for address in to[:MAX_ADDRESSES]]
    contact = Contact.objects.filter(pk=contact_id).first() if contact_id else None
    context = contact_values(contact) if contact else sample_values()
    return [_send(account, builder, address, context) for address in to[:MAX_ADDRESSES]]


def send_trial(account: ProviderAccount, brand: Brand, to: str) -> TestResult:
    """A few words of the brand leave through this very account, as a campaign's message would; what it answered."""
    try:
        builder = _trial_builder(account, brand)
    except WrongKey as problem:
        return TestResult(to, False, str(problem))
    return _send(account, builder, to, sample_values())


def _account_of(variant: Variant) -> ProviderAccount:
    route = choose_route(variant.campaign, message_kind=RouteChoice.MessageKind.TEST)
    accounts = route.accounts.filter(enabled=True).order_by("memberships__rank", "memberships__pk")
    rested = accounts.filter(suspended_until=None) | accounts.filter(suspended_until__lte=timezone.now())
    account = rested.first() or accounts.first()
    if account is None:
        raise NoRoute(f"The route “{route.name}” has no enabled account to send a test message with.")
    return account


def _builder(variant: Variant) -> MessageBuilder:
    campaign = variant.campaign
    frozen = FrozenContent(
        campaign=campaign,
        variant=variant,
        content=compile_variant(variant).as_dict(),
        identity=freeze_identity(
            campaign, variant, lists=list(campaign.send_to.all()), default_origin=settings.PUBLIC_ORIGIN
        ),
    )
    frozen.content["subject"] = f"[Test] {frozen.content['subject']}"
    return builder_for(frozen)


def _trial_builder(account: ProviderAccount, brand: Brand) -> MessageBuilder:
    identity = Identity(
        from_name=brand.from_name,
        from_email=brand.from_email,
        reply_to=brand.reply_to,
        sending_domain=brand.sending_domain,
        bounce_domain=brand.bounce_domain,
        list_id=f"{brand.slug}.{brand.sending_domain}",
        list_name=brand.name,
        feedback_id=f"0:{brand.slug}:test:{SENDER_ID}",
        tracking_origin=(brand.tracking_origin or settings.PUBLIC_ORIGIN).rstrip("/"),
        unsubscribe_mailbox_domain=brand.bounce_domain,
        track_opens=False,
        track_clicks=False,
    )
    constants = {
        "brand": {"name": brand.name, "postal_address": brand.postal_address, "website": brand.website},
        "campaign": {"name": account.name, "subject": "Test"},
        "now": timezone.now(),
    }
    builder = MessageBuilder(
        compile_content(Source("html", TRIAL, f"Test of {account.name}".replace("{", "("))),
        identity,
        constants=constants,
        link_secret=derive_key(settings.SECRET_KEY, b"dynamic link v1"),
        campaign_id=0,
    )
    builder.sign_with(signer_for(builder.from_domain))
    return builder


def _send(account: ProviderAccount, builder: MessageBuilder, raw: str, context: dict[str, object]) -> TestResult:
    address = normalise_address(raw)
    if isinstance(address, AddressProblem):
        return TestResult(raw, False, str(address))
    refusal = wait_in_front(Redis.from_url(settings.REDIS_URL, socket_timeout=2), account)
    if refusal:
        return TestResult(raw, False, refusal)
    # Campaign 0 never exists: a click in a test message is counted for nobody. Each message has a token of its own, or
    # mailboxes would drop the second test for its Message-ID and providers for its idempotency key.
    block = TokenMaker(settings.SECRET_KEY).blocks(0, [secrets.randbelow(1 << 40)])[0]
    recipient = Recipient(address.email, "", url_form(block), mail_form(block), {"contact": context})
    carry = _by_smtp if account.kind == "smtp" else _by_api
    try:
        outcome = carry(account, builder, recipient)
    except (RenderError, ValueError) as problem:
        return TestResult(raw, False, str(problem))
    words = f"{outcome.code or ''} {outcome.enhanced} {outcome.text}".strip()
    if outcome.provider_id and outcome.provider_id not in words:
        words += f" (id {outcome.provider_id})"
    return TestResult(raw, outcome.result is Result.ACCEPTED, " ".join(words.split()))


def _by_smtp(account: ProviderAccount, builder: MessageBuilder, recipient: Recipient) -> Outcome:
    date = formatdate(timezone.now().timestamp()).encode()
    envelope = Envelope(
        None,
        b"b+%s@%s" % (recipient.mail_token.encode(), builder.bounce_domain),
        builder.wire_address(recipient.address),
        builder.build(recipient, date_header=date),
        smtputf8=needs_smtputf8(recipient.address),
    )
    source = account.sources.filter(enabled=True).order_by("pk").first()
    return asyncio.run(send_one(smtp_config(account, source), envelope))


def _by_api(account: ProviderAccount, builder: MessageBuilder, recipient: Recipient) -> Outcome:
    envelope = api_envelope(builder.build_parts(recipient), recipient, 0)
    provider = provider_of(account)
    try:
        return provider.send([envelope])[0]
    finally:
        provider.close()
