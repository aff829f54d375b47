"""PostgreSQL, Redis and whole workers fail in mid-campaign: it goes on by itself, and all is accounted for."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from campaigns.models import Campaign
from delivery.progress import Progress, progress_of
from delivery.sending.drain import WINDOW
from tests.delivery.smtp.scripted import On
from tests.faults.invariants import assert_accounts
from tests.faults.post import Post
from tests.faults.process import wait_for
from tests.faults.stage import Stage, launch, prepare, reconnect, wait_until_finished

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@contextlib.contextmanager
def under_way(n: int, *, domains: int = 1) -> Iterator[tuple[Campaign, Post]]:
    """A campaign in its middle; four connections get some 200 answers a second."""
    with Post(On(".", delay=0.02)) as post:
        campaign, _ = prepare(n, post.port, domains=domains)
        launch(campaign)
        wait_for(lambda: len(post.received) >= 60, "60 messages")
        yield campaign, post


def finish(campaign: Campaign, post: Post, *, most_uncertain: int = 0) -> Progress:
    wait_until_finished(campaign)
    return assert_accounts(campaign, post.taken, most_uncertain=most_uncertain)


def test_a_postgresql_restart_leaves_nothing_uncertain(stage: Stage) -> None:
    with under_way(400) as (campaign, post):
        stage.servers.postgres.stop()
        time.sleep(1)
        stage.servers.postgres.start()
        reconnect()
        assert finish(campaign, post) == Progress(accepted=400)


def test_a_postgresql_killed_leaves_nothing_uncertain(stage: Stage) -> None:
    with under_way(400) as (campaign, post):
        stage.servers.postgres.kill()
        stage.servers.postgres.start()
        reconnect()
        assert finish(campaign, post) == Progress(accepted=400)


def test_a_redis_restart_leaves_nothing_uncertain(stage: Stage) -> None:
    with under_way(400) as (campaign, post):
        stage.servers.redis.stop()
        time.sleep(1)
        stage.servers.redis.start()
        assert finish(campaign, post) == Progress(accepted=400)


def test_a_redis_that_lost_everything_holds_nothing_up(stage: Stage) -> None:
    with under_way(300) as (campaign, post):
        with Redis.from_url(stage.servers.redis_url) as redis:
            redis.flushall()
        assert finish(campaign, post) == Progress(accepted=300)
    with under_way(80) as (campaign, post):
        assert finish(campaign, post) == Progress(accepted=80)


def test_a_worker_that_is_told_to_stop_leaves_nothing_uncertain(stage: Stage) -> None:
    with under_way(500) as (campaign, post):
        worker = stage.workers["send"]
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        n_sent = len(post.received)
        assert n_sent < 500
        assert progress_of(campaign.pk) == Progress(accepted=n_sent, pending=500 - n_sent)
        stage.end("send")
        stage.start_sending()
        assert finish(campaign, post) == Progress(accepted=500)


def test_a_worker_killed_with_all_its_children_costs_a_journal_step_per_process(stage: Stage) -> None:
    with under_way(600, domains=3) as (campaign, post):
        stage.workers["send"].signal_all(signal.SIGKILL)
        stage.end("send")
        stage.start_sending()
        finish(campaign, post, most_uncertain=2 * WINDOW)


def test_children_that_outlive_their_killed_parent_do_no_harm(stage: Stage) -> None:
    with under_way(600, domains=3) as (campaign, post):
        orphaned = stage.workers.pop("send")
        orphaned.signal(signal.SIGKILL)
        stage.start_sending()
        finish(campaign, post, most_uncertain=2 * WINDOW)
        orphaned.end()


def test_a_worker_frozen_past_its_lease_says_what_it_knows_when_it_wakes(stage: Stage) -> None:
    with under_way(400) as (campaign, post):
        frozen = stage.workers.pop("send")
        frozen.signal_all(signal.SIGSTOP)
        wait_for(lambda: progress_of(campaign.pk).uncertain, "the sweeper")
        assert progress_of(campaign.pk).uncertain <= WINDOW
        frozen.signal_all(signal.SIGCONT)
        frozen.signal(signal.SIGTERM)
        assert frozen.wait() == 0
        assert progress_of(campaign.pk).uncertain == 0
        stage.start_sending()
        assert finish(campaign, post) == Progress(accepted=400)
