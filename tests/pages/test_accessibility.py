"""No page has a serious accessibility violation or scrolls sideways, light and dark, on desktops and phones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign
from campaigns.services import create_campaign, create_template
from campaigns.starters import Design, find_starter
from contacts.models import Brand, Contact, ImportJob, ImportRejectedRow, MailingList
from contacts.services.imports import receive_upload
from delivery.tracking.tokens import TokenMaker
from tests.campaigns.factories import suppress
from tests.delivery.factories import make_account, make_list, make_readers, make_route, make_sending
from tests.pages.accessibility import problems_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_pages_before_anything_is_there(page: Page, live_server: LiveServer) -> None:
    page.set_default_timeout(20_000)
    assert check(page, live_server, ["/admin/login/", "/u/not-a-token"], status_404={"/u/not-a-token"}) == {}
    log_in(page, live_server)
    urls = ["/admin/", admin("contacts_brand_add"), admin("contacts_mailinglist_changelist")]
    assert check(page, live_server, urls) == {}


def test_pages_of_the_audience(page: Page, live_server: LiveServer) -> None:
    mailing_list = make_list()
    make_readers(3, mailing_list)
    contact = Contact.objects.order_by("pk")[0]
    suppress(contact)
    job = uploaded(mailing_list.brand)
    log_in(page, live_server)
    urls = [
        *(admin(f"contacts_{model}_changelist") for model in ("contact", "mailinglist", "suppression", "importjob")),
        admin("contacts_contact_change", contact.pk),
        admin("contacts_mailinglist_change", mailing_list.pk),
        admin("contacts_importjob_add"),
        admin("contacts_importjob_change", job.pk),
        admin("contacts_importjob_change", finished(mailing_list).pk),
    ]
    assert check(page, live_server, urls) == {}


def test_pages_of_campaigns(page: Page, live_server: LiveServer) -> None:
    mailing_list = make_list()
    make_readers(3, mailing_list)
    make_route(make_account())
    draft = drafted(mailing_list)
    log_in(page, live_server)
    urls = [
        admin("campaigns_campaign_changelist"),
        admin("campaigns_campaign_add"),
        *(admin(f"campaigns_campaign_{step}", draft.pk) for step in ("audience", "content", "schedule", "review")),
        admin("campaigns_template_changelist"),
        admin("campaigns_template_change", create_template(mailing_list.brand, name="News", design=newsletter()).pk),
    ]
    assert check(page, live_server, urls) == {}


def test_pages_of_delivery_and_of_readers(page: Page, live_server: LiveServer) -> None:
    campaign = make_sending(3)
    reader = Contact.objects.order_by("pk")[0]
    token = TokenMaker(settings.SECRET_KEY).make(campaign.pk, reader.pk)
    log_in(page, live_server)
    urls = [
        reverse("delivery-report", args=[campaign.pk]),
        reverse("delivery-recipients", args=[campaign.pk]),
        reverse("delivery-recipient", args=[campaign.pk, reader.pk]),
        admin("delivery_provideraccount_changelist"),
        admin("delivery_account_new", "smtp"),
        "/admin/",
        reverse("delivery:unsubscribe", args=[token]),
        reverse("delivery:preferences", args=[token]),
    ]
    assert check(page, live_server, urls) == {}


@pytest.mark.parametrize("language", ["de", "zh-Hans"])
def test_readers_pages_in_their_languages(page: Page, live_server: LiveServer, language: str) -> None:
    """German has the longest words, Chinese no spaces to break lines at."""
    campaign = make_sending(1)
    reader = Contact.objects.get()
    Contact.objects.update(locale=language)
    token = TokenMaker(settings.SECRET_KEY).make(campaign.pk, reader.pk)
    urls = [reverse("delivery:unsubscribe", args=[token]), reverse("delivery:preferences", args=[token])]
    assert check(page, live_server, urls) == {}


def check(
    page: Page, live_server: LiveServer, urls: list[str], *, status_404: frozenset[str] | set[str] = frozenset()
) -> dict[str, list[str]]:
    """The problems by page, of those that have some."""
    found = {url: problems_of(page, live_server.url + url, status=404 if url in status_404 else 200) for url in urls}
    return {url: problems for url, problems in found.items() if problems}


def log_in(page: Page, live_server: LiveServer) -> None:
    User.objects.create_superuser("maria", "maria@example.com", "pw")
    page.set_default_timeout(20_000)
    page.goto(f"{live_server.url}/admin/login/")
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill("pw")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{live_server.url}/admin/")


def admin(name: str, *args: object) -> str:
    return reverse(f"admin:{name}", args=args)


def newsletter() -> Design:
    starter = find_starter("newsletter")
    assert starter is not None
    return Design(starter.markup, starter.body)


def drafted(mailing_list: MailingList) -> Campaign:
    campaign = create_campaign(mailing_list.brand, name="Sale", by=None, design=newsletter())
    campaign.send_to.add(mailing_list)
    return campaign


def uploaded(brand: Brand) -> ImportJob:
    file = SimpleUploadedFile("people.csv", b"Email,City\nalice@example.com,Bath\nnobody,York\n", "text/csv")
    return receive_upload(brand, file, user=None)


def finished(mailing_list: MailingList) -> ImportJob:
    job = ImportJob.objects.create(
        brand=mailing_list.brand,
        mailing_list=mailing_list,
        file_name="customers.csv",
        file="customers.csv",
        state=ImportJob.State.FINISHED,
        n_rows=2,
        n_created=1,
        n_rejected=1,
        finished_at=datetime.now(UTC),
    )
    row = {
        "line_number": 3,
        "field": "email",
        "reason": "An address has the form name@example.com.",
        "cells": ["nobody"],
    }
    ImportRejectedRow.objects.create(job=job, **row)
    return job
