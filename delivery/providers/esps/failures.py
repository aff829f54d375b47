"""What an exception from anymail says about the messages of the call."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import clip, unanswered
from delivery.providers.contract import ApiEnvelope
from delivery.providers.http import Answer

from .dialect import Dialect
from .session import TRAIL

# What making a request raises for content that the ESP's API cannot say, and what reading an unknown answer raises.
STRANGE = (AnymailError, ValueError, TypeError, KeyError, AttributeError, IndexError)

WHOLE_REASONS = ("content", "address", "")


def strange(error: Exception) -> Outcome:
    """Before the first byte: a message that cannot be said in this API; after it: an answer of an unknown form."""
    words = f"{type(error).__name__}: {error}"
    if not TRAIL.wrote:
        return Outcome(Result.FAILED, text=clip(words), reason="content")
    return unanswered(f"the answer has an unknown form ({words})", 200)


def outcome_of(error: AnymailAPIError, dialect: Dialect) -> Outcome:
    """By the answer if one came, else by how far the request got.

    An error about a 2xx answer means that its form is unknown, and 2xx is in nobody's table of refusals: UNCERTAIN.
    """
    own = dialect.judge_error(error)
    if own is not None:
        return own
    return dialect.judge(answer_of(error.response))


def answer_of(response: Any) -> Answer:
    """A requests response as our own."""
    headers = {name.lower(): str(value) for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content)


def refuses_whole(outcome: Outcome) -> bool:
    """Whether a batch call failed for something in its messages, so that halving it finds the bad one."""
    return outcome.result in (Result.FAILED, Result.REFUSED) and outcome.reason in WHOLE_REASONS


def call_key(envelopes: Sequence[ApiEnvelope]) -> str:
    """A UUID that names exactly this set of messages, so that a repeat of the call is the same call."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(e.idempotency_key for e in envelopes)))
