"""Provider accounts: the route that the first one gets, and suspension with words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from delivery.breaker import Circuit
from delivery.models import AccountBreaker, ProviderAccount, Route, RouteMember


@transaction.atomic
def give_default_route(account: ProviderAccount) -> Route | None:
    """Where no route exists yet, there is a default one with this account: the first provider can send at once."""
    if Route.objects.exists():
        return None
    route = Route.objects.create(key="default", name="Default", is_default=True)
    RouteMember.objects.create(route=route, account=account)
    return route


def suspend_account(account_id: int, *, until: datetime, reason: str) -> bool:
    """Nothing is sent with the account until then; False where it is suspended for as long already."""
    rows = ProviderAccount.objects.filter(pk=account_id).exclude(suspended_until__gte=until)
    return rows.update(suspended_until=until, suspended_reason=reason[:1000]) == 1


@transaction.atomic
def resume_account(account_id: int) -> bool:
    """The account sends again and its circuit breaker starts anew; False where nothing stood in the way."""
    suspended = ProviderAccount.objects.filter(pk=account_id, suspended_until__isnull=False)
    n = suspended.update(suspended_until=None, suspended_reason="")
    n += AccountBreaker.objects.filter(account_id=account_id).exclude(circuit=Circuit.CLOSED).delete()[0]
    return n > 0


def hold_of(account: ProviderAccount, *, now: datetime) -> str:
    """Why nothing is sent with the account now, in words; empty where nothing holds it back."""
    return holds_of([account], now=now)[account.pk]


def holds_of(accounts: Iterable[ProviderAccount], *, now: datetime) -> dict[int, str]:
    """The same for many accounts, in one query."""
    accounts = list(accounts)
    open_ones = AccountBreaker.objects.filter(account__in=accounts).exclude(circuit=Circuit.CLOSED)
    breakers = {breaker.account_id: breaker for breaker in open_ones}
    return {account.pk: words_of_hold(account, breakers.get(account.pk), now=now) for account in accounts}


def words_of_hold(account: ProviderAccount, breaker: AccountBreaker | None, *, now: datetime) -> str:
    """The same for an account whose breaker was read already."""
    if account.suspended_until is not None and account.suspended_until > now:
        return f"Suspended until {_clock(account.suspended_until)}. {account.suspended_reason}"
    if breaker is None or breaker.circuit == Circuit.CLOSED:
        return ""
    if breaker.circuit == Circuit.OPEN:
        return f"Left out because it fails: {breaker.reason}. It is tried again by itself."
    return f"Being tried again after it failed: {breaker.reason}"


def _clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%d %B %H:%M} ({timezone.get_current_timezone_name()})"
