"""What a reply means for the message it answers: pure, from `Reply` to `Outcome`."""

from __future__ import annotations

import re

from delivery.outcomes import Outcome, Result
from delivery.smtp.replies import Reply, printable

MAX_TEXT = 500
MAX_RETRY_AFTER = 86_400
# What is taken back before its body left; `reason` tells the accounting that no server had a say in it.
RECALLED = Outcome(Result.DEFERRED, text="not sent: it was taken back before it left", reason="recalled")

# RFC 3463 section 2. Gmail and Exchange repeat the code at the start of every line of a reply.
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)").match

# Postfix, SendGrid "queued as ID"; Exim "id=ID"; Amazon SES "Ok ID"; Gmail "OK  <time> ID - gsmtp".
_PROVIDER_ID = re.compile(
    r"queued as <?([^\s<>;,]+)|\bid=<?([^\s<>;,]+)|^ok:? ([0-9A-Za-z-]{20,})\b|^ok +\d+ (\S+) - gsmtp", re.IGNORECASE
).search

# Postgrey "try again in 300 seconds", "retry in 5 minutes", "Greylisted for 5 min", "wait 1 hour".
_WAIT = re.compile(
    r"(?:again|retry|wait|come back|gr[ae]y-?list\w*)\b[^0-9.;]{0,40}?"
    r"(?:(?P<h>\d{1,2}):(?P<m>\d\d):(?P<s>\d\d)|(?P<n>\d{1,6})\s*(?P<unit>s|m|h)(?:ec|in|our|r)?(?:ond|ute)?s?\b)",
    re.IGNORECASE,
).search
_UNITS = {"s": 1, "m": 60, "h": 3600}


def outcome_of(reply: Reply) -> Outcome | None:
    """What a final reply stands for: 2yz accepted, 4yz deferred, 5yz refused; None for 3yz, which is no verdict."""
    code = reply.code
    enhanced, text = words_of(reply)
    if code < 300:
        return Outcome(Result.ACCEPTED, code, enhanced, text, provider_id_in(text))
    if code < 400:
        return None
    if code < 500:
        return Outcome(Result.DEFERRED, code, enhanced, text, retry_after=wait_in(text))
    return Outcome(Result.REFUSED, code, enhanced, text)


def words_of(reply: Reply) -> tuple[str, str]:
    """The enhanced status code (or "") and the text without it, at most 500 characters."""
    match = _ENHANCED(reply.lines[0])
    if match is None:
        return "", reply.text[:MAX_TEXT]
    enhanced = match[1]
    if len(reply.lines) == 1:
        return enhanced.decode(), printable(reply.lines[0][match.end() :])[:MAX_TEXT]
    lines = [line.removeprefix(enhanced).strip() for line in reply.lines]
    return enhanced.decode(), printable(b" ".join(lines))[:MAX_TEXT]


def provider_id_in(text: str) -> str:
    """The server's own id for a message that it accepted, where its text has a form that is known, else ""."""
    match = _PROVIDER_ID(text)
    return next(filter(None, match.groups()), "")[:255] if match else ""


def wait_in(text: str) -> int | None:
    """Seconds that a text such as "try again in 5 minutes" asks to wait, at most a day, else None."""
    match = _WAIT(text)
    if match is None:
        return None
    if match["n"] is None:
        seconds = int(match["h"]) * 3600 + int(match["m"]) * 60 + int(match["s"])
    else:
        seconds = int(match["n"]) * _UNITS[match["unit"].lower()]
    return min(seconds, MAX_RETRY_AFTER)
