"""What stands between a campaign and its launch, by facts alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from campaigns.content.problems import Problem, Severity
from campaigns.readiness import CampaignFacts, LaunchProblem, Step, VariantFacts, find_launch_problems, is_aligned

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VARIANT = VariantFacts(
    name="A",
    subject="A new season",
    preheader="It is here",
    from_name="Acme",
    from_email="news@news.acme.example",
    has_body=True,
)
FACTS = CampaignFacts(
    n_lists=1,
    n_total=10,
    variants=(VARIANT,),
    sending_domain="news.acme.example",
    postal_address="1 Main Street",
    send_at=None,
)


def advice(**values: Any) -> list[str]:
    problems = find_launch_problems(replace(FACTS, variants=(replace(VARIANT, **values),)), NOW)
    assert all(problem.severity is Severity.WARNING for problem in problems)
    return [problem.message for problem in problems]


def test_a_campaign_in_order_has_no_problems() -> None:
    assert find_launch_problems(FACTS, NOW) == []


def test_an_audience_that_nobody_counted_is_not_called_empty() -> None:
    assert find_launch_problems(replace(FACTS, n_total=None), NOW) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"subject": "Hi there!"}, "The subject has 9 characters."),
        ({"subject": "x" * 79}, "The subject has 79 characters."),
        ({"subject": "Re: your order"}, "The subject pretends to be a reply or a forwarded mail."),
        ({"subject": "FWD: look at this"}, "The subject pretends to be a reply or a forwarded mail."),
        ({"preheader": ""}, "The preview text is empty."),
        ({"from_name": " "}, "The sender has no name."),
        ({"has_sample_text": True}, "The design still says what it came with."),
    ],
)
def test_what_is_unwise_is_advice_and_does_not_block(values: dict[str, str], message: str) -> None:
    assert advice(**values) == [message]


@pytest.mark.parametrize("subject", ["x" * 10, "x" * 78, "{{ x }}", "Regarding your garden"])
def test_a_good_subject_gets_no_advice(subject: str) -> None:
    assert advice(subject=subject) == []


def test_the_content_pipelines_findings_keep_part_line_and_severity() -> None:
    finding = Problem("It has 120 KB of HTML.", "Cut it.", line=3, severity=Severity.WARNING)

    problems = find_launch_problems(replace(FACTS, variants=(replace(VARIANT, content_problems=(finding,)),)), NOW)

    assert problems == [
        LaunchProblem("It has 120 KB of HTML.", Step.CONTENT, "Cut it.", Severity.WARNING, part="body", line=3)
    ]


def test_an_empty_subject_is_said_once() -> None:
    finding = Problem("The subject is empty.", part="subject")
    variant = replace(VARIANT, subject="", content_problems=(finding,))

    problems = find_launch_problems(replace(FACTS, variants=(variant,)), NOW)

    assert [problem.message for problem in problems] == ["The subject is empty."]


@pytest.mark.parametrize(
    ("domain", "aligned"),
    [
        ("acme.example", True),
        ("news.acme.example", True),
        ("evilacme.example", False),
        ("example", False),
        ("", False),
    ],
)
def test_the_sender_is_at_the_sending_domain_or_below_it(domain: str, aligned: bool) -> None:
    assert is_aligned(domain, "Acme.example") is aligned


def test_no_sending_domain_aligns_with_nothing() -> None:
    assert not is_aligned("acme.example", "")
