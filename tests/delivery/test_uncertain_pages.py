"""The pages about uncertain messages: shown with what can be done, decided by POST, sent again only when confirmed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.models import Resolution
from delivery.progress import Progress, progress_of
from tests.delivery.test_uncertain import uncertain_campaign

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def olga(client: Client) -> Client:
    """An operator who may do everything."""
    client.force_login(User.objects.create_superuser("olga", "olga@example.com", "x"), backend=BACKEND)
    return client


@pytest.fixture
def vera() -> Client:
    """Staff who may look and no more."""
    user = User.objects.create_user("vera", "vera@example.com", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_campaign", "view_contact")))
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def address(campaign: Campaign, rest: str = "") -> str:
    return f"/admin/delivery/reports/{campaign.pk}/uncertain/{rest}"


def email_of(contact_id: int) -> str:
    return Contact.objects.get(pk=contact_id).email


def test_the_report_leads_to_what_can_be_done(olga: Client) -> None:
    campaign, _ = uncertain_campaign(2)
    page = olga.get(f"/admin/delivery/reports/{campaign.pk}/").content.decode()
    assert f'href="{address(campaign)}"' in page
    assert "Uncertain 2" in page


def test_the_page_names_each_message_and_why(olga: Client) -> None:
    campaign, (bob, carol) = uncertain_campaign(3, accepted=1)
    page = olga.get(address(campaign)).content.decode()
    assert "2 messages left without an answer" in " ".join(page.split())
    assert email_of(bob) in page
    assert email_of(carol) in page
    assert page.count("The worker w-1 died") == 2
    assert progress_of(campaign.pk) == Progress(accepted=1, uncertain=2)


def test_one_button_counts_one_message_as_accepted(olga: Client) -> None:
    campaign, (alice, bob) = uncertain_campaign(2)
    response = olga.post(address(campaign, "accept/"), {"contact": alice}, follow=True)
    assert progress_of(campaign.pk) == Progress(accepted=1, uncertain=1)
    page = response.content.decode()
    assert "1 message counts as accepted now." in page
    assert email_of(bob) in page
    assert email_of(alice) not in page
    assert "Counted as accepted" in page


def test_one_button_counts_all_as_accepted(olga: Client) -> None:
    campaign, _ = uncertain_campaign(3)
    page = olga.post(address(campaign, "accept/"), follow=True).content.decode()
    assert progress_of(campaign.pk) == Progress(accepted=3)
    assert "3 messages count as accepted now." in page
    assert "Nothing is uncertain" in page


def test_reading_and_asking_change_nothing(olga: Client) -> None:
    campaign, _ = uncertain_campaign(1)
    olga.get(address(campaign))
    page = olga.get(address(campaign, "send-again/")).content.decode()
    assert "gets the same mail twice" in page
    assert olga.get(address(campaign, "accept/")).status_code == 405
    assert progress_of(campaign.pk) == Progress(uncertain=1)


def test_sending_again_needs_the_tick(olga: Client) -> None:
    campaign, _ = uncertain_campaign(1)
    response = olga.post(address(campaign, "send-again/"))
    assert response.status_code == 400
    assert "Tick this to send again." in response.content.decode()
    assert progress_of(campaign.pk) == Progress(uncertain=1)
    assert not Resolution.objects.exists()


def test_a_confirmed_decision_sends_one_again_and_keeps_who_took_it(olga: Client) -> None:
    campaign, (alice, bob) = uncertain_campaign(2)
    page = olga.get(address(campaign, f"send-again/?contact={alice}")).content.decode()
    assert email_of(alice) in page
    assert email_of(bob) not in page
    response = olga.post(address(campaign, "send-again/"), {"contact": alice, "confirmed": "on"}, follow=True)
    assert "1 message will be sent again within a minute." in response.content.decode()
    assert progress_of(campaign.pk) == Progress(deferred=1, uncertain=1)
    line = Resolution.objects.get()
    assert (line.contact_id, line.verdict, line.said_by) == (alice, "sent_again", "olga")
    log = olga.get(f"/admin/delivery/reports/{campaign.pk}/recipients/{alice}/").content.decode()
    assert "decided by olga" in log


def test_a_cancelled_campaign_says_why_it_cannot_be_sent_again(olga: Client) -> None:
    campaign, _ = uncertain_campaign(1)
    Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
    assert "This campaign was cancelled" in olga.get(address(campaign)).content.decode()
    page = olga.post(address(campaign, "send-again/"), {"confirmed": "on"})
    assert "This campaign was cancelled" in page.content.decode()
    assert progress_of(campaign.pk) == Progress(uncertain=1)


def test_the_recipient_page_says_that_nobody_knows(olga: Client) -> None:
    campaign, (bob,) = uncertain_campaign(2, accepted=1)
    assert "Nobody knows" in olga.get(f"/admin/delivery/reports/{campaign.pk}/recipients/{bob}/").content.decode()
    alice = Contact.objects.exclude(pk=bob).get()
    assert (
        "Nobody knows" not in olga.get(f"/admin/delivery/reports/{campaign.pk}/recipients/{alice.pk}/").content.decode()
    )


def test_who_may_only_look_sees_no_buttons_and_decides_nothing(vera: Client) -> None:
    campaign, (alice,) = uncertain_campaign(1)
    page = vera.get(address(campaign)).content.decode()
    assert email_of(alice) in page
    assert "Count as accepted" not in page
    assert vera.post(address(campaign, "accept/")).status_code == 403
    assert vera.post(address(campaign, "send-again/"), {"confirmed": "on"}).status_code == 403
    assert progress_of(campaign.pk) == Progress(uncertain=1)


def test_more_than_a_page_is_read_on_by_key(olga: Client) -> None:
    campaign, contacts = uncertain_campaign(53)
    first = olga.get(address(campaign)).content.decode()
    assert f'href="?after={contacts[49]}"' in first
    assert email_of(contacts[50]) not in first
    second = olga.get(address(campaign, f"?after={contacts[49]}")).content.decode()
    assert all(email_of(contact_id) in second for contact_id in contacts[50:])
