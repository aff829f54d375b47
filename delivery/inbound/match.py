"""Decides which message of ours a report is about, or why it is refused; never by free text.

A report is believed only when it carries a token that decodes with our key: in the address that it came to, in the
envelope id that we gave, or in the Message-ID or List-Unsubscribe of the message that it returns. So a bounce of mail
that somebody sent in our name (backscatter) and an invented bounce have nothing to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from delivery.tracking.tokens import MessageRef

from .addresses import message_token, token_in
from .report import Report

Evidence = Literal["verp", "envelope_id", "message_id", "list_unsubscribe"]
RefusalReason = Literal["no_token", "forged_token", "contradiction"]

_BARE_TOKEN = re.compile(r"(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])")
_UNSUBSCRIBE_PATH = re.compile(r"/u/([A-Za-z0-9_-]{22})(?![\w-])")


@dataclass(frozen=True, slots=True)
class Matched:
    """The message that a report is about; `by` names the token that decided."""

    ref: MessageRef
    by: Evidence


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Why a report counts for nothing.

    "no_token": it names no message of ours (backscatter, or a mailbox that strips headers). "forged_token": it names
    one with a token that we did not make. "contradiction": its tokens name different messages.
    """

    reason: RefusalReason


def match_report(report: Report, decode: Callable[[str], MessageRef | None]) -> Matched | Unmatched:
    """The match by the first token that decodes; `decode` is `TokenMaker.read`."""
    tokens = list(_tokens(report))
    if not tokens:
        return Unmatched("no_token")
    read = [Matched(ref, by) for by, token in tokens if (ref := decode(token)) is not None]
    if not read:
        return Unmatched("forged_token")
    if len({match.ref for match in read}) > 1:
        return Unmatched("contradiction")
    return read[0]


def _tokens(report: Report) -> Iterator[tuple[Evidence, str]]:
    """All tokens of a report, the most trustworthy first."""
    if report.verp_token:
        yield "verp", report.verp_token
    envelope_id = _BARE_TOKEN.search(report.original_envelope_id.lower())
    if envelope_id:
        yield "envelope_id", envelope_id.group()
    for message_id in dict.fromkeys((report.source.message_id, report.original_message_id)):
        token = message_token(message_id)
        if token:
            yield "message_id", token
    yield from (("list_unsubscribe", token) for token in _unsubscribe_tokens(report.source.list_unsubscribe))


def _unsubscribe_tokens(value: str) -> list[str]:
    path = _UNSUBSCRIBE_PATH.search(value)
    mailto = token_in([value.replace("mailto:", " ")], "u")
    return [token for token in (path.group(1) if path else "", mailto) if token]
