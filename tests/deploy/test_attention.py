"""What the home page says waits for a person in sending."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from campaigns.services import pause_campaign
from delivery.models import Batch, Braking, ProviderAccount
from delivery.sending import presence
from deploy.attention import Alert, sending_alerts
from tests.delivery.factories import make_sending

pytestmark = pytest.mark.django_db


def alerts() -> list[Alert]:
    return sending_alerts(now=timezone.now())


def test_an_installation_at_rest_needs_nothing(redis: Redis) -> None:
    assert alerts() == []


def test_a_campaign_under_way_without_workers_is_an_alarm(redis: Redis) -> None:
    make_sending(3)
    (alert,) = alerts()
    assert (alert.tone, alert.url) == ("bad", "/admin/delivery/health/")
    assert alert.message.startswith("No worker that sends is alive.")
    presence.note_worker(redis, "send@one")
    presence.note_beat(redis)
    presence.note_tick(redis)
    assert alerts() == []


def test_braked_comes_before_paused_then_accounts_then_uncertain_messages(redis: Redis) -> None:
    paused, braked = make_sending(3), make_sending(3)
    for campaign, reason in ((paused, "Paused by mary."), (braked, "The brake stopped this campaign.")):
        assert pause_campaign(campaign.pk, reason=reason, now=timezone.now())
    Braking.objects.create(
        campaign_id=braked.pk, cause="bounced", reason="x", braked_at=timezone.now(), n_sent=1, n_bounced=1,
        n_complained=0, n_blocked=0,
    )  # fmt: skip
    ProviderAccount.objects.update(
        suspended_until=timezone.now() + timedelta(hours=1), suspended_reason="535 bad credentials"
    )
    Batch.objects.filter(campaign_id=paused.pk).update(n_uncertain=2)
    found = alerts()
    assert [alert.tone for alert in found] == ["bad", "warn", "warn", "warn"]
    assert found[0].message == "“Sale” is paused. The brake stopped this campaign."
    assert found[1].message == "“Sale” is paused. Paused by mary."
    assert "535 bad credentials" in found[2].message
    assert found[3].message == "2 messages of “Sale” are uncertain: nobody knows if they arrived."
    assert found[3].url == f"/admin/delivery/reports/{paused.pk}/recipients/?state=uncertain"
    Campaign.objects.filter(pk=paused.pk).update(launched_at=timezone.now() - timedelta(days=31))
    assert len(alerts()) == 3
