"""Webhook calls as they come in: whose they are, what proves them, stored before anything is made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.urls import reverse

from contacts.encryption import WrongKey
from delivery import hook_secrets
from delivery.models import ProviderAccount, Receipt
from delivery.providers import PROVIDERS, ProviderKind, WebhookRequest
from delivery.providers.contract import Webhooks
from delivery.sending.transports import provider_of

# Of the headers these would be secrets at rest; proofs are checked before a call is stored, never after.
LEFT_OUT = frozenset({"authorization", "cookie", "proxy-authorization", "x-eventbridge-signature-token"})

# One statement, so one round trip: bulk_create makes a transaction around it, which doubles the time.
STORE = """
INSERT INTO delivery_receipt (kind, account_id, digest, headers, body, n_attempts, n_events, n_unmatched, problem)
VALUES (%s, %s, %s, %s::jsonb, %s, 0, 0, 0, '') ON CONFLICT (digest) DO NOTHING
"""

COUNT = """
INSERT INTO delivery_hookrefusal AS known (account_id, reason, n_calls, last_at) VALUES (%s, %s, 1, %s)
ON CONFLICT (account_id, reason) DO UPDATE SET n_calls = known.n_calls + 1, last_at = excluded.last_at
"""


def account_behind(kind: str, token: str) -> ProviderAccount | None:
    """The account whose webhook address this is; a provider without webhooks has none."""
    if kind not in PROVIDERS or PROVIDERS[kind].capabilities.webhooks is None:
        return None
    accounts = ProviderAccount.objects.filter(kind=kind, hook_token=token)
    try:
        return accounts.first()
    except WrongKey:  # the account is known all the same; what proves its calls is not
        return accounts.defer("secrets", "hook_secrets").first()


def kind_of(account: ProviderAccount) -> ProviderKind:
    """The account's way of sending."""
    return PROVIDERS[account.kind]


def webhooks_of(account: ProviderAccount) -> Webhooks | None:
    """What the account's provider reports; None for SMTP relays and providers without webhooks."""
    kind = PROVIDERS.get(account.kind)
    return kind.capabilities.webhooks if kind else None


def hook_address(account: ProviderAccount) -> str:
    """The address to paste at the provider, without secrets."""
    return f"{settings.PUBLIC_ORIGIN}{reverse('delivery:webhook', args=[account.kind, account.hook_token])}"


def secrets_of(account: ProviderAccount, now: datetime) -> list[str]:
    """What may prove a call now; raises WrongKey when the stored secrets cannot be read."""
    found = hook_secrets.in_force(account.hook_secrets, now)
    webhooks = webhooks_of(account)
    if webhooks and webhooks.secret_field:
        found.append((account.secrets or {}).get(webhooks.secret_field, ""))
    return [secret for secret in found if secret]


def is_proved(account: ProviderAccount, calls: list[WebhookRequest], secrets: list[str]) -> bool:
    """Whether one of the secrets proves the call in one of its forms.

    Raises ValueError when the account's settings make no provider, ProofUnavailableError when nobody can tell now.
    """
    provider = provider_of(account)
    try:
        return any(provider.verify(call, secrets) for call in calls)
    finally:
        provider.close()


def store_call(account: ProviderAccount, headers: Mapping[str, str], body: bytes) -> None:
    """The call is stored, once however often it is repeated."""
    digest = hashlib.sha256(b"hook\0%d\0" % account.pk + body).hexdigest()
    kept = {name.lower(): value[:500] for name, value in headers.items() if name.lower() not in LEFT_OUT}
    with connection.cursor() as cursor:
        cursor.execute(STORE, [Receipt.Kind.WEBHOOK, account.pk, digest, json.dumps(kept), body])


def count_refusal(account: ProviderAccount | None, reason: str, now: datetime) -> None:
    """One more refused call, for this reason."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [account.pk if account else None, reason, now])
