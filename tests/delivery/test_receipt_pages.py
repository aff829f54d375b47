"""What comes back, in the admin: the address and its secret, what came in, and reading it again."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact
from delivery.models import Event, HookRefusal, ProviderAccount, Receipt
from delivery.providers import PROVIDERS
from delivery.services import hooks
from delivery.services.hooks import count_refusal
from delivery.services.receiving import store_mail
from tests.delivery.inbound.mails import dsn
from tests.delivery.providers.test_signatures import EC_KEY, public
from tests.delivery.receipts import hook_account, mid_of, receive, sent_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(
        User.objects.create_superuser("olga", "olga@example.com", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def page_of(operator: Client, account: ProviderAccount) -> str:
    return html.unescape(operator.get(f"/admin/delivery/provideraccount/{account.pk}/change/").content.decode())


def hook_path(account: ProviderAccount, what: str) -> str:
    return f"/admin/delivery/provideraccount/{account.pk}/hook/{what}/"


def answers(kind: str) -> dict[str, Any]:
    fields = PROVIDERS[kind].fields
    known = {"sender_domain": "mg.example.com", "region": "eu-central-1", "api_url": "https://postal.example"}
    return {
        "options": {f.name: f.default or known.get(f.name, "") for f in fields if not f.secret},
        "secrets": {f.name: "x" for f in fields if f.secret},
    }


@pytest.mark.parametrize("kind", PROVIDERS)
def test_an_account_shows_its_address_and_what_to_switch_on(operator: Client, kind: str) -> None:
    account = hook_account(kind, **answers(kind))
    webhooks = PROVIDERS[kind].capabilities.webhooks
    page = page_of(operator, account)
    if webhooks is None:
        assert "What comes back" not in page
        return
    assert hooks.hook_address(account) in page
    assert webhooks.setup
    assert webhooks.setup.split(",")[0].split(">")[0] in page
    assert "None yet" in page


def test_an_smtp_account_has_no_webhooks(operator: Client) -> None:
    account = ProviderAccount.objects.create(name="Relay", kind="smtp", options={"host": "127.0.0.1"})
    assert "What comes back" not in page_of(operator, account)
    assert operator.post(hook_path(account, "secret")).status_code == 404


def test_a_secret_that_is_made_here_is_shown_once_in_the_address(operator: Client, client: Client) -> None:
    account = hook_account("postmark", options={"message_stream": "broadcast"})
    page = operator.post(hook_path(account, "secret")).content.decode()
    account.refresh_from_db()
    secret = account.hook_secrets["current"]
    password = secret.removeprefix("fanfare:")
    assert f"http://fanfare:{password}@127.0.0.1:8000/hooks/postmark/{account.hook_token}/" in page
    assert password not in page_of(operator, account)
    assert operator.get(hook_path(account, "secret")).status_code == 405


def test_changing_a_secret_keeps_the_old_one_until_it_is_ended(operator: Client) -> None:
    account = hook_account("tencent", **answers("tencent"))
    operator.post(hook_path(account, "secret"))
    account.refresh_from_db()
    first = account.hook_secrets["current"]
    operator.post(hook_path(account, "secret"))
    account.refresh_from_db()
    assert hooks.secrets_of(account, timezone.now()) == [account.hook_secrets["current"], first]
    assert "The secret before this one holds until" in page_of(operator, account)
    operator.post(hook_path(account, "end"))
    account.refresh_from_db()
    assert hooks.secrets_of(account, timezone.now()) == [account.hook_secrets["current"]]
    assert "The secret before this one holds until" not in page_of(operator, account)


def test_a_secret_of_the_provider_is_pasted_and_never_shown(operator: Client) -> None:
    account = hook_account("sendgrid")
    assert "Not set up yet" in page_of(operator, account)
    wrong = operator.post(hook_path(account, "keep"), {"secret": "SG.not-a-key"}, follow=True).content.decode()
    assert "This is no public key of SendGrid" in wrong
    account.refresh_from_db()
    assert account.hook_secrets == {}
    key = public(EC_KEY)
    page = operator.post(hook_path(account, "keep"), {"secret": key}, follow=True).content.decode()
    assert "is stored" in page
    assert key not in page
    account.refresh_from_db()
    assert account.hook_secrets == {"current": key}
    assert "Not set up yet" not in page


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        ("amazon_ses", "ses-events", "arn:aws:sns:eu-central-1:123456789012:ses-events"),
        ("resend", "re_123", "whsec_abc"),
        ("postal", "MIGf", ""),
        ("mailgun", "", "key"),
    ],
)
def test_a_secret_of_another_form_is_refused_in_words(operator: Client, kind: str, bad: str, good: str) -> None:
    account = hook_account(kind, **answers(kind))
    operator.post(hook_path(account, "keep"), {"secret": bad})
    account.refresh_from_db()
    assert account.hook_secrets == {}
    if good:
        operator.post(hook_path(account, "keep"), {"secret": good})
        account.refresh_from_db()
        assert account.hook_secrets == {"current": good}


def test_calls_and_refusals_are_counted_on_the_account_s_page(operator: Client) -> None:
    account = hook_account("sendgrid")
    receive(account, b"nonsense")
    receive(account, [])
    for _ in range(3):
        count_refusal(account, HookRefusal.Reason.NOT_PROVED, timezone.now())
    page = page_of(operator, account)
    assert "2 calls" in page
    assert "1 with a problem" in page
    assert "Not proved: wrong signature or secret: 3" in page


def test_receipts_are_listed_and_filtered(operator: Client) -> None:
    account, other = hook_account("sendgrid"), hook_account("sendgrid", "Other")
    broken, fine = receive(account, b"nonsense"), receive(account, [])
    theirs = receive(other, [])
    store_mail(dsn(), sender="", recipients=["x@y.example"], source="pipe")

    def listed(query: str = "") -> set[int]:
        page = operator.get(f"/admin/delivery/receipt/?{query}").content.decode()
        return {int(pk) for pk in re.findall(r"/admin/delivery/receipt/(\d+)/change/", page)}

    mail = Receipt.objects.get(kind="mail")
    assert listed() == {broken.pk, fine.pk, theirs.pk, mail.pk}
    assert listed(f"account__id__exact={account.pk}") == {broken.pk, fine.pk}
    assert listed("state=problem") == {broken.pk}
    assert listed("state=waiting") == {mail.pk}
    assert listed("kind__exact=mail") == {mail.pk}


def test_a_receipt_shows_what_came_and_what_came_of_it(operator: Client) -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    event = {"event": "bounce", "email": "x@example.org", "timestamp": 1, "sg_event_id": "1", "type": "bounce"}
    event |= {"reason": "550 5.1.1 <script>alert(1)</script>", "mid": mid_of(campaign, Contact.objects.get())}
    receipt = receive(account, [event])
    page = operator.get(f"/admin/delivery/receipt/{receipt.pk}/change/").content.decode()
    assert "names a message" in page
    assert "(hard invalid_recipient)" in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    raw = operator.get(f"/admin/delivery/receipt/{receipt.pk}/raw/")
    assert (raw.content, raw.headers["Content-Type"]) == (bytes(receipt.body), "application/octet-stream")


def test_a_receipt_is_processed_again_from_its_page_and_from_the_list(operator: Client) -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    receipt = receive(account, b"nonsense")
    again = f"/admin/delivery/receipt/{receipt.pk}/again/"
    assert "It still cannot be read: not JSON" in operator.post(again, follow=True).content.decode()
    mid = mid_of(campaign, Contact.objects.get())
    body = b'[{"event": "delivered", "timestamp": 1, "email": "x@y.example", "sg_event_id": "1", "mid": "%s"}]'
    Receipt.objects.update(body=body % mid.encode())
    assert "Read again: 1 events" in operator.post(again, follow=True).content.decode()
    assert "Read again: 1 events" in operator.post(again, follow=True).content.decode()
    assert Event.objects.count() == 1
    assert operator.get(again).status_code == 405
    chosen = {"action": "process_again", "_selected_action": [receipt.pk]}
    operator.post("/admin/delivery/receipt/", chosen)
    receipt.refresh_from_db()
    assert receipt.processed_at is None


def test_a_returned_mail_is_shown_too(operator: Client) -> None:
    store_mail(dsn(), sender="", recipients=["postmaster@acme.example"], source="pipe")
    receipt = Receipt.objects.get()
    page = operator.get(f"/admin/delivery/receipt/{receipt.pk}/change/").content.decode()
    assert "names no message of ours" in page
    assert "postmaster@acme.example" in page


def test_who_may_not_see_receipts_sees_none(client: Client) -> None:
    receipt = receive(hook_account("sendgrid"), [])
    marketer = User.objects.create_user("mia", is_staff=True)
    client.force_login(marketer, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/admin/delivery/receipt/{receipt.pk}/change/").status_code == 403
    assert client.get(f"/admin/delivery/receipt/{receipt.pk}/raw/").status_code == 403
    marketer.user_permissions.add(Permission.objects.get(codename="view_receipt"))
    assert client.get(f"/admin/delivery/receipt/{receipt.pk}/raw/").status_code == 200
    assert client.post(f"/admin/delivery/receipt/{receipt.pk}/again/").status_code == 403


def test_the_list_asks_the_same_number_of_questions_for_one_receipt_and_for_forty(operator: Client) -> None:
    account = hook_account("sendgrid")
    counts = []
    for n in (1, 40):
        for number in range(n):
            hooks.store_call(account, {}, b"%d-%d" % (n, number))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            operator.get("/admin/delivery/receipt/")
        counts.append(len(captured))
    assert counts[0] == counts[1]
