"""What a provider answered to one attempt: values that cross from transports to the accounting, nothing else."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Result(IntEnum):
    """The states an attempt can leave a message in; stored as smallint in the outcome table."""

    ACCEPTED = 1
    DEFERRED = 2
    REFUSED = 3
    FAILED = 4
    UNCERTAIN = 5
    SUPPRESSED = 6
    EXPIRED = 7
    CANCELLED = 8


class Outcome(NamedTuple):
    """One attempt's result.

    `result`: ACCEPTED (the provider took responsibility), DEFERRED (it provably took nothing, try later),
    REFUSED (it said no for good: 5yz), FAILED (our side: content or configuration), UNCERTAIN (the last byte
    went out and no answer came back: RFC 5321 section 4.5.3.2.6, RFC 1047).
    `code`: SMTP reply code or HTTP status, 0 where none came. `enhanced`: RFC 3463 code such as "5.1.1" or "".
    `text`: the provider's own words, at most 500 characters. `provider_id`: its id for the message, if any.
    `retry_after`: seconds that the provider asked us to wait, else None.
    `reason`: what the answer is about where that asks for more than the result does: "credentials" (refused key or
    closed account: pause the account), "quota" (no credit left, daily limit), "rate", "settings" (template, sender
    or mapping of the account), "address", "suppressed" (the provider's own list), "content", or "".
    """

    result: Result
    code: int = 0
    enhanced: str = ""
    text: str = ""
    provider_id: str = ""
    retry_after: int | None = None
    reason: str = ""
