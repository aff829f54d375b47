"""Somebody leaves by the button in his mail program while the campaign is being sent: his message stays here."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from redis import Redis

from contacts.models import Contact
from delivery.models import Event
from delivery.partitions import ensure_event_partitions
from delivery.progress import Progress
from delivery.tracking import views
from tests.delivery.factories import make_sending
from tests.delivery.sending.test_drain import assert_ends, drain, everybody, recipients, route_to
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("body", [{"List-Unsubscribe": "One-Click"}, {"scope": "everything"}])
def test_who_unsubscribes_while_the_campaign_runs_is_not_mailed(redis: Redis, body: dict[str, str]) -> None:
    ensure_event_partitions(datetime.now(UTC))
    with in_thread(ScriptedServer(On(".", delay=0.02))) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(150, route=route)
        leaver = Contact.objects.order_by("pk")[110]
        answers: list[int] = []

        def leave_soon() -> None:
            while len(server.received) < 3:
                time.sleep(0.01)
            path = f"/u/{views.tokens().make(campaign.pk, leaver.pk)}"
            answers.append(Client().post(path, body).status_code)
            connection.close()

        leaving = threading.Thread(target=leave_soon)
        leaving.start()
        drain(route, redis)
        leaving.join()
    assert answers == [200]
    assert recipients(server) == everybody() - Counter([leaver.email])
    assert_ends(campaign, Progress(accepted=149, suppressed=1))
    assert Event.objects.filter(campaign_id=campaign.pk, kind="unsubscribed", contact_id=leaver.pk).count() == 1
