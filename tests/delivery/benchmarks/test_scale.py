"""`bench scale` asks with the statements that send: it must keep up with their parameters."""

from __future__ import annotations

import pytest
from django.utils import timezone

from delivery.benchmarks.fixture import Shape, launch, make_audience, make_route
from delivery.benchmarks.scale import measure_campaign
from delivery.models import Batch, OutcomeRow

pytestmark = pytest.mark.django_db


def test_a_campaign_is_measured_statement_by_statement() -> None:
    route, shape = make_route("127.0.0.1", 1, 10), Shape(2600, 10, 5)
    campaign = launch(make_audience(shape), route, shape, now=timezone.now())
    milliseconds, pages = measure_campaign(campaign)
    assert set(milliseconds) == {
        *("plan", "dispatch", "campaigns_with_work", "claim", "read_people", "journal"),
        *("progress", "end", "sweep", "finish"),
    }
    assert set(pages) == {"campaigns_with_work", "claim", "read_people", "finish", "sweep", "progress"}
    assert OutcomeRow.objects.filter(campaign_id=campaign.pk).count() == 2600
    assert set(Batch.objects.filter(campaign_id=campaign.pk).values_list("state", flat=True)) == {"finished"}
