"""From draft to scheduled and back: nothing is scheduled that could not be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.compiling import content_problems
from campaigns.errors import NotReady, WrongState
from campaigns.funnel import Funnel
from campaigns.models import Campaign, Variant
from campaigns.policy import SCHEDULABLE, UNSCHEDULABLE
from campaigns.queries import audience_rule, count_audience
from campaigns.readiness import CampaignFacts, LaunchProblem, VariantFacts, blocking, find_launch_problems
from campaigns.registry import delivery
from campaigns.services.moving import move_campaign
from campaigns.starters import is_untouched


def schedule_campaign(campaign_id: int, *, send_at: datetime, timezone: str, by: Any, now: datetime) -> None:
    """The campaign will launch at `send_at` (aware); `timezone` is the zone in which that was chosen.

    Raises NotReady with every blocking problem, WrongState unless it is a draft, Campaign.DoesNotExist.
    """
    campaign = Campaign.objects.select_related("brand").get(pk=campaign_id)
    if campaign.state not in SCHEDULABLE:
        raise WrongState(f"“{campaign}” is {campaign.get_state_display().lower()}, not a draft.")
    campaign.send_at = send_at
    funnel = count_audience(audience_rule(campaign), now=now)
    problems = blocking(find_problems_of(campaign, funnel=funnel, now=now))
    if problems:
        raise NotReady(problems)
    if not move_campaign(
        campaign_id,
        sources=SCHEDULABLE,
        target=Campaign.State.SCHEDULED,
        send_at=send_at,
        timezone=timezone,
        scheduled_by=by,
        state_reason="",
        updated_at=now,
    ):
        raise WrongState(f"“{campaign}” is no longer a draft: somebody else was faster.")


def send_now(campaign_id: int, *, by: Any, now: datetime) -> None:
    """The campaign launches with the next tick. Raises as `schedule_campaign` does."""
    zone = Campaign.objects.values_list("timezone", flat=True).get(pk=campaign_id)
    schedule_campaign(campaign_id, send_at=now, timezone=zone, by=by, now=now)


def unschedule_campaign(campaign_id: int, *, now: datetime) -> None:
    """A scheduled campaign is a draft again and will not launch. Raises WrongState if it has launched meanwhile."""
    moved = move_campaign(campaign_id, sources=UNSCHEDULABLE, target=Campaign.State.DRAFT, updated_at=now)
    if not moved:
        raise WrongState("This campaign is not waiting for its time any more.")


def find_problems_of(campaign: Campaign, *, funnel: Funnel | None, now: datetime) -> list[LaunchProblem]:
    """Return what stands between a campaign and its launch; without a funnel, nobody asks how many people there are."""
    brand = campaign.brand
    facts = CampaignFacts(
        n_lists=campaign.send_to.count(),
        n_total=funnel.n_total if funnel else None,
        variants=tuple(_facts_of(variant, campaign) for variant in campaign.variants.all()),
        sending_domain=brand.sending_domain,
        postal_address=brand.postal_address,
        send_at=campaign.send_at,
        delivery_problems=tuple(delivery().launch_problems(campaign)),
    )
    return find_launch_problems(facts, now)


def _facts_of(variant: Variant, campaign: Campaign) -> VariantFacts:
    brand = campaign.brand
    return VariantFacts(
        name=variant.name,
        subject=variant.subject,
        preheader=variant.preheader,
        from_name=variant.from_name or brand.from_name,
        from_email=variant.from_email or brand.from_email,
        has_body=bool(variant.body.strip()),
        has_sample_text=is_untouched(variant.body),
        content_problems=tuple(content_problems(variant, brand.postal_address)) if variant.body.strip() else (),
    )
