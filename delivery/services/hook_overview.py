"""What an account's page says about its webhooks: the address, the secret's state, what came and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contacts.encryption import WrongKey
from delivery import hook_secrets
from delivery.models import HookRefusal, ProviderAccount, Receipt
from delivery.providers.contract import Webhooks
from delivery.services.hooks import hook_address, kind_of, secrets_of, webhooks_of

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HookOverview:
    """See the module. `made_here`: the secret is made by us and pasted there; else it is theirs and pasted here."""

    webhooks: Webhooks
    address: str
    made_here: bool
    has_secret: bool
    unreadable: bool
    old_holds_until: datetime | None
    n_today: int
    n_unmatched_today: int
    n_problems: int
    last_at: datetime | None
    refusals: Sequence[HookRefusal]

    @property
    def asks_for_secret(self) -> bool:
        """Whether there is a secret to paste here."""
        return not self.made_here and not self.webhooks.secret_field


def overview_of(account: ProviderAccount, *, now: datetime) -> HookOverview | None:
    """The overview; None for an account whose provider reports nothing."""
    webhooks = webhooks_of(account)
    if webhooks is None:
        return None
    secrets, until, unreadable = _secrets(account, now)
    receipts = Receipt.objects.filter(account=account)
    today = receipts.filter(received_at__gte=now - DAY)
    return HookOverview(
        webhooks=webhooks,
        address=hook_address(account),
        made_here=webhooks.proof in hook_secrets.MADE_HERE,
        has_secret=bool(secrets),
        unreadable=unreadable,
        old_holds_until=until,
        n_today=today.count(),
        n_unmatched_today=today.filter(n_unmatched__gt=0).count(),
        n_problems=today.exclude(problem="").count(),
        last_at=receipts.order_by("-received_at").values_list("received_at", flat=True).first(),
        refusals=list(HookRefusal.objects.filter(account=account).order_by("-last_at")),
    )


def _secrets(account: ProviderAccount, now: datetime) -> tuple[list[str], datetime | None, bool]:
    try:
        return secrets_of(account, now), hook_secrets.overlap_ends(account.hook_secrets, now), False
    except WrongKey:
        return [], None, True


def make_new_secret(account: ProviderAccount, webhooks: Webhooks, *, now: datetime) -> str:
    """A new secret of our making, which holds from now on."""
    secret = hook_secrets.make_secret(webhooks.proof)
    keep_secret(account, secret, now=now)
    return secret


def keep_secret(account: ProviderAccount, secret: str, *, now: datetime) -> str:
    """The secret holds from now on, the one before it for a week more; returns what is wrong with it, or ""."""
    problem = kind_of(account).secret_problem(secret)
    if not problem:
        account.hook_secrets = hook_secrets.rotated(account.hook_secrets, secret, now)
        account.save(update_fields=["hook_secrets"])
    return problem


def end_old_secret(account: ProviderAccount) -> None:
    """Only the present secret holds."""
    account.hook_secrets = hook_secrets.without_previous(account.hook_secrets)
    account.save(update_fields=["hook_secrets"])
