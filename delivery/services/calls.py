"""Stored webhook calls read into statements: the provider's events, judged by the rules that judge everything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from delivery.events import NewEvent, event_key
from delivery.inbound.classify import Verdict
from delivery.inbound.rules import RULES_VERSION
from delivery.inbound.taxonomy import Category
from delivery.inbound.told import judge_told
from delivery.models import Receipt
from delivery.providers import PROVIDERS, ProviderEvent, WebhookRequest
from delivery.providers.bodies import as_utf8
from delivery.providers.contract import EventKind
from delivery.sending.transports import provider_of
from delivery.services.findings import Finding
from delivery.services.matching import Clue, SentMessage
from delivery.tracking import verdicts
from delivery.tracking.clients import network_of
from delivery.tracking.hits import Hit
from delivery.tracking.rules import VERSION
from delivery.tracking.tokens import MessageRef, TokenMaker

BOUNCES = (EventKind.BOUNCED, EventKind.DEFERRED, EventKind.REJECTED)
LOOKS = (EventKind.OPENED, EventKind.CLICKED)
OTHER_VERDICTS = {
    EventKind.COMPLAINED: Verdict(Category.COMPLAINT, "", "kind-complaint", RULES_VERSION),
    EventKind.UNSUBSCRIBED: Verdict(Category.UNSUBSCRIBED, "", "kind-unsubscribe", RULES_VERSION),
}
# A provider's clock may be off by seconds; what is further off is no moment.
FUTURE, PAST = timedelta(hours=12), timedelta(days=90)


class NoAccount(Exception):
    """The account that the call came for is gone: nobody knows any more in which form it is written."""


def request_of(receipt: Receipt) -> WebhookRequest:
    """The stored call in the form that providers read."""
    content_type = str(receipt.headers.get("content-type", ""))
    return WebhookRequest("", as_utf8(bytes(receipt.body), content_type), receipt.headers)


def follow_up_of(receipt: Receipt) -> str:
    """The address that this call wants to be fetched (a new SNS subscription), or ""."""
    if receipt.account is None or receipt.account.kind not in PROVIDERS:
        return ""
    try:
        return PROVIDERS[receipt.account.kind].follow_up(request_of(receipt))
    except ValueError:
        return ""  # no message of Amazon's: reading it will say so


def read_call(receipt: Receipt) -> list[CallStatement]:
    """All statements of a call; raises UnreadableReceiptError or NoAccount."""
    if receipt.account is None:
        raise NoAccount("The account that this call was for is gone.")
    provider = provider_of(receipt.account)
    try:
        events = provider.parse_events(request_of(receipt))
    finally:
        provider.close()
    maker = TokenMaker(settings.SECRET_KEY)
    return [_statement(receipt, event, maker) for event in events]


def _statement(receipt: Receipt, event: ProviderEvent, maker: TokenMaker) -> CallStatement:
    ref = maker.read(event.mid) if event.mid else None
    clue = None
    if ref is None and receipt.account_id and event.provider_id and event.recipient:
        clue = Clue(receipt.account_id, event.provider_id, event.recipient, receipt.received_at)
    return CallStatement(receipt, event, ref, clue)


@dataclass(frozen=True, slots=True)
class CallStatement:
    """A provider's event; see findings.Statement."""

    receipt: Receipt
    event: ProviderEvent
    ref: MessageRef | None
    clue: Clue | None

    def finding(self, sent: SentMessage, received_at: datetime) -> Finding:
        """See findings.Statement."""
        event, moment = self.event, self.event.occurred_at
        known = moment is not None and received_at - PAST < moment < received_at + FUTURE
        base = NewEvent(
            kind=event.kind.value,
            event_key=event_key("hook", self.receipt.account_id, event.event_id),
            occurred_at=moment if known and moment is not None else received_at,
            campaign_id=sent.campaign_id,
            contact_id=sent.contact_id,
            account_id=self.receipt.account_id,
            receipt_id=self.receipt.pk,
            reply=event.reply,
        )
        if event.kind in BOUNCES:
            return self._bounce(base, not known)
        if event.kind in LOOKS:
            return Finding(_looked(base, event, sent), moment_is_ours=not known)
        if event.kind is EventKind.UNSUBSCRIBED and sent.sent_at:
            # Whose clock ever is behind: nobody unsubscribes from a message before it was sent.
            base = replace(base, occurred_at=max(base.occurred_at, sent.sent_at))
        verdict = OTHER_VERDICTS.get(event.kind)
        category = str(verdict.category) if event.kind is EventKind.COMPLAINED and verdict else ""
        return Finding(replace(base, category=category), verdict, "webhook", event.reply, not known)

    def _bounce(self, base: NewEvent, moment_is_ours: bool) -> Finding:
        event = self.event
        told = judge_told(event.kind.value, event.bounce_class, event.reply)
        final = None if event.kind is EventKind.DEFERRED else told.verdict
        found = replace(
            base,
            bounce_kind=told.verdict.kind,
            category=told.verdict.category.value,
            enhanced=told.enhanced,
            rules_version=told.verdict.rules_version,
            details={"rule": told.verdict.rule_id, "told": event.bounce_class, "code": told.code},
        )
        return Finding(found, final, "webhook", event.reply, moment_is_ours)


def _looked(base: NewEvent, event: ProviderEvent, sent: SentMessage) -> NewEvent:
    """An open or click that the provider saw, with a verdict by our rules; the provider's own word goes first."""
    verdict = _verdict(base, event, sent)
    return replace(
        base,
        link_index=_link_index(event.url),
        verdict=verdict.verdict,
        verdict_reason=verdict.reason,
        rules_version=VERSION,
        network=network_of(event.ip),
        user_agent=event.user_agent,
        details={"seen_by": "provider", "url": event.url[:500]} if event.url else {"seen_by": "provider"},
    )


def _verdict(base: NewEvent, event: ProviderEvent, sent: SentMessage) -> verdicts.Verdict:
    if event.machine:
        return verdicts.Verdict("machine", "provider-says-machine")
    if urlsplit(event.url).path.startswith("/h/"):
        return verdicts.Verdict("machine", "honeypot")
    if not event.user_agent:
        return verdicts.Verdict("unknown", "no-details-from-provider")
    message = (sent.campaign_id, sent.contact_id)
    hit = Hit(
        key=base.event_key.bytes,
        at=base.occurred_at.timestamp(),
        kind=base.kind,
        campaign_id=sent.campaign_id,
        contact_id=sent.contact_id,
        link_index=None,
        network=network_of(event.ip),
        user_agent=event.user_agent,
        method="GET",
        purpose="",
    )
    sent_at = {message: sent.sent_at.timestamp()} if sent.sent_at else {}
    return verdicts.judge([hit], sent_at=sent_at, n_links={})[0]


def _link_index(url: str) -> int | None:
    """The link's number in our own click address (/c/TOKEN/INDEX), which the provider wrapped once more."""
    parts = urlsplit(url).path.split("/")
    number = parts[3] if len(parts) >= 4 and parts[1] in ("c", "d") else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) < 5 else None
