"""What SMTP servers and the network between do in mid-campaign: it goes on by itself, and all is accounted for.

The campaigns of this module run at once, each on a route of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from campaigns.models import Campaign
from delivery.models import Batch, Route
from delivery.outcomes import Result
from delivery.progress import Progress
from tests.delivery.smtp.scripted import On
from tests.faults.invariants import assert_accounts, emails_of
from tests.faults.post import Post, Wire
from tests.faults.process import wait_for
from tests.faults.stage import Stage, launch, prepare, wait_until_finished

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

N = 220
FEW = 190  # from 200 messages on the brake would pause a campaign with as many refusals
SLOWLY = On(".", delay=0.02)  # with four connections some 200 messages a second: long enough to be hit in the middle


@dataclass
class Play:
    """A campaign under way to a server that misbehaves."""

    campaign: Campaign
    route: Route
    post: Post
    wire: Wire
    emails: list[str]

    def wait_for_messages(self, n: int) -> None:
        wait_for(lambda: len(self.post.received) >= n, f"{n} messages; {len(self.post.received)} came")

    def finish(self, *, most_uncertain: int = 0, explained: dict[str, Result] | None = None) -> Progress:
        wait_until_finished(self.campaign)
        return assert_accounts(self.campaign, self.post.taken, most_uncertain=most_uncertain, explained=explained)


@dataclass
class Plot:
    """How a server misbehaves; `then` waits for the middle of the campaign and interferes."""

    rules: tuple[On, ...] = ()
    refused_every: int = 0
    before: Callable[[Stage, Play], None] = lambda stage, play: None
    then: Callable[[Stage, Play], None] = lambda stage, play: None
    domains: int = 1
    n: int = N
    limits: dict[str, int] = field(default_factory=dict)


def _go_away(_: Stage, play: Play) -> None:
    play.wait_for_messages(60)
    play.post.close()
    time.sleep(3)
    play.post.open()


def _hold_the_wire(_: Stage, play: Play) -> None:
    play.wait_for_messages(60)
    play.wire.hold()
    time.sleep(3)
    play.wire.release()


def _cut_the_wire(_: Stage, play: Play) -> None:
    play.wait_for_messages(60)
    play.wire.cut()


def _give_the_same_task_four_times(stage: Stage, play: Play) -> None:
    wait_for(lambda: Batch.objects.filter(campaign_id=play.campaign.pk).exists(), "the plan")
    stage.give_drain(play.route, times=4)


PLOTS = {
    "gone for seconds": Plot((SLOWLY,), then=_go_away),
    "network held": Plot((SLOWLY,), then=_hold_the_wire),
    "network cut": Plot((SLOWLY,), then=_cut_the_wire),
    "reset at RCPT": Plot((On("RCPT", skip=50, times=3, then="reset"), SLOWLY)),
    "dropped after the dot": Plot((On(".", skip=40, times=3, then="close"),)),
    "dropped in the body": Plot((On("BODY", skip=40, times=3, at_byte=200, then="reset"),)),
    "421 at MAIL": Plot((On("MAIL", reply="421 4.3.2 closing", skip=60, times=3, then="close"),)),
    "421 after the dot": Plot((On(".", reply="421 4.3.2 closing", skip=60, times=2, then="close"),)),
    "refused in flight": Plot(refused_every=7, n=FEW),
    "deferred": Plot((On("RCPT", reply="451 4.3.2 busy, come back later", skip=10, times=30),), n=FEW),
    "same task four times": Plot((SLOWLY,), domains=3, n=630, before=_give_the_same_task_four_times),
}


@pytest.fixture(scope="module")
def plays(theatre: Stage) -> Iterator[dict[str, Play]]:
    """All campaigns, launched and interfered with."""
    theatre.start_ticking()
    theatre.start_sending(processes=4).wait_until_ready()
    with contextlib.ExitStack() as stack:
        plays = {name: _begin(stack, plot) for name, plot in PLOTS.items()}
        for play in plays.values():
            launch(play.campaign)
        for name, plot in PLOTS.items():
            plot.before(theatre, plays[name])
        for name, plot in PLOTS.items():
            plot.then(theatre, plays[name])
        yield plays


def _begin(stack: contextlib.ExitStack, plot: Plot) -> Play:
    post = stack.enter_context(Post(*plot.rules))
    wire = stack.enter_context(Wire(post.port))
    campaign, route = prepare(plot.n, wire.port, domains=plot.domains)
    emails = emails_of(campaign)
    if plot.refused_every:
        refused = emails[:: plot.refused_every]
        post.rules += [On("RCPT", reply="550 5.1.1 no such user", match=email.encode()) for email in refused]
    return Play(campaign, route, post, wire, emails)


def test_a_server_that_is_gone_for_seconds_costs_what_it_had_in_hand(plays: dict[str, Play]) -> None:
    plays["gone for seconds"].finish(most_uncertain=4)


def test_a_network_that_holds_everything_for_seconds_costs_nothing(plays: dict[str, Play]) -> None:
    assert plays["network held"].finish() == Progress(accepted=N)


def test_a_network_cut_costs_what_was_on_the_wire(plays: dict[str, Play]) -> None:
    plays["network cut"].finish(most_uncertain=4)


def test_connections_that_are_reset_cost_what_they_had_in_hand(plays: dict[str, Play]) -> None:
    plays["reset at RCPT"].finish(most_uncertain=3)


def test_connections_that_drop_after_the_final_dot_cost_one_message_each(plays: dict[str, Play]) -> None:
    assert plays["dropped after the dot"].finish(most_uncertain=3) == Progress(accepted=N - 3, uncertain=3)


def test_connections_that_break_in_the_body_cost_one_message_each_at_most(plays: dict[str, Play]) -> None:
    plays["dropped in the body"].finish(most_uncertain=3)


def test_a_421_in_mid_pipeline_leaves_at_most_what_was_on_the_wire_uncertain(plays: dict[str, Play]) -> None:
    plays["421 at MAIL"].finish(most_uncertain=3)


def test_a_421_for_a_message_is_its_answer_and_it_is_sent_again(plays: dict[str, Play]) -> None:
    assert plays["421 after the dot"].finish() == Progress(accepted=N)


def test_recipients_refused_while_their_data_is_in_flight_are_refused_alone(plays: dict[str, Play]) -> None:
    play = plays["refused in flight"]
    progress = play.finish(explained=dict.fromkeys(play.emails[::7], Result.REFUSED))
    assert progress == Progress(accepted=FEW - 28, refused=28)


def test_deferred_recipients_are_tried_again_and_get_it_once(plays: dict[str, Play]) -> None:
    assert plays["deferred"].finish() == Progress(accepted=FEW)


def test_the_same_task_given_to_four_processes_at_once_sends_once(plays: dict[str, Play]) -> None:
    assert plays["same task four times"].finish() == Progress(accepted=630)
