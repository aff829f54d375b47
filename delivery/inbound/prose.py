"""Bounces written for people alone: Exim, qmail, sendmail 5, Gmail, Exchange, Yahoo, QQ, 163, Domino, EZweb and others.

One reading fits them all: somebody who sends bounces says that something was not delivered, names addresses, and gives
a reason below or beside each. No rule here knows one product's layout.
"""

from __future__ import annotations

import re

from .addresses import addresses_in
from .automatic import is_automatic
from .codes import best_enhanced, remote_lines, reply_code, stage_before, stage_in
from .mime import Mail
from .notice import MAX_BLOCK, blocks, notice_text, returned_headers
from .phrases import any_of
from .report import Report, ReportKind

_DAEMON = any_of(r"""
    mailer[- ]?daemon|p(?:oo|o)stmaster|mail[ ._-]?(?:delivery|er)|maildelivery|mmdf|mdaemon|uucp|mail-?system
    delivery (?:sub)?system|mail administrator|system administrator|content-filter|microsoftexchange[0-9a-f]
""")
_ROBOT = any_of(r"no-?reply|bounce")
_SUBJECT = any_of(r"""
    undeliver|non.?deliver|return(?:ed|ing) (?:e-?mail|mail|message|to sender)
    delivery (?:status|fail|notification|problem|error|report|has failed)|deliver\w* failure
    fail(?:ure|ed) (?:notice|delivery|mail|message)|(?:mail|message) (?:delivery|failure|error|status)
    could not be delivered|not delivered|mail system error|warning: could not send|bounce|rejected mail
    non remis|unzustellbar|nicht zugestellt|zur.ck|no (?:se ha )?entrega|devuelt|non recapitat|n.o entregue
    退信|投递失败|無法(?:傳遞|投遞)|配信(?:できません|不能|エラー)|недоставлен|не доставлен
""")
_FAILED = any_of(r"""
    (?:could|can|was|were|is|be|been|able|unable|failed|did) ?(?:not|n't|n.t)? ?(?:to )?(?:be )?(?:deliver|reach|sent)
    (?:could|can|was|unable|failed|did) ?(?:not|n't|n.t)? ?(?:to )?(?:be )?(?:relay|process|accept|complet)
    undeliver|delivery (?:\w+ ){0,6}(?:fail|error|delay|problem|has been|was aborted)
    permanent(?:ly)? (?:fatal )?(?:error|fail)|fatal error|problems? deliver|not (?:be )?(?:deliver|reach|sent)
    unknown (?:user|recipient)|user unknown|no such user|transcript of session
    退回|退信|无法(?:投递|送达|发送)|未(?:能)?(?:送达|投递)|届きません|送信(?:でき|され)ません|配信(?:でき|され)
    не (?:может быть|было|удалось) (?:доставлен|отправлен)|zugestellt|remise|distribu|entreg
""")
# Enough where a mail system writes, too little elsewhere.
_REFUSED = any_of(r"""
    deliver(?:ing|y)? (?:your|the|to|a)|returned|rejected|failed|bounce
""")
_DELAYED = any_of(
    r"""
    \(delay\)|warning message only|has been delayed|is delayed|delayed (?:for|mail|delivery)|delayed\)?$
    not yet been delivered|still (?:undelivered|trying|being retried)|delivery attempts will continue
    will (?:be retried|keep trying|continue to (?:try|be))|temporary (?:failure|error) report
    do not need to re-?send|could not send for past|verz.gert|送达延迟
""",
    re.IGNORECASE | re.MULTILINE,
)
_GAVE_UP = any_of(r"""
    permanent (?:fatal )?error|given up|giving up|permanent failure|not going to try again
""")
_REPLY_LINE = re.compile(r"(?:<<<|said:|reason:|: |^|\()\s{0,4}[45][0-5]\d[ :-]\s{0,4}\S", re.IGNORECASE)


def read_prose(mail: Mail) -> list[Report]:
    """A report per recipient that the notice names; [] when the mail does not read like a bounce."""
    notice = notice_text(mail)
    if not is_bounce_mail(mail, notice):
        return []
    kind = ReportKind.DELAY if _is_delay(mail, notice) else ReportKind.BOUNCE
    return [_report(kind, recipient, block, notice) for recipient, block in _recipients(mail, notice).items()]


def is_bounce_mail(mail: Mail, notice: str) -> bool:
    """True when sender or subject and the text both speak of a failed or late delivery.

    X-Failed-Recipients is Exim's and Gmail's, X-MLServer that of fml, a list manager that answers what it refuses.
    """
    if mail.headers.get("x-failed-recipients") or mail.headers.get("x-mlserver"):
        return True
    sender = mail.headers.words("from")
    about_failure = bool(_SUBJECT.search(mail.headers.words("subject")))
    says_so = bool(_FAILED.search(notice))
    if _DAEMON.search(sender):
        return about_failure or says_so or bool(_REFUSED.search(notice))
    return says_so and (about_failure or bool(_ROBOT.search(sender))) and not is_automatic(mail)


def _is_delay(mail: Mail, notice: str) -> bool:
    late = _DELAYED.search(mail.headers.words("subject")) or _DELAYED.search(notice)
    return bool(late) and not _GAVE_UP.search(notice)


def _recipients(mail: Mail, notice: str) -> dict[str, str]:
    """Recipient -> the words on it. The header that Exim and Gmail add counts more than the text."""
    parties = {address for name in ("to", "from") for address in addresses_in(mail.headers.get(name))}
    named = blocks(notice, not_about=tuple(parties)) or blocks(notice, not_about=())
    failed = addresses_in(" ".join(mail.headers.every("x-failed-recipients")))
    if failed:
        return {address: named.get(address, notice[:MAX_BLOCK]) for address in failed}
    if named:
        return named
    to = addresses_in(returned_headers(mail).get("to"))
    return {to[0] if len(to) == 1 else "": notice[:MAX_BLOCK]}


def _report(kind: ReportKind, recipient: str, block: str, notice: str) -> Report:
    diagnostic = server_words(block)
    return Report(
        kind=kind,
        detector="prose",
        recipient=recipient,
        enhanced=best_enhanced(diagnostic, remote_lines(block)),
        reply_code=reply_code(diagnostic),
        diagnostic=diagnostic,
        notice=block,
        stage=stage_before(notice, diagnostic) or stage_in(block),
    )


def server_words(block: str) -> str:
    """The lines from the first SMTP reply in a block on, unfolded; the whole block when it quotes no reply."""
    lines = remote_lines(block).split("\n")
    first = next((n for n, line in enumerate(lines) if _REPLY_LINE.search(line.strip())), 0)
    return " ".join(" ".join(lines[first : first + 12]).split())[:2_000]
