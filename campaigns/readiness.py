"""Whether a campaign may be sent: pure checks over facts, each failure in words with the wizard step that mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from campaigns.content.problems import Problem, Severity
from campaigns.policy import is_past

# Buttondown warns outside 10-78 characters; phones cut a subject at about 40, desktops at about 70.
SUBJECT_LENGTH = range(10, 79)


class Step(StrEnum):
    """The wizard's steps, in order."""

    AUDIENCE = "audience"
    CONTENT = "content"
    SCHEDULE = "schedule"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class LaunchProblem:
    """Why a campaign should not go out as it is: an error stops it, a warning is advice.

    `step` is where it is mended; `part` and `line` (from 1) say where in the content, if it has such a place.
    """

    message: str
    step: Step
    hint: str = ""
    severity: Severity = Severity.ERROR
    part: str = ""
    line: int | None = None

    @property
    def blocking(self) -> bool:
        """Whether it stops the campaign."""
        return self.severity is Severity.ERROR


def content_problem(problem: Problem) -> LaunchProblem:
    """Say a finding of the content pipeline as a problem of the content step."""
    return LaunchProblem(
        problem.message, Step.CONTENT, problem.hint, problem.severity, part=problem.part, line=problem.line
    )


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """What the checks need to know about one content; `content_problems` come from the content pipeline."""

    name: str
    subject: str
    preheader: str
    from_name: str
    from_email: str
    has_body: bool
    has_sample_text: bool = False
    content_problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What the checks need to know about a campaign; `n_total` is None where nobody counted the audience."""

    n_lists: int
    n_total: int | None
    variants: tuple[VariantFacts, ...]
    sending_domain: str
    postal_address: str
    send_at: datetime | None
    delivery_problems: tuple[LaunchProblem, ...] = ()


def find_launch_problems(facts: CampaignFacts, now: datetime) -> list[LaunchProblem]:
    """Return everything that blocks the campaign or deserves a warning, in the order of the steps."""
    return [
        *_audience_problems(facts),
        *(problem for variant in facts.variants for problem in _variant_problems(variant, facts.sending_domain)),
        *_brand_problems(facts),
        *_schedule_problems(facts.send_at, now),
        *facts.delivery_problems,
    ]


def blocking(problems: Sequence[LaunchProblem]) -> list[LaunchProblem]:
    """Return only what stops the campaign."""
    return [problem for problem in problems if problem.blocking]


def _audience_problems(facts: CampaignFacts) -> Iterator[LaunchProblem]:
    if not facts.n_lists:
        yield LaunchProblem("No list is chosen.", Step.AUDIENCE, hint="Choose at least one list to send to.")
    elif facts.n_total == 0:
        yield LaunchProblem(
            "Nobody would receive this campaign.",
            Step.AUDIENCE,
            hint="Everybody on the chosen lists is unsubscribed, unconfirmed, left out or suppressed.",
        )


def _variant_problems(variant: VariantFacts, sending_domain: str) -> Iterator[LaunchProblem]:
    yield from _subject_problems(variant)
    if not variant.preheader.strip():
        yield _advice("The preview text is empty.", "Inboxes then show the first words of the message instead.")
    yield from _sender_problems(variant, sending_domain)
    if not variant.has_body:
        yield LaunchProblem("The message is empty.", Step.CONTENT, hint="Choose a design to start from, or write one.")
    if variant.has_sample_text:
        yield _advice("The design still says what it came with.", "Put your own words and links into it.")
    yield from map(content_problem, variant.content_problems)


def _subject_problems(variant: VariantFacts) -> Iterator[LaunchProblem]:
    subject = variant.subject.strip()
    if not subject:
        if all(problem.part != "subject" for problem in variant.content_problems):
            yield LaunchProblem("The subject is empty.", Step.CONTENT, hint="Write a subject.")
        return
    if "{{" not in subject and len(subject) not in SUBJECT_LENGTH:
        yield _advice(f"The subject has {len(subject)} characters.", "Between 10 and 78 is read best.")
    if re.match(r"(re|fwd?|aw|wg)\s*:", subject, re.IGNORECASE):
        yield _advice("The subject pretends to be a reply or a forwarded mail.", "In some countries that is illegal.")


def _sender_problems(variant: VariantFacts, sending_domain: str) -> Iterator[LaunchProblem]:
    domain = variant.from_email.rpartition("@")[2].lower()
    if not domain:
        yield LaunchProblem("The sender address is missing.", Step.CONTENT, hint="Set it here or in the brand.")
    elif not is_aligned(domain, sending_domain):
        yield LaunchProblem(
            f"The sender address is at {domain}, but this brand sends from {sending_domain}.",
            Step.CONTENT,
            hint=f"Use an address at {sending_domain}: mailbox providers check that the two match (DMARC).",
        )
    if not variant.from_name.strip():
        yield _advice("The sender has no name.", "People open mail from names they know.")


def is_aligned(domain: str, sending_domain: str) -> bool:
    """Whether DMARC's relaxed alignment (RFC 7489 section 3.1) holds for certain: the domain itself or one below it."""
    wanted = sending_domain.lower()
    return bool(wanted) and (domain == wanted or domain.endswith(f".{wanted}"))


def _brand_problems(facts: CampaignFacts) -> Iterator[LaunchProblem]:
    if not facts.postal_address.strip():
        yield LaunchProblem(
            "The brand has no postal address.",
            Step.CONTENT,
            hint="The law wants one in every marketing message. Add it to the brand.",
        )


def _schedule_problems(send_at: datetime | None, now: datetime) -> Iterator[LaunchProblem]:
    if send_at is not None and is_past(send_at, now):
        yield LaunchProblem("The chosen time has passed.", Step.SCHEDULE, hint="Choose a later time, or send at once.")


def _advice(message: str, hint: str) -> LaunchProblem:
    return LaunchProblem(message, Step.CONTENT, hint=hint, severity=Severity.WARNING)
