"""RFC 8058 while real workers send at a limit: who leaves gets no mail from the next journal step on.

Read off the server that received, in messages: at a limit of 50 a second, a second is 50 of them. The last mail to
somebody who had left came before the answer to his request; messages that would have left 8 messages (0.2 s) after the
answer stayed here (2 cores under load, 25 November 2026).
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from campaigns.models import Campaign
from contacts.models import ConsentEvent, Contact, Subscription
from delivery.models import Event
from delivery.outcomes import Result
from delivery.partitions import ensure_event_partitions
from delivery.progress import Progress
from delivery.reports import report_of
from delivery.tracking import views
from tests.faults.invariants import assert_accounts, emails_of
from tests.faults.post import Post
from tests.faults.process import wait_for
from tests.faults.stage import Stage, launch, prepare, wait_until_finished

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

N, RATE, BURST = 450, 50, 10
FAR = RATE + BURST  # messages that may leave in a second


def leave(campaign: Campaign, email: str) -> None:
    path = f"/u/{views.tokens().make(campaign.pk, Contact.objects.get(email=email).pk)}"
    answer = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"Unsubscribed.")


def test_who_leaves_while_the_campaign_runs_gets_no_mail_from_the_next_second_on(theatre: Stage) -> None:
    ensure_event_partitions(datetime.now(UTC))
    assert Client().get("/u/" + "A" * 22).status_code == 404  # the first request loads the pages
    theatre.start_ticking()
    theatre.start_sending(processes=1).wait_until_ready()
    left_at: dict[str, int] = {}  # how many messages had come when the answer was there
    with Post() as post:
        campaign, _ = prepare(N, post.port, messages_per_second=RATE, max_connections=1)
        launch(campaign)
        wait_for(lambda: len(post.received) >= 20, "the first messages")
        everybody = emails_of(campaign)
        for ahead in range(10, 210, 10):  # from a moment before the mail to two seconds' worth of mail before it
            email = next(e for e in everybody[len(post.received) + ahead :] if e not in left_at)
            leave(campaign, email)
            left_at[email] = len(post.received)
        wait_until_finished(campaign)
        order = [message.recipient.decode() for message in post.received]
    late = {email: order.index(email) - n for email, n in left_at.items() if email in order}
    assert max(late.values(), default=0) < FAR
    far = [email for email, n in left_at.items() if everybody.index(email) >= n + FAR]
    assert len(far) >= 5  # or the machine was too slow for this test to say anything
    assert set(far) & set(order) == set()
    assert set(everybody) - set(order) == left_at.keys() - late.keys()

    stopped = dict.fromkeys(left_at.keys() - late.keys(), Result.SUPPRESSED)
    expected = Progress(accepted=N - len(stopped), suppressed=len(stopped))
    assert assert_accounts(campaign, post.taken, explained=stopped) == expected
    campaign.refresh_from_db()
    assert campaign.launched_at is not None
    assert report_of(campaign.pk, since=campaign.launched_at).people("unsubscribed") == 20
    assert Event.objects.filter(campaign_id=campaign.pk, kind="unsubscribed").count() == 20
    assert ConsentEvent.objects.filter(kind="withdrawn").count() == 20
    assert Subscription.objects.filter(mailing_list__in=campaign.send_to.all(), state="confirmed").count() == N - 20
