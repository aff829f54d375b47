"""History judged anew: the same verdicts as a flush would give, in batches of people, without losing what is raw."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from redis import Redis

from campaigns.models import Campaign
from delivery.models import Event, Link
from delivery.services import rejudging_hits
from delivery.tracking.flushing import flush_hits
from delivery.tracking.rules import VERSION
from tests.delivery.factories import make_campaign, make_contact, make_list
from tests.delivery.tracking.factories import AT, NOW, make_hit, push

pytestmark = pytest.mark.django_db
RAW = ("occurred_at", "event_key", "kind", "contact_id", "link_index", "network", "user_agent", "category", "details")


def launched(**fields: Any) -> Campaign:
    long_ago = NOW - timedelta(days=1)
    return make_campaign(make_list(), state="finished", launched_at=long_ago, finished_at=long_ago, **fields)


def traffic(redis: Redis, campaign: Campaign) -> None:
    """One person of each kind; contact 1 to 5."""
    Link.objects.bulk_create([Link(campaign_id=campaign.pk, index=n, url="https://shop.example") for n in range(9)])
    values: dict[str, Any] = {"campaign_id": campaign.pk}
    push(
        redis,
        make_hit(contact_id=1, **values),
        make_hit("opened", contact_id=2, user_agent="Mozilla/5.0", **values),
        *[make_hit(contact_id=3, at=AT + n / 10, link=n, **values) for n in range(3)],
        make_hit("honeypot", contact_id=4, **values),
        make_hit(contact_id=4, at=AT + 60, **values),
        make_hit("opened", contact_id=5, method="HEAD", purpose="x", **values),
        make_hit("opened", contact_id=5, label="apple", **values),
    )
    flush_hits(redis, now=NOW)


def verdicts() -> list[Any]:
    return list(Event.objects.order_by("event_key").values_list("event_key", "verdict", "verdict_reason"))


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reclassify", *arguments, stdout=out)
    return out.getvalue()


def test_what_was_judged_by_older_rules_is_judged_as_a_flush_would(redis: Redis) -> None:
    campaign = launched()
    traffic(redis, campaign)
    expected, raw = verdicts(), list(Event.objects.order_by("event_key").values_list(*RAW))
    assert Counter(one[2] for one in expected) == Counter(
        {"": 1, "apple-privacy": 1, "click-burst": 3, "honeypot": 1, "after-honeypot": 1, "head-request": 1}
        | {"apple-egress": 1}
    )
    Event.objects.update(verdict="human", verdict_reason="", rules_version=1)
    said = run("--campaign", str(campaign.pk))
    assert verdicts() == expected
    assert list(Event.objects.order_by("event_key").values_list(*RAW)) == raw
    assert set(Event.objects.values_list("rules_version", flat=True)) == {VERSION}
    assert said.splitlines() == [
        f"campaign {campaign.pk}: 9 opens and clicks, 8 verdicts differ",
        f"Rules version {VERSION}: 9 opens and clicks, 8 changed.",
    ]
    assert "0 changed." in run("--campaign", str(campaign.pk))


def test_a_machine_that_the_rules_no_longer_know_is_a_person_again(redis: Redis) -> None:
    campaign = launched()
    push(redis, make_hit(campaign_id=campaign.pk))
    flush_hits(redis, now=NOW)
    Event.objects.update(verdict="machine", verdict_reason="a-rule-of-old")
    run()
    assert [one[1:] for one in verdicts()] == [("human", "")]


def test_batches_of_people_cover_everybody_and_part_nobodys_burst(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudging_hits, "PEOPLE_PER_BATCH", 2)
    campaign = launched()
    traffic(redis, campaign)
    expected = verdicts()
    Event.objects.update(verdict="human", verdict_reason="")
    steps = list(rejudging_hits.reclassify_campaign(campaign.pk))
    assert [step.n_events for step in steps] == [2, 5, 2]
    assert verdicts() == expected


def test_a_sweep_over_people_of_several_batches_is_found_whole(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejudging_hits, "PEOPLE_PER_BATCH", 2)
    campaign = launched()
    acme = [make_contact(f"{n}@acme.example").pk for n in range(7)]
    push(redis, *[make_hit(contact_id=pk, at=AT + 2 * n, campaign_id=campaign.pk) for n, pk in enumerate(acme)])
    flush_hits(redis, now=NOW)
    expected = verdicts()
    assert [one[1:] for one in expected] == [("machine", "domain-sweep")] * 7
    Event.objects.update(verdict="human", verdict_reason="", rules_version=2)
    assert "7 changed." in run("--campaign", str(campaign.pk))
    assert verdicts() == expected


def test_a_dry_run_writes_nothing(redis: Redis) -> None:
    campaign = launched()
    traffic(redis, campaign)
    Event.objects.update(verdict="human", verdict_reason="", rules_version=1)
    before = list(Event.objects.order_by("event_key").values_list())
    assert "8 would change." in run("--dry-run")
    assert list(Event.objects.order_by("event_key").values_list()) == before


def test_since_takes_campaigns_that_were_opened_or_clicked_since(redis: Redis) -> None:
    old, new = launched(), launched()
    push(redis, make_hit(campaign_id=old.pk, at=AT - 30 * 86400), make_hit(campaign_id=new.pk))
    flush_hits(redis, now=NOW)
    assert run("--since", "2025-12-31").splitlines()[:-1] == [
        f"campaign {new.pk}: 1 opens and clicks, 0 verdicts differ"
    ]
    assert len(run().splitlines()) == 3


def test_other_events_keep_what_they_say(redis: Redis) -> None:
    campaign = launched()
    push(redis, make_hit(campaign_id=campaign.pk))
    flush_hits(redis, now=NOW)
    Event.objects.update(kind="unsubscribed", verdict="human", rules_version=0, user_agent="curl")
    assert "0 opens and clicks" in run()
    assert Event.objects.get().rules_version == 0


def test_a_date_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(CommandError, match="yesterday is no day such as 2026-11-30"):
        run("--since", "yesterday")


@pytest.mark.parametrize("reason", ["provider-says-machine", "no-details-from-provider"])
def test_a_providers_own_word_stays(redis: Redis, reason: str) -> None:
    campaign = launched()
    push(redis, make_hit(campaign_id=campaign.pk))
    flush_hits(redis, now=NOW)
    verdict = "machine" if reason == "provider-says-machine" else "unknown"
    Event.objects.update(verdict=verdict, verdict_reason=reason, details={"seen_by": "provider"}, user_agent="")
    assert "0 changed." in run()
    assert [one[1:] for one in verdicts()] == [(verdict, reason)]


def test_a_hidden_link_that_a_provider_saw_is_a_honeypot_too(redis: Redis) -> None:
    campaign = launched()
    push(redis, make_hit(campaign_id=campaign.pk))
    flush_hits(redis, now=NOW)
    Event.objects.update(details={"seen_by": "provider", "url": "https://mail.example/h/token"})
    run()
    assert [one[1:] for one in verdicts()] == [("machine", "honeypot")]
