"""The human-readable half of a bounce: where it ends and which lines speak of which recipient."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .addresses import ADDRESS, message_id_in, tidy
from .mime import Headers, Mail, Part, decode_words, read_headers
from .phrases import any_of
from .report import SourceHeaders

MAX_BLOCK = 4_000
_MAX_NOTICE = 20_000
_MAX_LINES = 3_000
_MAX_RECIPIENTS = 200

# The line after which the returned message is quoted, in the wordings of some twenty mail systems.
_SEPARATOR = any_of(
    r"""
    (?:(?:this|below|below this line|included|here|the following|attached)(?: is| are)? )?(?:a |the )?<COPY>.*
    (?:the |your )?<RETURNED> message(?: (?:text|content|body))?(?: (?:headers?|headers? follows?))?
    (?:the |your )?<RETURNED> message(?: (?:text|content|body))? (?:follows?.*|is attached.*|below)
    (?:the |your )?(?:original|returned|undelivered|unsent) mail (?:headers?|(?:as )?follows?.*|below)
    message headers?(?: (?:follows?|are below))?
    en-t.tes de message d'origine|kopfzeilen der urspr.nglichen nachricht|encabezados del? mensaje original
    原始邮件(?:标题|头)?|邮件头|元のメッセージ(?:ヘッダー?)?
""",
    groups={
        "COPY": r"(?:copy|text|headers?|contents?|beginning|start|first \d+ \w+) of <OUR>(?:mail|message)\b",
        "OUR": "(?:the |your |this )?(?:(?:<RETURNED>|rejected|e-?mail|mail) )?",
        "RETURNED": "(?:original|returned|undelivered|unsent|bounced|forwarded|failed)",
    },
)
_FIELD = re.compile(
    r"(?:Received|Return-Path|DKIM-Signature|DomainKey-Signature|Authentication-Results|ARC-Seal|X-Received"
    r"|X-Originating-IP|MIME-Version): ?\S",
    re.IGNORECASE,
)
_STATUS_FIELDS = re.compile(r"^(?:Reporting-MTA|Final-Recipient): ", re.IGNORECASE | re.MULTILINE)
_EDGE = " \t-=_*#:.>|+~"
_FOLLOWING = any_of(r"""
    following (?:e-?mail )?(?:recipient|address|destination|mailbox|user|person|people)
    (?:not|never) (?:be )?delivered to:
""")
# What stands before an address that the notice is about, on the same line; a weaker lead counts where no stronger is.
# Exim writes "an undisclosed address (generated from X)": X is the one that we wrote to.
_LEADS = (
    any_of(r"""
        ^[\s*<>\"'(\[|-]*$
        \b(?:to|recipients?|addressee|address|destination|user|mailbox)\b ?:[^\w\n]{0,6}$
    """),
    any_of(
        r"""
        \b(?:to|recipients?|addressee|address|for|user|mailbox|account|member|following)\b[^\w\n]{1,6}<FILLER>{0,2}$
        \b(?:user|account) [^\n@]{1,60}\($
    """,
        groups={"FILLER": r"(?:(?:address|is|was|the|name|named)\b[^\w\n]{1,4})"},
    ),
    re.compile(r"(?:(?:^|\s)[245]\d\d[ -](?:[245]\.\d\.\d{1,3} )?|:\s?|generated from )<?$"),
)
_OTHER_PARTY = any_of(
    r"""
    ^\s*(?:from|sender|cc|bcc|reply-to|subject|message-id|date|sent|return-path|x-[\w-]+)\s*:
    (?:mail from|envelope.from|sender|contact|originator|postmaster|e-?mail us|write to|reply to)\b<GAP>$
    (?:send (?:an? )?\w*mail|expanded from|from address|in reply to)\b<GAP>$
""",
    groups={"GAP": r"[\w\s:=,'-]{0,30}\W{0,4}"},
)


def notice_text(mail: Mail) -> str:
    """At most 20,000 characters of the first readable part, without a returned message quoted below it."""
    part = mail.first("text/plain") or mail.first("text/html")
    return _STATUS_FIELDS.split(split_notice(part.text())[0])[0][:_MAX_NOTICE] if part else ""


def split_notice(text: str) -> tuple[str, str]:
    """The notice and the returned message quoted below it ("" when none is)."""
    lines = text.replace("\r", "").split("\n")[:_MAX_LINES]
    for number, line in enumerate(lines):
        if _FIELD.match(line):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
        if len(line) < 120 and _SEPARATOR.fullmatch(line.strip(_EDGE)):
            return "\n".join(lines[:number]), "\n".join(lines[number + 1 :])
    return "\n".join(lines), ""


def returned_headers(mail: Mail) -> Headers:
    """Headers of the returned message: its own part where there is one, else what is quoted below the notice."""
    part = mail.first("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
    if part:
        head = part.content().lstrip(b"\n").partition(b"\n\n")[0]
        return read_headers(head)
    candidates: list[Part] = [part for part in mail.parts if part.content_type in ("text/plain", "text/html")]
    for candidate in candidates[:3]:
        quoted = split_notice(candidate.text())[1]
        if quoted:
            return read_headers(quoted.lstrip("\n").partition("\n\n")[0].encode())
    return Headers()


def source_headers(headers: Headers) -> SourceHeaders:
    """The fields of the returned message that matching needs."""
    return SourceHeaders(
        message_id=message_id_in(headers.get("message-id")),
        return_path=headers.get("return-path").strip("<> "),
        to=decode_words(headers.get("to")),
        subject=decode_words(headers.get("subject"))[:300],
        list_unsubscribe=headers.get("list-unsubscribe"),
        feedback_id=headers.get("feedback-id"),
    )


def blocks(notice: str, *, not_about: Sequence[str]) -> dict[str, str]:
    """Each recipient that the notice names, with the lines on it; `not_about` are the parties of the mail itself."""
    start = _FOLLOWING.search(notice)
    body = notice[start.start() :] if start and ADDRESS.search(notice, start.end()) else notice
    found = next(filter(None, (_named(body, lead, not_about) for lead in _LEADS)), [])
    if len(found) <= 1:
        return {address: notice[:MAX_BLOCK] for address, _ in found}
    ends = [position for _, position in found[1:]] + [len(body)]
    cut = {address: body[at:end].strip()[:MAX_BLOCK] for (address, at), end in zip(found, ends, strict=True)}
    return _share_reason(cut)


def _named(body: str, lead: re.Pattern[str], not_about: Sequence[str]) -> list[tuple[str, int]]:
    """(address, start of its line) for addresses that stand behind `lead`, each once."""
    found: dict[str, int] = {}
    for match in ADDRESS.finditer(body):
        line_start = body.rfind("\n", 0, match.start()) + 1
        before = body[max(line_start, match.start() - 200) : match.start()]
        address = tidy(match.group())
        if address and address not in not_about and lead.search(before) and not _OTHER_PARTY.search(before):
            found.setdefault(address, line_start)
        if len(found) >= _MAX_RECIPIENTS:
            break
    return list(found.items())


def _share_reason(cut: dict[str, str]) -> dict[str, str]:
    """Recipients listed one below the other with one reason after the last: each gets that reason."""
    last = list(cut.values())[-1]
    return {
        address: block if len(block) > len(address) + 20 else f"{block}\n{last}"[:MAX_BLOCK]
        for address, block in cut.items()
    }
