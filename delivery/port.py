"""What delivery answers to campaigns: routes, launch problems, test messages, progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.urls import reverse

from campaigns.content.problems import Severity
from campaigns.models import Campaign
from campaigns.readiness import LaunchProblem, Step
from campaigns.registry import ProgressLine, TestResult
from contacts.encryption import WrongKey
from delivery.models import DomainCheck, ProviderAccount, Route
from delivery.progress import progress_of
from delivery.routing import NoRoute, choose_route
from delivery.sending.transports import provider_of
from delivery.services.braking import brake_of
from delivery.watchdog import why_not_moving

# People who opened or clicked themselves, bounced, or left; per campaign of the page.
FIGURES = """
SELECT campaign_id, kind, count(DISTINCT contact_id) FROM delivery_event
WHERE campaign_id = ANY(%s) AND kind IN ('opened', 'clicked', 'bounced', 'unsubscribed') AND verdict <> 'machine'
GROUP BY 1, 2
"""


class Port:
    """The DeliveryPort of campaigns.registry."""

    def route_choices(self) -> list[tuple[str, str]]:
        """Keys and names of all routes."""
        return list(Route.objects.values_list("key", "name"))

    def launch_problems(self, campaign: Campaign) -> list[LaunchProblem]:
        """Why mail of this campaign could not leave."""
        problems = [*_route_problems(campaign), *_domain_problems(campaign)]
        if not settings.HTTPS and not settings.DEMO:
            problems.append(
                LaunchProblem(
                    "One-click unsubscribe needs https, but this installation's address is http.",
                    Step.REVIEW,
                    hint="Set PUBLIC_ORIGIN to an https address.",
                )
            )
        return problems

    def send_test(self, variant_id: int, *, contact_id: int | None, to: Sequence[str]) -> list[TestResult]:
        """Sends the variant as it is now; one result per address."""
        from delivery.services.testing import (
            send_test_messages,
        )  # the content pipeline: 40 MB that a web process seldom needs

        return send_test_messages(variant_id, contact_id=contact_id, to=to)

    def report_url(self, campaign_id: int) -> str:
        """The report page."""
        return reverse("delivery-report", args=[campaign_id])

    def brake_reason(self, campaign_id: int) -> str:
        """Why the brake holds it."""
        braking = brake_of(campaign_id)
        return braking.reason if braking else ""

    def progress(self, campaign_ids: Iterable[int]) -> dict[int, ProgressLine]:
        """One line per campaign that has messages."""
        ids = list(campaign_ids)
        figures = _figures(ids)
        return {pk: line for pk in ids if (line := _line(pk, figures.get(pk, {}))) is not None}


def _route_problems(campaign: Campaign) -> list[LaunchProblem]:
    hint = "Routes and providers are in the sidebar."
    try:
        route = choose_route(campaign)
    except NoRoute as problem:
        return [LaunchProblem(str(problem), Step.SCHEDULE, hint=hint)]
    accounts = route.accounts.filter(enabled=True).defer("secrets", "hook_secrets")
    sentences = dict.fromkeys(text for account in accounts for text in _account_problems(account))
    return [LaunchProblem(text, Step.SCHEDULE, hint=hint) for text in sentences]


def _account_problems(account: ProviderAccount) -> list[str]:
    """What the account as it is set up lacks: a form may carry less than its kind could."""
    # The providers' modules and their HTTP clients: 16 MB that processes which ask nothing do without.
    from delivery.providers import PROVIDERS, fitness

    try:
        _ = account.secrets  # read here, so that a key that is gone is said before the launch
        if account.kind == "smtp":
            return []
        capabilities = provider_of(account).capabilities
    except WrongKey as problem:
        return [f"“{account}” cannot send: {problem}"]
    except ValueError as problem:
        return [f"“{account}” is not set up: {problem}"]
    label = PROVIDERS[account.kind].label
    return fitness.problems(label, capabilities, fitness.Uses())


def _domain_problems(campaign: Campaign) -> list[LaunchProblem]:
    """Advice alone: DNS may have been mended since it was asked, or may have been out of reach."""
    domain = campaign.brand.sending_domain
    check = DomainCheck.objects.filter(brand=campaign.brand_id).first()
    if check is None:
        return [] if settings.DEMO else [_advice(f"Nobody has checked yet what DNS says about {domain}.", domain)]
    failures = [row for row in check.findings if row["level"] == "failure"]
    if not failures:
        return []
    when = check.checked_at.astimezone(ZoneInfo(campaign.timezone))
    topics = ", ".join(dict.fromkeys(row["topic"] for row in failures))
    words = f"When DNS was asked on {when:%-d %B at %H:%M}, {domain} was not ready ({topics}): {failures[0]['words']}"
    return [_advice(words, domain)]


def _advice(message: str, domain: str) -> LaunchProblem:
    hint = f"See “{domain}” under Sending domains; mailbox providers may refuse this mail or file it as spam."
    return LaunchProblem(message, Step.REVIEW, hint=hint, severity=Severity.WARNING)


def _figures(campaign_ids: list[int]) -> dict[int, dict[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, [campaign_ids])
        figures: dict[int, dict[str, Any]] = {}
        for campaign_id, kind, n in cursor.fetchall():
            figures.setdefault(campaign_id, {})[kind] = n
    return figures


def _line(campaign_id: int, figures: dict[str, int]) -> ProgressLine | None:
    progress = progress_of(campaign_id)
    if not progress.total:
        return None
    bounced_later = max(0, figures.get("bounced", 0) - progress.refused)
    return ProgressLine(
        n_total=progress.total,
        n_done=progress.done,
        n_accepted=progress.accepted,
        n_bounced=bounced_later,
        n_opened=figures.get("opened", 0),
        n_clicked=figures.get("clicked", 0),
        n_unsubscribed=figures.get("unsubscribed", 0),
        stalled=why_not_moving(campaign_id),
    )
