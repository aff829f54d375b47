"""From what a server said to a verdict: text rules first, then the enhanced code, then the basic code.

Enhanced codes lie (`550 5.1.1` for a full mailbox, `5.7.1` for anything), so words go first. The same path serves
replies at SMTP time, delivery status notifications and webhooks that carry the server's reply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .codes import is_vague
from .report import Report, ReportKind, Stage
from .rule import Need, Rule
from .rules import LAST_RULES, RULES, RULES_VERSION
from .rules_recipient import MAILBOX_RULES
from .taxonomy import CONSEQUENCES, BounceKind, Category

C = Category
_MAX_TEXT = 4_000

_URL = re.compile(r"https?://\S+|\bwww\.\S+")
_SPEAKER = re.compile(
    r"\b(?:remote |smtp ){0,2}(?:host|server|system)\b[^:\n]{0,80}\b(?:said|replied|returned|responded|answered):?"
)
_ADDRESS = re.compile(r"<?[^\s<>@]{0,64}@[\w.\-]{1,255}>?")
_CODE = re.compile(
    r"(?<![\w.])[245]\d\d(?:[- ]#?[245]\.\d\.\d{1,3})?(?![\w.])-?|(?<![\w.])#?[245]\.\d\.\d{1,3}(?![\w.])"
)
_IP = re.compile(
    r"\[?\b(?:\d{1,3}\.){3}\d{1,3}\b\]?(?::\d{1,5})?|\[?\b(?:ipv6:)?(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]{0,30}\]?"
)
# A last label of two to four letters or a common longer one: "unknown.please" is two sentences, not a host.
_HOST = re.compile(
    r"\b(?:[a-z0-9_-]{1,63}\.){1,8}(?:[a-z]{2,4}|local(?:host|domain)?|example|online|store|email|cloud|museum|internal)\b"
)
# Names of public block lists say why: they stay when other host names are taken out.
_LIST_HOST = re.compile(
    r"spamhaus|spamcop|sorbs|barracudacentral|uceprotect|abuseat|senderscore|resolver\.adr|dnsbl|rbl\b"
)

# RFC 3463 and the IANA registry of enhanced status codes (RFC 5248), by subject and detail.
_BY_ENHANCED: dict[str, Category] = {
    "1.0": C.INVALID_RECIPIENT, "1.1": C.INVALID_RECIPIENT, "1.2": C.BAD_DOMAIN, "1.3": C.INVALID_RECIPIENT,
    "1.4": C.FILTERED, "1.5": C.POLICY, "1.6": C.INVALID_RECIPIENT, "1.7": C.SENDER_INVALID,
    "1.8": C.SENDER_INVALID, "1.9": C.SENDER_INVALID, "1.10": C.BAD_DOMAIN,
    "2.0": C.FILTERED, "2.1": C.INACTIVE_MAILBOX, "2.2": C.QUOTA, "2.3": C.TOO_LARGE, "2.4": C.REMOTE_ERROR,
    "3.1": C.TRANSIENT, "3.2": C.TRANSIENT, "3.4": C.TOO_LARGE,
    "4.4": C.BAD_DOMAIN, "4.6": C.REMOTE_ERROR, "4.7": C.EXPIRED, "4.14": C.REMOTE_ERROR,
    "5.3": C.RATE_LIMIT,
    "7.13": C.INACTIVE_MAILBOX, "7.20": C.AUTH_FAILED, "7.21": C.AUTH_FAILED, "7.22": C.AUTH_FAILED,
    "7.23": C.AUTH_FAILED, "7.24": C.AUTH_FAILED, "7.25": C.AUTH_FAILED, "7.26": C.AUTH_FAILED,
    "7.27": C.AUTH_FAILED, "7.28": C.RATE_LIMIT, "7.29": C.AUTH_FAILED, "7.30": C.AUTH_FAILED,
    "7.32": C.AUTH_FAILED, "7.509": C.AUTH_FAILED, "7.515": C.AUTH_FAILED,
}  # fmt: skip
_BY_SUBJECT: dict[str, Category] = {
    "1": C.UNCLASSIFIED, "2": C.FILTERED, "3": C.REMOTE_ERROR, "4": C.TRANSIENT,
    "5": C.PROTOCOL_ERROR, "6": C.BAD_CONTENT, "7": C.POLICY,
}  # fmt: skip
# RFC 5321 section 4.2.3, RFC 7504 (521, 556). 550 alone says nothing about why: it never suppresses.
_BY_CODE: dict[int, Category] = {
    421: C.TRANSIENT, 450: C.TRANSIENT, 451: C.TRANSIENT, 452: C.QUOTA, 454: C.RELAY_DENIED, 455: C.PROTOCOL_ERROR,
    500: C.PROTOCOL_ERROR, 501: C.PROTOCOL_ERROR, 502: C.PROTOCOL_ERROR, 503: C.PROTOCOL_ERROR,
    504: C.PROTOCOL_ERROR, 521: C.BAD_DOMAIN, 525: C.INACTIVE_MAILBOX, 530: C.RELAY_DENIED, 534: C.RELAY_DENIED,
    535: C.RELAY_DENIED, 552: C.QUOTA, 554: C.POLICY, 556: C.BAD_DOMAIN,
}  # fmt: skip
# Exchange Online answers 5.4.1 "Recipient address rejected: Access denied" for unknown users. Its 5.1.351 only retells
# another server's words.
_ABOUT_RECIPIENT = ("1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "4.1")
_BEFORE_RECIPIENT = (Stage.CONNECT, Stage.HELO, Stage.MAIL)
_OTHER_KINDS = {
    ReportKind.COMPLAINT: C.COMPLAINT,
    ReportKind.UNSUBSCRIBE: C.UNSUBSCRIBED,
    ReportKind.AUTO_REPLY: C.AUTO_REPLY,
    ReportKind.DELIVERED: C.DELIVERED,
    ReportKind.UNKNOWN: C.UNCLASSIFIED,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means; `rule_id` and `rules_version` say which rule of which table decided."""

    category: Category
    kind: BounceKind
    rule_id: str
    rules_version: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer. `code` 0 and `enhanced` "" where there is none; `notice`: other words around it.

    `gave_up`: the reporting system tries no longer (a DSN with "failed"), so that a 4yz answer is final too.
    """

    code: int = 0
    enhanced: str = ""
    text: str = ""
    notice: str = ""
    stage: Stage = Stage.UNKNOWN
    reporter: str = ""
    gave_up: bool = False


def classify(reply: Reply) -> Verdict:
    """The verdict on one answer. An answer that is not final, or given before RCPT, never suppresses."""
    category, rule_id = (
        _by_text(reply)
        or _by_enhanced(reply.enhanced, reply.code)
        or _by_last_words(reply)
        or _by_code(reply.code)
        or (C.UNCLASSIFIED, "none")
    )
    if CONSEQUENCES[category].kind == "hard":
        category, rule_id = _doubted(reply, category, rule_id)
    return _verdict(category, rule_id)


def classify_report(report: Report) -> Verdict:
    """The verdict on a parsed report; only bounces and delays need the rules.

    A feedback report of type "auth-failure" (RFC 6591) is a machine's, about our signature: nobody complained.
    """
    if report.feedback_type == "auth-failure":
        return _verdict(C.AUTH_FAILED, "feedback-auth-failure")
    if report.kind in _OTHER_KINDS:
        return _verdict(_OTHER_KINDS[report.kind], f"kind-{report.kind}")
    return classify(
        Reply(
            code=report.reply_code,
            enhanced=report.enhanced,
            text=report.diagnostic,
            notice=report.notice,
            stage=report.stage,
            reporter=report.reporting_mta,
            gave_up=report.kind == ReportKind.BOUNCE,
        )
    )


def plain(text: str) -> str:
    """A server's words as the rules want them: lower case, without URLs, addresses, hosts and codes."""
    lowered = _SPEAKER.sub(" ", _URL.sub(" ", text[:_MAX_TEXT].lower()))
    lowered = _IP.sub(" ", _ADDRESS.sub(" ", lowered))
    lowered = _HOST.sub(lambda host: host.group() if _LIST_HOST.search(host.group()) else " ", lowered)
    return " ".join(_CODE.sub(" ", lowered).split())


def _by_text(reply: Reply) -> tuple[Category, str] | None:
    """The first rule that the answer meets; the words around it count when the answer itself says nothing.

    They also count when they name a better reason than a hard one: a mailbox program that says "not enough disk
    space" knows more than the gateway that reported "user unknown".
    """
    met = _first(RULES, reply.text, reply) or _first(RULES, reply.notice, reply)
    if met and CONSEQUENCES[met.category].kind == "hard":
        other = _first(MAILBOX_RULES, reply.notice, reply)
        met = other if other and CONSEQUENCES[other.category].kind != "hard" else met
    return (met.category, met.rule_id) if met else None


def _first(rules: tuple[Rule, ...], text: str, reply: Reply) -> Rule | None:
    words = plain(text)
    if not words:
        return None
    return next((rule for rule in rules if rule.pattern.search(words) and _agrees(rule.needs, reply)), None)


def _agrees(needs: Need, reply: Reply) -> bool:
    """Whether code and stage support what the words say."""
    subject = reply.enhanced[2:]
    if needs == "no_other_subject":
        return subject[:2] not in ("2.", "3.", "6.", "7.")
    if needs == "own_words" and is_vague(reply.enhanced) and not reply.code and not reply.stage:
        return True
    return not needs or reply.stage == Stage.RCPT or subject in _ABOUT_RECIPIENT


def _by_enhanced(enhanced: str, code: int) -> tuple[Category, str] | None:
    subject, _, detail = enhanced[2:].partition(".")
    if not detail or (subject, detail) == ("0", "0"):
        return None
    category = _BY_ENHANCED.get(f"{subject}.{detail}")
    if category == C.BAD_DOMAIN and subject == "4" and code:
        category = C.TRANSIENT  # a server that we did reach cannot route further: its trouble, not a dead domain
    if category is None and detail.isdigit() and subject == "7" and 600 <= int(detail) <= 699:
        category = C.SPAM_BLOCK  # Microsoft: 5.7.606 to 5.7.649 banned IP, 4.7.650 throttled
    if category is None:
        category = _BY_SUBJECT.get(subject)
    return (category, f"enhanced-{subject}.{detail}") if category else None


def _by_last_words(reply: Reply) -> tuple[Category, str] | None:
    met = _first(LAST_RULES, reply.text, reply)
    return (met.category, met.rule_id) if met else None


def _by_code(code: int) -> tuple[Category, str] | None:
    category = _BY_CODE.get(code)
    return (category, f"code-{code}") if category else None


def _doubted(reply: Reply, category: Category, rule_id: str) -> tuple[Category, str]:
    """Reasons not to believe that the recipient or the domain is gone."""
    temporary = reply.enhanced.startswith("4") or (not reply.enhanced and reply.code // 100 == 4)
    # Postfix with soft_bounce answers 450 4.1.1 "User unknown" until the sender gives up; Gmail has NXDOMAIN as 4.0.0.
    final_words = reply.enhanced == "4.1.1" or (category == C.BAD_DOMAIN and not reply.code)
    settled = reply.gave_up and final_words and not rule_id.startswith("enhanced")
    if reply.stage in _BEFORE_RECIPIENT:
        return C.SENDER_INVALID, f"{rule_id}/before-rcpt"
    if reply.stage == Stage.DATA and category == C.BAD_DOMAIN and reply.enhanced[2:] not in _ABOUT_RECIPIENT:
        return C.SENDER_INVALID, f"{rule_id}/after-rcpt"  # RCPT had passed: the domain meant is in the message
    if temporary and not settled:
        return C.TRANSIENT, f"{rule_id}/not-final"
    if _RECEIPT_RULE.fullmatch(reply.reporter):
        return C.FILTERED, f"{rule_id}/receipt-rule"
    return category, rule_id


# Amazon SES takes the mail in first; its "bounce" is an action in a receipt rule of the owner, who picks the code.
# https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-bounce.html
_RECEIPT_RULE = re.compile(r"inbound-smtp\.[a-z0-9-]+\.amazonaws\.com")


def _verdict(category: Category, rule_id: str) -> Verdict:
    return Verdict(category, CONSEQUENCES[category].kind, rule_id, RULES_VERSION)
