"""Four worker processes at one limit of 100 a second, for 20 seconds, read off the server that received.

100.15 a second and 107 in the busiest one (2 cores with a load of 12, 25 November 2026). A machine that stops holds up
the measuring server too: what it lost (Stalls) widens the bounds; otherwise they are those of the limit alone.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from delivery.models import Batch
from delivery.progress import Progress
from tests.faults.invariants import assert_accounts
from tests.faults.post import Post
from tests.faults.process import wait_for
from tests.faults.stage import Stage, launch, prepare, wait_until_finished

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

RATE, BURST, SECONDS = 100, 10, 20
N = RATE * SECONDS + 400


class Stalls:
    """How long this machine did nothing for a thread that wanted to run, in all and at worst."""

    total_s = 0.0
    worst_s = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,))
        thread.start()
        yield
        over.set()
        thread.join()

    def _watch(self, over: threading.Event) -> None:
        before = time.monotonic()
        while not over.wait(0.01):
            now = time.monotonic()
            lost_s = max(0.0, now - before - 0.02)
            self.total_s += lost_s
            self.worst_s = max(self.worst_s, lost_s)
            before = now


def test_four_worker_processes_keep_the_rate_and_use_it(theatre: Stage) -> None:
    theatre.start_ticking()
    theatre.start_sending(processes=4).wait_until_ready()
    stalls = Stalls()
    with Post() as post:
        campaign, _ = prepare(N, post.port, domains=8, messages_per_second=RATE)
        launch(campaign)
        wait_for(lambda: len(post.received) >= RATE, "the first second")
        with stalls.watched():
            time.sleep(SECONDS / 2)
            holders = Batch.objects.filter(campaign_id=campaign.pk, state="leased").values_list("leased_by", flat=True)
            assert len(set(holders)) == 4
            time.sleep(SECONDS / 2)
            at = [moment for moment in post.received_at if moment >= post.received_at[RATE - 1]]
        wait_until_finished(campaign)
        assert assert_accounts(campaign, post.taken) == Progress(accepted=N)
    per_second = len([moment for moment in at if moment < at[0] + SECONDS]) / SECONDS
    busiest = max(bisect_left(at, moment + 1) - i for i, moment in enumerate(at))
    assert per_second <= 1.01 * RATE
    assert per_second >= 0.95 * RATE * (1 - stalls.total_s / SECONDS)
    # Where processes are held up, each may send what it was granted before together with what others are granted now:
    # 124 were seen with a load of 16 on 2 cores.
    held = 3 * BURST if stalls.total_s else 0
    assert busiest <= RATE + BURST + held + RATE * stalls.worst_s
