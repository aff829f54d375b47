"""Reading receipts again and judging old bounces anew, from the command line."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from contacts.models import Contact, Suppression
from delivery.inbound.rejudge import StoredBounce, rejudge
from delivery.inbound.rules import RULES_VERSION
from delivery.models import Event, Receipt
from delivery.services.receiving import process_receipts, store_mail
from delivery.tracking.tokens import TokenMaker, mail_form
from tests.delivery.inbound.mails import dsn
from tests.delivery.receipts import hook_account, mid_of, receive, sent_campaign
from tests.delivery.test_receiving import sendgrid

pytestmark = pytest.mark.django_db


def run(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def test_receipts_are_read_again_by_number_account_problem_and_time() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    broken = receive(account, b"nonsense")
    body = [sendgrid("delivered", mid_of(campaign, Contact.objects.get()))]
    receive(account, body)
    assert run("reprocess_receipts", "--all") == "2 receipts were read again; 1 of them cannot be read.\n"
    assert run("reprocess_receipts", str(broken.pk)) == "1 receipts were read again; 1 of them cannot be read.\n"
    assert run("reprocess_receipts", "--problems") == "1 receipts were read again; 1 of them cannot be read.\n"
    assert run("reprocess_receipts", "--account", "Provider", "--kind", "webhook").startswith("2 ")
    assert run("reprocess_receipts", "--kind", "mail").startswith("0 ")
    assert run("reprocess_receipts", "--unmatched").startswith("0 ")
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    assert run("reprocess_receipts", "--since", tomorrow).startswith("0 ")
    assert run("reprocess_receipts", "--since", "2026-01-01T00:00").startswith("2 ")
    assert Event.objects.count() == 1


@pytest.mark.parametrize("args", [[], ["--account", "nobody"], ["--since", "yesterday"], ["--since", "2026-13-45"]])
def test_a_wrong_choice_of_receipts_is_said_so(args: list[str]) -> None:
    with pytest.raises(CommandError):
        run("reprocess_receipts", *args)


def misjudge(**values: object) -> None:
    """As if older rules had judged the events."""
    Event.objects.update(rules_version=0, **values)


def test_an_old_bounce_gets_today_s_verdict_and_its_consequence() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    bounce = sendgrid("bounce", mid_of(campaign, Contact.objects.get()), type="bounce", reason="550 5.1.1 user unknown")
    receive(account, [bounce])
    Suppression.objects.all().delete()
    misjudge(bounce_kind="soft", category="unclassified")
    told = run("reclassify_bounces", "--dry-run")
    assert "1 events judged" in told
    assert "unclassified -> invalid_recipient: 1" in told
    assert Event.objects.get().category == "unclassified"
    assert "1 addresses were suppressed." in run("reclassify_bounces")
    event = Event.objects.get()
    assert (event.bounce_kind, event.category, event.rules_version) == ("hard", "invalid_recipient", RULES_VERSION)
    assert [(s.reason, s.source) for s in Suppression.objects.all()] == [("hard_bounce", "reclassified")]
    assert run("reclassify_bounces").startswith("0 events judged")
    assert run("reclassify_bounces", "--all").startswith("1 events judged by version 1 of the rules; 0 differ.")


def test_who_was_suppressed_for_what_would_not_do_it_today_is_named_and_stays_suppressed() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    contact = Contact.objects.get()
    receive(account, [sendgrid("bounce", mid_of(campaign, contact), type="bounce", reason="550 5.1.1 user unknown")])
    misjudge(reply="552 5.2.2 mailbox full")
    told = run("reclassify_bounces")
    assert "invalid_recipient -> quota: 1" in told
    assert f"1 contacts are suppressed for a bounce that would not do it today: {contact.pk}." in told
    assert Suppression.objects.filter(lifted_at=None).count() == 1
    assert Event.objects.get().bounce_kind == "soft"


def test_returned_mails_are_read_again_and_keep_their_events() -> None:
    campaign = sent_campaign(hook_account("sendgrid"))
    block = TokenMaker(django_settings.SECRET_KEY).blocks(campaign.pk, [Contact.objects.get().pk])[0]
    store_mail(dsn(), sender="", recipients=[f"b+{mail_form(block)}@bounce.acme.example"], source="pipe")
    process_receipts(now=timezone.now())
    before = Event.objects.get()
    misjudge(category="policy", bounce_kind="block")
    assert "policy -> invalid_recipient: 1" in run("reclassify_bounces")
    after = Event.objects.get()
    assert (after.event_key, after.occurred_at) == (before.event_key, before.occurred_at)
    assert (after.category, after.rules_version) == ("invalid_recipient", RULES_VERSION)
    Receipt.objects.all().delete()  # what is left of it is enough too
    misjudge(category="policy", bounce_kind="block")
    run("reclassify_bounces")
    assert Event.objects.get().category == "invalid_recipient"


def test_only_events_since_a_day_are_judged() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    receive(account, [sendgrid("deferred", mid_of(campaign, Contact.objects.get()), response="451 4.7.1 greylisted")])
    misjudge(category="x")
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    assert run("reclassify_bounces", "--since", tomorrow).startswith("0 ")
    assert run("reclassify_bounces", "--since", "2026-01-01").startswith("1 ")
    with pytest.raises(CommandError):
        run("reclassify_bounces", "--since", "yesterday")


def test_an_answer_at_smtp_time_is_judged_as_it_was_then() -> None:
    verdict = rejudge(StoredBounce("bounced", "550 no such user here", "5.1.1", {"rule": "x", "stage": "smtp"}))
    assert (verdict.category, verdict.kind) == ("invalid_recipient", "hard")
    assert rejudge(StoredBounce("bounced", "garbage", "", {"stage": "smtp"})).category == "unclassified"
