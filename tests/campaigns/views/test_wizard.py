"""The campaign wizard, from a name to a scheduled campaign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from campaigns.readiness import LaunchProblem, Step
from campaigns.registry import FakeDelivery
from campaigns.starters import BLANK, starters
from contacts.models import Brand, MailingList
from tests.campaigns.factories import BODY, NOW, WITHOUT_LINK, make_campaign, make_ready_campaign, make_template
from tests.campaigns.views.reading import page_of, texts
from tests.contacts.factories import make_brand, make_contact, make_list, subscribe

CONTENT = {"subject": "Hello", "preheader": "Look", "markup": "html", "body": BODY}
SCHEDULE = {"when": "later", "timezone": "Europe/Berlin", "track_opens": "on", "track_clicks": "on"}


def step(name: str, campaign: Campaign) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])


def said(client: Client, response: Any) -> list[str]:
    return [str(message) for message in client.get(response["Location"], follow=True).context["messages"]]


def test_a_campaign_starts_with_a_name_and_a_design(maria: Client) -> None:
    template = make_template()

    response = maria.post(
        reverse("admin:campaigns_campaign_add"),
        {"name": "Spring", "brand": template.brand_id, "start": f"template:{template.pk}"},
    )

    campaign = Campaign.objects.get()
    assert response["Location"] == step("audience", campaign)
    assert (campaign.name, campaign.state, campaign.variants.get().body) == ("Spring", "draft", template.body)


def test_without_a_brand_the_way_leads_to_the_brand(maria: Client) -> None:
    response = maria.get(reverse("admin:campaigns_campaign_add"))

    assert response["Location"] == reverse("admin:contacts_brand_add")


def test_a_campaign_without_a_name_is_refused_at_its_field(maria: Client) -> None:
    brand = make_brand()

    page = page_of(maria.post(reverse("admin:campaigns_campaign_add"), {"name": "", "brand": brand.pk}))

    field = page.cssselect("input[name=name]")[0]
    assert field.get("aria-invalid") == "true"
    described = field.get("aria-describedby").split()
    assert "This field is required." in " ".join(page.get_element_by_id(one).text_content() for one in described)
    assert not Campaign.objects.exists()


def test_a_new_draft_opens_at_the_audience(maria: Client) -> None:
    campaign = make_campaign()

    assert maria.get(step("change", campaign))["Location"] == step("audience", campaign)


def test_a_draft_opens_at_the_first_step_that_needs_work(maria: Client) -> None:
    content, ready = make_ready_campaign(subject=""), make_campaign(MailingList.objects.get())

    assert maria.get(step("change", content))["Location"] == step("content", content)
    assert maria.get(step("change", ready))["Location"] == step("review", ready)


@pytest.mark.parametrize("state", ["preparing", "sending", "paused", "finished"])
def test_a_launched_campaign_opens_its_report(maria: Client, state: str) -> None:
    campaign = make_campaign(state=state, launched_at=NOW)

    assert maria.get(step("change", campaign))["Location"] == f"/report/{campaign.pk}/"


def test_the_audience_step_saves_and_goes_on(maria: Client) -> None:
    campaign = make_campaign(make_list())
    shop, vip = make_list(campaign.brand, "Shop"), make_list(campaign.brand, "VIP")
    chosen = {"name": "Spring", "send_to": [shop.pk], "exclude": [vip.pk], "then": "on"}

    response = maria.post(step("audience", campaign), chosen)

    campaign.refresh_from_db()
    assert response["Location"] == step("content", campaign)
    assert (campaign.name, list(campaign.send_to.all()), list(campaign.exclude.all())) == ("Spring", [shop], [vip])


def test_a_list_of_another_brand_cannot_be_chosen(maria: Client) -> None:
    campaign = make_campaign()
    foreign = make_list(make_brand("Sister"))

    maria.post(step("audience", campaign), {"name": "Spring", "send_to": [foreign.pk]})

    assert not campaign.send_to.exists()


def test_the_funnel_is_counted_while_lists_are_ticked_and_nothing_is_saved(maria: Client) -> None:
    news = make_list()
    subscribe(make_contact("alice@example.com"), news)
    subscribe(make_contact("bob@example.com"), news, "unconfirmed")
    campaign = make_campaign(brand=news.brand)

    page = page_of(maria.get(step("count", campaign), {"send_to": [news.pk]}))

    assert texts(page, ".funnel .total dd") == ["1"]
    assert texts(page, ".funnel .minus dt") == ["Not confirmed yet"]
    assert not campaign.send_to.exists()


def test_the_content_step_saves_and_stays(maria: Client) -> None:
    campaign = make_campaign()

    response = maria.post(step("content", campaign), {**CONTENT, "then": "stay"})

    assert response["Location"] == step("content", campaign)
    assert said(maria, response) == ["Saved."]
    assert campaign.variants.get().subject == "Hello"


def test_a_design_can_be_taken_later_and_subject_and_sender_stay(maria: Client) -> None:
    campaign = make_campaign(body="")

    response = maria.post(
        step("content", campaign), {"subject": "Hello", "markup": "mjml", "then": "design", "start": "blank"}
    )

    variant = campaign.variants.get()
    assert response["Location"] == step("content", campaign)
    assert (variant.subject, variant.markup, variant.body) == ("Hello", "mjml", BLANK)


def test_a_test_is_saved_sent_and_its_answers_are_shown_once(maria: Client, delivery: FakeDelivery) -> None:
    campaign = make_campaign(make_list())
    alice = make_contact(first_name="Alice")
    delivery.refusals["no@example.com"] = "550 5.1.1 No such user"
    test = {"then": "test", "to": "me@example.com, no@example.com", "preview_as": alice.email}

    response = maria.post(step("content", campaign), {**CONTENT, **test})

    variant = campaign.variants.get()
    assert variant.subject == "Hello"
    assert delivery.sent == [(variant.pk, alice.pk, "me@example.com"), (variant.pk, alice.pk, "no@example.com")]
    page = page_of(maria.get(response["Location"]))
    assert texts(page, "[aria-labelledby=results-title] p") == [
        "me@example.com: accepted",
        "250 2.0.0 Ok: queued",
        "no@example.com: not sent",
        "550 5.1.1 No such user",
    ]
    assert page.cssselect("#preview-as")[0].get("value") == alice.email
    assert texts(page_of(maria.get(response["Location"])), "[aria-labelledby=results-title]") == []


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("", "This field is required."),
        ("nonsense", "“nonsense” is not an e-mail address."),
        (",".join(f"a{n}@example.com" for n in range(11)), "These are 11 addresses; a test goes to 10 at most."),
    ],
)
def test_a_test_to_nobody_is_refused_at_its_field(maria: Client, delivery: FakeDelivery, to: str, error: str) -> None:
    campaign = make_campaign()

    page = page_of(maria.post(step("content", campaign), {**CONTENT, "then": "test", "to": to}))

    assert texts(page, "[aria-labelledby=test-title] .errorlist") == [error]
    assert delivery.sent == []


def test_the_preview_answers_with_page_text_subject_and_problems(maria: Client) -> None:
    campaign = make_campaign()
    source = {**CONTENT, "subject": "Hello {{ contact.first_name }}", "body": WITHOUT_LINK}

    made = maria.post(step("preview", campaign), source).json()

    assert made["subject"] == "Hello Robin"
    assert "<p>Hello</p>" in made["html"]
    assert "Hello" in made["text"]
    assert "It has no unsubscribe link." in made["problems"]
    assert campaign.variants.get().body == BODY


def test_line_ends_as_browsers_post_them_make_no_difference(maria: Client) -> None:
    campaign = make_campaign()
    body = (starters()[0].body).replace("\n", "\r\n")

    made = maria.post(step("preview", campaign), {"subject": "Hello", "markup": "mjml", "body": body}).json()
    maria.post(step("content", campaign), {"subject": "Hello", "markup": "mjml", "body": body, "then": "stay"})

    assert made["html"] is not None
    assert campaign.variants.get().body == starters()[0].body


def test_a_source_that_cannot_be_shown_says_in_which_line(maria: Client) -> None:
    source = {**CONTENT, "body": BODY.replace("{{ brand.postal_address }}", "{{ brand.adress }}")}

    made = maria.post(step("preview", make_campaign()), source).json()

    assert (made["html"], made["text"]) == (None, None)
    assert 'data-line="3"' in made["problems"]


def test_a_date_and_time_are_taken_in_their_zone(maria: Client) -> None:
    campaign = make_campaign()

    response = maria.post(step("schedule", campaign), {**SCHEDULE, "date": "2026-07-01", "time": "09:00"})

    campaign.refresh_from_db()
    assert response["Location"] == step("review", campaign)
    assert campaign.send_at == datetime(2026, 7, 1, 7, tzinfo=UTC)
    page = page_of(maria.get(step("schedule", campaign)))
    assert page.cssselect("[name=date]")[0].get("value") == "2026-07-01"
    assert page.cssselect("[name=time]")[0].get("value") == "09:00"


def test_now_means_no_time(maria: Client) -> None:
    campaign = make_campaign(send_at=NOW)

    maria.post(step("schedule", campaign), {"when": "now", "timezone": "UTC"})

    campaign.refresh_from_db()
    assert (campaign.send_at, campaign.track_opens) == (None, False)


@pytest.mark.parametrize(
    ("values", "field", "error"),
    [
        ({"time": "09:00"}, "date", "Choose a date."),
        ({"date": "2026-07-01"}, "time", "Choose a time."),
        (
            {"date": "2026-03-29", "time": "02:30"},
            "time",
            "On 29 March 2026 the clocks in Europe/Berlin go forward and skip 02:30. Try 03:30.",
        ),
    ],
)
def test_a_time_that_does_not_exist_is_refused_at_its_field(
    maria: Client, values: dict[str, str], field: str, error: str
) -> None:
    campaign = make_campaign()

    page = page_of(maria.post(step("schedule", campaign), {**SCHEDULE, **values}))

    assert texts(page, f"#id_{field}_error") == [error]
    campaign.refresh_from_db()
    assert campaign.send_at is None


def test_the_hour_that_happens_twice_is_explained(maria: Client) -> None:
    response = maria.post(
        step("schedule", make_campaign(make_list())), {**SCHEDULE, "date": "2026-10-25", "time": "02:30"}
    )

    assert "happens twice" in said(maria, response)[0]


def test_the_review_lists_what_is_missing_with_the_way_to_mend_it(maria: Client, delivery: FakeDelivery) -> None:
    delivery.problems = [LaunchProblem("There is no route.", Step.SCHEDULE)]
    campaign = make_campaign(subject="")

    page = page_of(maria.get(step("review", campaign)))

    checklist = page.cssselect("[aria-labelledby=checklist-title]")[0]
    assert texts(checklist, "li.error p:first-child") == [
        "Must be mended: No list is chosen.",
        "Must be mended: The subject is empty.",
        "Must be mended: There is no route.",
    ]
    assert [link.get("href") for link in checklist.cssselect("a")] == [
        step("audience", campaign),
        step("content", campaign),
        step("schedule", campaign),
    ]
    assert page.cssselect(".confirm form") == []


def test_the_review_names_the_number_and_schedules(maria: Client) -> None:
    campaign = make_ready_campaign(send_at=datetime(2036, 7, 1, 7, tzinfo=UTC), timezone="Europe/Berlin")

    page = page_of(maria.get(step("review", campaign)))
    response = maria.post(step("review", campaign))

    assert texts(page, ".confirm button") == ["Schedule for 1 person"]
    assert texts(page, ".confirm form p") == [
        "This message goes to 1 person.",
        "Tuesday, 1 July 2036, 09:00 (Europe/Berlin; 07:00 UTC)",
    ]
    assert response["Location"] == step("change", campaign)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.send_at) == ("scheduled", datetime(2036, 7, 1, 7, tzinfo=UTC))


@time_machine.travel(NOW, tick=False)
def test_send_now_leaves_half_a_minute_to_take_it_back(maria: Client) -> None:
    campaign = make_ready_campaign()

    maria.post(step("review", campaign))

    campaign.refresh_from_db()
    assert (campaign.state, campaign.send_at) == ("scheduled", NOW + timedelta(seconds=30))
    page = page_of(maria.get(step("review", campaign)))
    assert texts(page, ".note.scheduled strong") == ["Sending starts in 30 seconds."]
    maria.post(page.cssselect(".note.scheduled form")[0].get("action"))
    campaign.refresh_from_db()
    assert campaign.state == "draft"


def test_what_is_not_ready_is_not_sent(maria: Client) -> None:
    campaign = make_ready_campaign(subject="")

    page = page_of(maria.post(step("review", campaign)))

    assert "The campaign cannot be sent yet: see the checklist." in texts(page, "[role=status]")[0]
    campaign.refresh_from_db()
    assert campaign.state == "draft"


@pytest.mark.parametrize(
    ("typed", "state"), [("2", "scheduled"), (" 2 ", "scheduled"), ("3", "draft"), ("", "draft"), ("two", "draft")]
)
def test_many_people_are_typed_in_as_a_number(
    maria: Client, monkeypatch: pytest.MonkeyPatch, typed: str, state: str
) -> None:
    monkeypatch.setattr("campaigns.views.review.needs_typed_number", lambda n_total: n_total > 1)
    campaign = make_ready_campaign()
    subscribe(make_contact("bob@example.com"), MailingList.objects.get())

    maria.post(step("review", campaign), {"number": typed})

    campaign.refresh_from_db()
    assert campaign.state == state


def test_an_edit_that_comes_after_the_launch_changes_nothing_and_says_so(maria: Client) -> None:
    campaign = make_campaign(make_list(), state="scheduled", send_at=NOW)

    response = maria.post(step("content", campaign), CONTENT)

    assert said(maria, response) == ["Nothing was saved: the campaign is no longer a draft."]
    assert campaign.variants.get().subject == "A new season"


def test_each_step_has_its_mark(maria: Client) -> None:
    campaign = make_ready_campaign(preheader="")

    page = page_of(maria.get(step("schedule", campaign)))

    assert [item.get("class") for item in page.cssselect(".steps li")] == ["done", "warning", "done", "todo"]
    assert texts(page, ".steps [aria-current=step]") == ["✓ Schedule (complete)"]


def test_the_brand_is_chosen_where_there_are_several(maria: Client) -> None:
    make_brand("Acme")
    url = reverse("admin:campaigns_campaign_add")

    assert page_of(maria.get(url)).cssselect("select[name=brand]") == []
    make_brand("Sister")
    assert len(page_of(maria.get(url)).cssselect("select[name=brand] option")) == Brand.objects.count()


@pytest.mark.parametrize(("state", "answer"), [("scheduled", (204, None)), ("sending", (200, "true"))])
def test_the_page_of_a_scheduled_campaign_loads_itself_again_once_it_left(
    maria: Client, state: str, answer: tuple[int, str | None]
) -> None:
    campaign = make_campaign(make_list(), state=state, send_at=NOW)
    response = maria.get(step("change", campaign), headers={"HX-Request": "true"})
    assert (response.status_code, response.get("HX-Refresh")) == answer
