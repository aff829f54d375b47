"""PostgreSQL, Redis, the SMTP server, workers and clocks fail in mid-campaign: it goes on by itself, all accounted for."""

from __future__ import annotations

import signal
import time

import pytest
from django.db import connection
from redis import Redis

from delivery.outcomes import Result
from delivery.progress import progress_of
from delivery.sending.drain import WINDOW
from tests.delivery.smtp.scripted import On
from tests.faults.stage import (
    Post,
    Stage,
    assert_accounts,
    emails_of,
    launch,
    route_of,
    wait_for,
    wait_until_finished,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]



def slow_post(*rules: On) -> Post:
    """With four connections some 200 messages a second: a campaign lasts long enough to be hit in the middle."""
    return Post(*rules, On(".", delay=0.02))


def wait_for_messages(post: Post, n: int) -> None:
    wait_for(lambda: len(post.received) >= n, f"{n} messages; {len(post.received)} came")


def test_a_postgresql_restart_leaves_nothing_uncertain(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(500, post)
        wait_for_messages(post, 60)
        stage.servers.postgres.stop()
        time.sleep(2)
        stage.servers.postgres.start()
        connection.close()
        connection.close_pool()
        wait_until_finished(campaign)
    assert_accounts(campaign, post)


def test_a_redis_restart_leaves_nothing_uncertain(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(500, post)
        wait_for_messages(post, 60)
        stage.servers.redis.stop()
        time.sleep(2)
        stage.servers.redis.start()
        wait_until_finished(campaign)
    assert_accounts(campaign, post)


def test_a_redis_that_lost_everything_holds_nothing_up(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(500, post)
        wait_for_messages(post, 60)
        with Redis.from_url(stage.servers.redis_url) as redis:
            redis.flushall()
        wait_until_finished(campaign)
        following = launch(10, post)
        wait_until_finished(following)
    assert_accounts(following, post)
    assert_accounts(campaign, post)


def test_an_smtp_server_that_is_gone_for_seconds_costs_what_it_had_in_hand(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(500, post)
        wait_for_messages(post, 60)
        post.close()
        time.sleep(3)
        post.open()
        wait_until_finished(campaign)
    assert_accounts(campaign, post, most_uncertain=4)


def test_connections_that_are_reset_cost_what_they_had_in_hand(stage: Stage) -> None:
    with slow_post(On("RCPT", skip=50, times=3, then="reset")) as post:
        campaign = launch(300, post)
        wait_until_finished(campaign)
    assert_accounts(campaign, post, most_uncertain=3)


def test_connections_that_drop_after_the_final_dot_cost_one_message_each(stage: Stage) -> None:
    with Post(On(".", skip=40, times=3, then="close")) as post:
        campaign = launch(300, post)
        wait_until_finished(campaign)
    assert assert_accounts(campaign, post, most_uncertain=3).uncertain == 3


def test_a_421_in_mid_pipeline_leaves_nothing_uncertain(stage: Stage) -> None:
    with Post(On("MAIL", reply="421 4.3.2 closing", skip=60, times=3, then="close")) as post:
        campaign = launch(300, post)
        wait_until_finished(campaign)
    assert_accounts(campaign, post)


def test_recipients_refused_while_their_data_is_in_flight_are_refused_alone(stage: Stage) -> None:
    with Post() as post:
        campaign = launch(300, post)
        dead = emails_of(campaign)[::7]
        post.rules += [On("RCPT", reply="550 5.1.1 no such user", match=email.encode()) for email in dead]
        wait_until_finished(campaign)
    progress = assert_accounts(campaign, post, explained=dict.fromkeys(dead, Result.REFUSED))
    assert progress.refused == len(dead) == 43


def test_the_same_task_given_to_two_workers_at_once_sends_once(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(600, post, domains=3)
        wait_for(lambda: progress_of(campaign.pk).total == 600, "the plan")
        stage.give_drain(route_of(campaign), times=4)
        wait_until_finished(campaign)
    assert assert_accounts(campaign, post).accepted == 600


@pytest.mark.parametrize("hours", ["1", "-1"])
def test_a_clock_that_jumps_changes_nothing(stage: Stage, hours: str) -> None:
    with slow_post() as post:
        stage.arm("after the journal", nth=3, action=hours)
        campaign = launch(400, post)
        wait_until_finished(campaign)
    assert not stage.is_armed
    assert assert_accounts(campaign, post).accepted == 400
    stage.end("send")


def test_a_worker_that_is_told_to_stop_leaves_nothing_uncertain(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(600, post)
        wait_for_messages(post, 60)
        worker = stage.workers["send"]
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        n_sent = len(post.received)
        assert n_sent < 600
        progress = progress_of(campaign.pk)
        assert (progress.accepted, progress.pending) == (n_sent, 600 - n_sent)
        stage.end("send")
        stage.start_sending()
        wait_until_finished(campaign)
    assert assert_accounts(campaign, post).accepted == 600


def test_a_worker_whose_parent_is_killed_costs_a_journal_step_per_process(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(600, post, domains=3)
        wait_for_messages(post, 60)
        stage.workers["send"].signal(signal.SIGKILL)
        stage.end("send")
        stage.start_sending()
        wait_until_finished(campaign)
    assert_accounts(campaign, post, most_uncertain=2 * WINDOW)


def test_a_worker_frozen_past_its_lease_does_no_harm_when_it_wakes(stage: Stage) -> None:
    with slow_post() as post:
        campaign = launch(400, post)
        wait_for_messages(post, 60)
        frozen = stage.workers["send"]
        frozen.signal_all(signal.SIGSTOP)
        stage.start_sending("rescue").wait_until_ready()
        wait_until_finished(campaign)
        frozen.signal_all(signal.SIGCONT)
        frozen.signal(signal.SIGTERM)
        assert frozen.wait() == 0
        stage.end("send")
    assert_accounts(campaign, post)
    stage.end("rescue")
