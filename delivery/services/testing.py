"""Test messages: one variant as it is now, to a few addresses, through the campaign's own route."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate

from django.conf import settings
from django.utils import timezone
from redis import Redis

from campaigns.compiling import compile_variant
from campaigns.content.problems import ContentError
from campaigns.identity import freeze_identity
from campaigns.merging import contact_values, sample_values
from campaigns.models import FrozenContent, Variant
from campaigns.registry import TestResult
from contacts.addresses import AddressProblem, normalise_address
from contacts.models import Contact
from delivery.mime import MessageBuilder, Recipient, needs_smtputf8
from delivery.models import ProviderAccount, RouteChoice
from delivery.outcomes import Result
from delivery.routing import NoRoute, choose_route
from delivery.sending.front import wait_in_front
from delivery.sending.frozen import builder_for
from delivery.sending.transports import smtp_config
from delivery.smtp import Envelope, SmtpConfig, send_one
from delivery.tracking.tokens import TokenMaker, mail_form, url_form

MAX_ADDRESSES = 10


def send_test_messages(variant_id: int, *, contact_id: int | None, to: Sequence[str]) -> list[TestResult]:
    """One message per address, its subject marked [Test]; links are those of a contact that does not exist."""
    variant = Variant.objects.select_related("campaign__brand").get(pk=variant_id)
    try:
        account = _account_of(variant)
        builder = _builder(variant)
    except (NoRoute, ContentError) as problem:
        return [TestResult(address, False, str(problem)) for address in to[:MAX_ADDRESSES]]
    contact = Contact.objects.filter(pk=contact_id).first() if contact_id else None
    context = contact_values(contact) if contact else sample_values()
    source = account.sources.filter(enabled=True).order_by("pk").first()
    config = smtp_config(account, source)
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=2)
    way = Way(account, config, redis)
    return [_send(way, builder, address, context) for address in to[:MAX_ADDRESSES]]


def _account_of(variant: Variant) -> ProviderAccount:
    route = choose_route(variant.campaign, message_kind=RouteChoice.MessageKind.TEST)
    members = route.members.filter(account__enabled=True, account__kind="smtp").select_related("account")
    usable = members.filter(account__suspended_until=None) | members.filter(
        account__suspended_until__lte=timezone.now()
    )
    member = usable.order_by("rank", "-weight", "pk").first()
    account = member.account if member else None
    if account is None:
        raise NoRoute(f"The route “{route.name}” has no SMTP account that could send a test message now.")
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


@dataclass(frozen=True, slots=True)
class Way:
    """How test messages leave."""

    account: ProviderAccount
    config: SmtpConfig
    redis: Redis


def _send(way: Way, builder: MessageBuilder, raw: str, context: dict[str, object]) -> TestResult:
    address = normalise_address(raw)
    if isinstance(address, AddressProblem):
        return TestResult(raw, False, str(address))
    refusal = wait_in_front(way.redis, way.account)
    if refusal:
        return TestResult(raw, False, refusal)
    # Contact 0 never exists: a click in a test message is counted for nobody.
    block = TokenMaker(settings.SECRET_KEY).blocks(0, [0])[0]
    recipient = Recipient(address.email, "", url_form(block), mail_form(block), {"contact": context})
    data = builder.build(recipient, date_header=formatdate(timezone.now().timestamp()).encode())
    envelope = Envelope(
        None,
        b"b+%s@%s" % (mail_form(block).encode(), builder.bounce_domain),
        builder.wire_address(address.email),
        data,
        smtputf8=needs_smtputf8(address.email),
    )
    outcome = asyncio.run(send_one(way.config, envelope))
    words = f"{outcome.code or ''} {outcome.enhanced} {outcome.text}".strip()
    return TestResult(raw, outcome.result is Result.ACCEPTED, " ".join(words.split()))
