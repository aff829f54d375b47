"""What an HTTP answer, or its absence, says about a message: the error table that all provider APIs share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from delivery.outcomes import Outcome, Result

from .wire import wire_address

# Answers after which the provider provably took nothing are DEFERRED; the ambiguous ones are UNCERTAIN and are
# never sent again (RFC 1047 says how impatience makes duplicates). 503 comes from a balancer with no server behind it.
BY_STATUS: dict[int, tuple[Result, str]] = {
    401: (Result.FAILED, "credentials"),
    402: (Result.FAILED, "quota"),
    403: (Result.FAILED, "credentials"),
    404: (Result.FAILED, "settings"),
    405: (Result.FAILED, "settings"),
    408: (Result.UNCERTAIN, ""),
    413: (Result.FAILED, "content"),
    420: (Result.FAILED, "quota"),
    421: (Result.DEFERRED, "rate"),
    425: (Result.DEFERRED, "rate"),
    429: (Result.DEFERRED, "rate"),
    503: (Result.DEFERRED, ""),
}
DEFAULT_WAIT = 60
LONGEST_WAIT = 86_400

RATE_HEADERS = ("retry-after", "x-sib-ratelimit-reset", "ratelimit-reset", "x-ratelimit-reset")
EPOCH_FLOOR = 1_000_000_000  # a reset header above this is a moment (SendGrid), below it a number of seconds (Brevo)

ABOUT_ADDRESS = re.compile(
    r"\b(recipient|to|rcpt|mailbox|e-?mail( address)?|address|receiver)\b.{0,60}"
    r"\b(invalid|not valid|illegal|malformed|not a valid|does ?n.t exist|not exist|incorrect|unparsable)\b"
    r"|\b(invalid|illegal|malformed|bad|incorrect|error parsing)\b.{0,40}"
    r"\b(recipients?|'?to'?|mailbox|e-?mail( address)?|address|receiver)\b",
    re.IGNORECASE | re.DOTALL,
)
ABOUT_SENDER = re.compile(r"\b(from|sender|reply[-_ ]?to)\b", re.IGNORECASE)


def bad_address(address: str) -> Outcome | None:
    """A refusal of what is no address at all: it never reaches the provider."""
    try:
        wire_address(address)
    except ValueError as error:
        return Outcome(Result.REFUSED, text=clip(str(error)), reason="address")
    return None


def unsent(words: str) -> Outcome:
    """The connection never stood, or broke before the first byte: safe to try again."""
    return Outcome(Result.DEFERRED, text=clip(words))


def unanswered(words: str, code: int = 0) -> Outcome:
    """The request left and no readable answer came: nobody can know."""
    return Outcome(Result.UNCERTAIN, code=code, text=clip(words))


def from_status(status: int, headers: Mapping[str, str], words: str) -> Outcome:
    """The outcome of an answer that is not a success, by its status code alone; `headers` in lower case."""
    result, reason = BY_STATUS.get(status, (Result.UNCERTAIN if status >= 500 or status < 400 else Result.FAILED, ""))
    if 400 <= status < 500 and status not in BY_STATUS:
        result, reason = about_request(words)
    wait = retry_after(headers) if result is Result.DEFERRED else None
    return Outcome(result, code=status, text=clip(words), retry_after=wait, reason=reason)


def about_request(words: str) -> tuple[Result, str]:
    """Whether a refused request was refused for its recipient (REFUSED) or for what we put in it (FAILED)."""
    if ABOUT_ADDRESS.search(words) and not ABOUT_SENDER.search(words):
        return Result.REFUSED, "address"
    return Result.FAILED, "content"


def retry_after(headers: Mapping[str, str]) -> int:
    """Seconds to wait, from whichever header the provider uses (RFC 9110 section 10.2.3); 60 when it names none."""
    for name in RATE_HEADERS:
        seconds = _seconds(headers.get(name, "").strip(), headers.get("date", ""))
        if seconds is not None:
            return min(max(seconds, 1), LONGEST_WAIT)
    return DEFAULT_WAIT


def _seconds(value: str, date: str) -> int | None:
    """A delay from a number of seconds, a moment since 1970, or an HTTP date; moments are measured from `date`."""
    now = _moment(date)
    if re.fullmatch(r"\d{1,12}(\.\d+)?", value):
        number = int(float(value))
        if number < EPOCH_FLOOR:
            return number
        return number - int(now.timestamp()) if now else None
    then = _moment(value)
    return int((then - now).total_seconds()) if then and now else None


def _moment(value: str) -> datetime | None:
    """An HTTP date as an aware time; None when it is none."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def halts(outcome: Outcome) -> bool:
    """Whether the account's next message would meet the same answer now: a limit, a refused key, nobody there."""
    if outcome.reason in ("credentials", "quota", "rate"):
        return True
    return outcome.result is Result.DEFERRED and outcome.code in (0, 503)


def clip(words: str) -> str:
    """At most 500 characters on one line, without what PostgreSQL does not take (NUL, lone surrogates)."""
    plain = words.replace("\x00", "").encode("utf-8", "replace").decode()
    return " ".join(plain.split())[:500]


def settled(outcome: Outcome, secrets: Iterable[str]) -> Outcome:
    """The outcome as it may be stored: no secret in its words, an id of sane length, a three-digit code."""
    return outcome._replace(
        code=outcome.code if 0 <= outcome.code <= 999 else 0,
        text=clip(scrub(outcome.text, secrets)),
        provider_id=clip(outcome.provider_id)[:255],
    )


def scrub(words: str, secrets: Iterable[str]) -> str:
    """The words without any of the secrets: some servers answer with the key that they refuse."""
    for secret in secrets:
        if len(secret) >= 6:
            words = words.replace(secret, "***")
    return words
