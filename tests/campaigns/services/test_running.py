"""From preparing to the end: each move is allowed from its states and from no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from campaigns.funnel import Funnel
from campaigns.models import Audience, Campaign
from campaigns.services import cancel_campaign, finish_campaign, pause_campaign, resume_campaign, start_sending
from tests.campaigns.factories import NOW, make_campaign

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
FUNNEL = Funnel(n_matched=7, n_duplicates=2, n_unsubscribed=1, n_unconfirmed=1, n_excluded=1, n_suppressed=1, n_total=1)
STATES = [str(state) for state in Campaign.State]


def pause(campaign_id: int) -> bool:
    return pause_campaign(campaign_id, reason="Too many bounces.", now=LATER)


def resume(campaign_id: int) -> bool:
    return resume_campaign(campaign_id, now=LATER)


def cancel(campaign_id: int) -> bool:
    return cancel_campaign(campaign_id, now=LATER)


def finish(campaign_id: int) -> bool:
    return finish_campaign(campaign_id, now=LATER)


def start(campaign_id: int) -> bool:
    return start_sending(campaign_id, funnel=FUNNEL, now=LATER)


MOVES: list[tuple[Callable[[int], bool], set[str], str]] = [
    (start, {"preparing"}, "sending"),
    (pause, {"preparing", "sending"}, "paused"),
    (resume, {"paused"}, "preparing"),
    (cancel, {"scheduled", "preparing", "sending", "paused"}, "cancelled"),
    (finish, {"sending"}, "finished"),
]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("move", "sources", "target"), MOVES)
def test_a_move_is_made_from_its_states_only(
    move: Callable[[int], bool], sources: set[str], target: str, state: str
) -> None:
    campaign = make_campaign(state=state, send_at=NOW)

    moved = move(campaign.pk)

    campaign.refresh_from_db()
    assert (moved, campaign.state) == ((True, target) if state in sources else (False, state))


@pytest.mark.parametrize(
    ("move", "state"),
    [(start, "preparing"), (pause, "sending"), (cancel, "sending"), (finish, "sending"), (resume, "paused")],
)
def test_a_move_made_twice_is_made_once(move: Callable[[int], bool], state: str) -> None:
    campaign = make_campaign(state=state, send_at=NOW)

    assert [move(campaign.pk), move(campaign.pk)] == [True, False]


def test_the_start_records_the_audience() -> None:
    campaign = make_campaign(state="preparing")

    start(campaign.pk)

    campaign.refresh_from_db()
    audience = Audience.objects.get(campaign=campaign)
    assert (campaign.started_at, audience.frozen_at) == (LATER, LATER)
    assert (audience.n_matched, audience.n_duplicates, audience.n_total) == (7, 2, 1)


def test_a_paused_campaign_records_no_audience() -> None:
    campaign = make_campaign(state="paused")

    assert not start(campaign.pk)
    assert not Audience.objects.exists()


def test_a_pause_says_why_and_a_resume_forgets_it() -> None:
    campaign = make_campaign(state="sending")

    pause(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state_reason == "Too many bounces."

    resume(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state_reason == ""


def test_a_campaign_with_a_frozen_audience_resumes_sending() -> None:
    campaign = make_campaign(state="preparing")
    start(campaign.pk)
    pause(campaign.pk)

    assert resume(campaign.pk)

    campaign.refresh_from_db()
    assert campaign.state == "sending"


@pytest.mark.parametrize("move", [cancel, finish])
def test_an_end_has_its_time(move: Callable[[int], bool]) -> None:
    campaign = make_campaign(state="sending")

    move(campaign.pk)

    campaign.refresh_from_db()
    assert campaign.finished_at == LATER
