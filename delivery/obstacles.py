"""What stands in the way of batches: accounts, measures, quotas, limits, servers' last words, other campaigns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet
from redis import Redis

from campaigns.models import Campaign
from delivery.findings import Finding, clock
from delivery.limits.permits import quota_used
from delivery.models import Batch, ProviderAccount, Route, ShapingMeasure, SourceAddress, WarmUp
from delivery.sending import presence
from delivery.services.accounts import hold_of
from delivery.shaping.rules import Action
from delivery.site_names import provider_label

# Longer than any pause between two answers of a server that is well.
SLOW = timedelta(seconds=20)
LIMIT = "A limit is reached: "
# RFC 4954 section 6, and what providers' APIs say.
_LOGIN = re.compile(r"\b(?:530|534|535|538)\b|credentials|authenticat|\b401\b|api key", re.IGNORECASE)

LAST_ANSWER = """
SELECT max(o.at) FROM delivery_outcome o WHERE o.campaign_id = %(campaign)s
AND o.batch_id IN (SELECT id FROM delivery_batch WHERE campaign_id = %(campaign)s AND state = 'leased')
"""


def of_leased(redis: Redis, campaign: Campaign, now: datetime) -> Finding | None:
    """A batch is with a worker: is the server slow to answer, or can the worker not write?"""
    routes = Batch.objects.filter(campaign_id=campaign.pk, state=Batch.State.LEASED).values_list("route_id", flat=True)
    troubles = [text for route_id in set(routes) if (text := presence.last_trouble(redis, route_id))]
    outage = next((text for text in troubles if text.startswith((presence.OUTAGE, presence.WRONG_KEY))), "")
    if outage:
        return _of_words(outage)
    with connection.cursor() as cursor:
        cursor.execute(LAST_ANSWER, {"campaign": campaign.pk})
        row = cursor.fetchone()
    answered_at = (row[0] if row else None) or campaign.started_at
    if answered_at is None or now - answered_at < SLOW:
        return None
    if troubles:
        return _of_words(troubles[0])
    seconds = int((now - answered_at).total_seconds())
    return Finding(
        "slow",
        f"The mail server has not answered for {seconds} seconds.",
        "It may take up to ten minutes over one message; what it got and did not answer is uncertain after that.",
    )


def of_routes(redis: Redis, paths: Collection[tuple[int, str]], campaign_id: int, now: datetime) -> Finding | None:
    """Why none of the campaign's batches, by route and site, is with a worker."""
    route_ids = {route_id for route_id, _ in paths}
    accounts = list(
        ProviderAccount.objects.filter(memberships__route_id__in=route_ids, enabled=True)
        .distinct()
        .defer("secrets", "hook_secrets")
    )
    if not accounts:
        names = ", ".join(f"“{name}”" for name in Route.objects.filter(pk__in=route_ids).values_list("name", flat=True))
        return Finding(
            "no_account", f"The route {names} has no enabled provider account.", "Enable one under Providers."
        )
    return (
        _of_accounts(accounts, now)
        or _of_sites(accounts, {site for _, site in paths}, campaign_id, now)
        or _of_quotas(redis, accounts, now)
        or _of_troubles(redis, route_ids)
    )


def of_keys(redis: Redis) -> Finding | None:
    """A worker that cannot read secrets, whichever route it found that on."""
    words = [presence.last_trouble(redis, pk) for pk in Route.objects.order_by("pk").values_list("pk", flat=True)]
    return next((_of_words(text) for text in words if text.startswith(presence.WRONG_KEY)), None)


def of_neighbours(route_ids: Collection[int], campaign_id: int) -> Finding | None:
    """Other campaigns that have the route just now."""
    leased = Batch.objects.filter(route_id__in=route_ids, state=Batch.State.LEASED).exclude(campaign_id=campaign_id)
    n = leased.values("campaign_id").distinct().count()
    if not n:
        return None
    others = "another campaign" if n == 1 else f"{n} other campaigns"
    return Finding("turn", f"It waits for its turn beside {others} on the same route.", "Its weight is its share.")


def _of_accounts(accounts: Sequence[ProviderAccount], now: datetime) -> Finding | None:
    holds = [(account, hold_of(account, now=now)) for account in accounts]
    if not all(hold for _, hold in holds):
        return None
    account, hold = holds[0]
    is_suspended = account.suspended_until is not None and account.suspended_until > now
    if is_suspended and _LOGIN.search(account.suspended_reason):
        return Finding(
            "login",
            f"The provider of “{account}” rejects the login. {hold}",
            "Mend user name and password or key under Providers, test the connection, then resume the account there.",
        )
    help_text = "See Delivery health; resume the account there when the cause is mended."
    return Finding("suspended" if is_suspended else "breaker", f"“{account}”: {hold}", help_text)


def _of_sites(
    accounts: Sequence[ProviderAccount], sites: Collection[str], campaign_id: int, now: datetime
) -> Finding | None:
    """Every site that is left is suspended for every account."""
    running = ShapingMeasure.objects.filter(
        action=Action.SUSPEND, revoked_at=None, began_at__lte=now, until__gt=now
    ).order_by("-until")
    measures = [m for m in running if m.campaign_id in (None, campaign_id)]
    covering = [
        next((m for m in measures if m.account_id in (None, account.pk) and m.site in ("", site)), None)
        for account in accounts
        for site in sites
    ]
    found = [measure for measure in covering if measure is not None]
    if not found or len(found) < len(covering):
        return None
    first = found[0]
    names = ", ".join(sorted(provider_label(site) or "several sites" for site in sites))
    return Finding(
        "site",
        f"Sending to {names} is suspended until {clock(first.until)}, because of the reply: {first.reply[:200]}",
        "Delivery health shows the measure and can revoke it.",
    )


def _of_quotas(redis: Redis, accounts: Sequence[ProviderAccount], now: datetime) -> Finding | None:
    full = [account for account in accounts if _is_used_up(redis, account, now)]
    if not full or len(full) < len(accounts):
        return None
    first = full[0]
    day = now.astimezone(ZoneInfo(first.quota_timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return Finding(
        "quota",
        f"“{first}” has used the {first.messages_per_day:,} messages it may send today. It goes on at"
        f" {clock(day + timedelta(days=1))}.",
        "Another account on the route, or a higher limit on this one, lets it go on sooner.",
    )


def _is_used_up(redis: Redis, account: ProviderAccount, now: datetime) -> bool:
    if not account.messages_per_day:
        return False
    used = quota_used(redis, f"account:{account.pk}", f"{now.astimezone(ZoneInfo(account.quota_timezone)):%Y-%m-%d}")
    return used is not None and used >= account.messages_per_day


def _of_troubles(redis: Redis, route_ids: Collection[int]) -> Finding | None:
    words = next((text for route_id in route_ids if (text := presence.last_trouble(redis, route_id))), "")
    return _of_words(words) if words else None


def _of_words(text: str) -> Finding:
    if text.startswith(presence.OUTAGE):
        return Finding(
            "outage",
            f"A worker cannot write down what it sends, so it sends nothing. {text}",
            "Look at PostgreSQL and Redis: disk full, restarted, read-only? Sending resumes by itself.",
        )
    if text.startswith(presence.WRONG_KEY):
        return Finding(
            "wrong_key",
            f"A worker cannot read the stored passwords and keys, so it sends nothing. {text}",
            "Give every worker the FIELD_ENCRYPTION_KEYS that they were stored with and restart it. Nobody is lost:"
            " sending goes on by itself.",
        )
    if text.startswith(LIMIT):
        return Finding("limit", f"{LIMIT}{named(text.removeprefix(LIMIT))}.", "It goes on when the limit allows.")
    if _LOGIN.search(text):
        return Finding("login", f"The provider rejects the login. {text}", "Mend it under Providers and test it there.")
    return Finding("server", f"The mail server does not take mail. {text}", "It is tried again all the time.")


def named(limit: str) -> str:
    """A refusal such as “path:3::google: 5 per second” with names instead of numbers; as it is where none is known."""
    scope, _, window = limit.partition(": ")
    parts = scope.split(":")
    measured = parts[0] == "measure"
    kind, pk, *rest = [*parts[measured:], "", ""]
    name = _name_of(kind, pk)
    if not name:
        return limit
    site = next((part for part in reversed(rest) if part), "")
    words = f"{'a measure on ' if measured else ''}{name}{f' to {provider_label(site)}' if site else ''}"
    return f"{words}: {window}" if window else words


def _name_of(kind: str, pk: str) -> str:
    account = "account" if kind in ("path", "site") else kind
    models: dict[str, QuerySet[Any]] = {
        "account": ProviderAccount.objects.only("name"),
        "campaign": Campaign.objects.only("name"),
        "source": SourceAddress.objects.all(),
        "warmup": WarmUp.objects.select_related("account", "source").defer("account__secrets", "account__hook_secrets"),
    }
    row = models[account].filter(pk=int(pk)).first() if account in models and pk.isdigit() else None
    return f"{'the warm-up of' if account == 'warmup' else account} “{row}”" if row else ""
