"""Measures parser and rules against a folder of real mails with an expected.json, and prints what went wrong."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from .classify import classify_report
from .parse import parse_reports
from .report import ParseProblem, Report, ReportKind
from .taxonomy import CONSEQUENCES, Category, suppresses

C = Category
KINDS = ("hard", "soft_or_block", "complaint", "auto_reply", "delivered", "unsubscribe", "none")
_NO_BOUNCE = {
    C.AUTO_REPLY: "auto_reply",
    C.DELIVERED: "delivered",
    C.UNSUBSCRIBED: "unsubscribe",
}
# The corpus writes x.0.9nn where the mail states no code: nn numbers the reason and is no RFC 3463 detail. There the
# right answer is a category that covers that reason.
_COVERS: dict[str, frozenset[Category]] = {
    "userunknown": frozenset({C.INVALID_RECIPIENT}),
    "hasmoved": frozenset({C.INVALID_RECIPIENT}),
    "hostunknown": frozenset({C.BAD_DOMAIN}),
    "notaccept": frozenset({C.BAD_DOMAIN}),
    "filtered": frozenset({C.FILTERED, C.POLICY}),
    "suspend": frozenset({C.INACTIVE_MAILBOX}),
    "mailboxfull": frozenset({C.QUOTA}),
    "mesgtoobig": frozenset({C.TOO_LARGE}),
    "exceedlimit": frozenset({C.TOO_LARGE}),
    "expired": frozenset({C.EXPIRED, C.TRANSIENT}),
    "networkerror": frozenset({C.TRANSIENT, C.REMOTE_ERROR}),
    "systemerror": frozenset({C.REMOTE_ERROR, C.TRANSIENT}),
    "systemfull": frozenset({C.REMOTE_ERROR, C.TRANSIENT, C.QUOTA}),
    "mailererror": frozenset({C.REMOTE_ERROR}),
    "spamdetected": frozenset({C.SPAM_CONTENT, C.SPAM_BLOCK}),
    "virusdetected": frozenset({C.SPAM_CONTENT}),
    "blocked": frozenset({C.SPAM_BLOCK, C.RATE_LIMIT, C.POLICY, C.AUTH_FAILED}),
    "badreputation": frozenset({C.SPAM_BLOCK}),
    "requireptr": frozenset({C.AUTH_FAILED}),
    "authfailure": frozenset({C.AUTH_FAILED}),
    "rejected": frozenset({C.SENDER_INVALID, C.POLICY, C.FILTERED, C.SPAM_BLOCK}),
    "policyviolation": frozenset({C.POLICY, C.SPAM_CONTENT, C.BAD_CONTENT}),
    "securityerror": frozenset({C.POLICY, C.RELAY_DENIED}),
    "norelaying": frozenset({C.RELAY_DENIED}),
    "contenterror": frozenset({C.BAD_CONTENT}),
    "notcompliantrfc": frozenset({C.BAD_CONTENT}),
    "speeding": frozenset({C.RATE_LIMIT}),
    "toomanyconn": frozenset({C.CONNECTION_LIMIT, C.RATE_LIMIT}),
    "undefined": frozenset({C.UNCLASSIFIED}),
    "onhold": frozenset({C.UNCLASSIFIED}),
    "syntaxerror": frozenset({C.PROTOCOL_ERROR}),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One recipient's outcome, as expected or as found."""

    kind: str
    status: str
    reason: str
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Miss:
    """A mail that came out wrong in `what`: "kind", "status" or "suppression"."""

    file: str
    what: str
    expected: list[str]
    found: list[str]


@dataclass(frozen=True, slots=True)
class Score:
    """Shares are of 1. `kind_accuracy`: mails whose recipients all have the right kind. `status_accuracy`: recipients
    with the right enhanced status, of those where one is expected; `stated_status_accuracy` leaves out those where
    the expected status is not in the mail (x.0.9nn). `confusion`: expected kind -> found kind -> recipients.
    """

    files: int
    kind_accuracy: float
    status_accuracy: float
    stated_status_accuracy: float
    wrong_suppressions: int
    confusion: dict[str, dict[str, int]]
    misses: list[Miss]

    def as_json(self) -> dict[str, object]:
        """For `bench bounces --json`."""
        return asdict(self)


def score_corpus(folder: Path, only: frozenset[str] | None = None) -> Score:
    """Scores all mails of `folder` named in its expected.json, or `only` some. Raises OSError and ValueError."""
    expectations: dict[str, list[dict[str, str]]] = json.loads((folder / "expected.json").read_text("utf-8"))
    tally = _Tally()
    for name, entries in sorted(expectations.items()):
        if only is None or name in only:
            expected = [Seen(entry["kind"], entry.get("status", ""), entry.get("reason", "")) for entry in entries]
            mails = split_mbox((folder / name).read_bytes())
            tally.add(name, expected, [seen for mail in mails for seen in outcomes(mail)])
    return tally.score()


def outcomes(raw: bytes) -> list[Seen]:
    """What parser and rules make of one mail."""
    reports = parse_reports(raw)
    if isinstance(reports, ParseProblem):
        return []
    found = []
    for report in reports:
        category = classify_report(report).category
        found.append(Seen(_kind(report, category), report.enhanced, category, suppresses(category)))
    return found


def _kind(report: Report, category: Category) -> str:
    if report.kind in (ReportKind.COMPLAINT, ReportKind.UNKNOWN):
        return "complaint" if report.kind == ReportKind.COMPLAINT else "none"
    return _NO_BOUNCE.get(category) or ("hard" if CONSEQUENCES[category].kind == "hard" else "soft_or_block")


_MBOX_LINE = re.compile(
    rb"\n\r?\n(?=From \S+ {1,2}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) )"
)


def split_mbox(raw: bytes) -> list[bytes]:
    """The mails of a file that may be an mbox (RFC 4155): a "From " line right below a header field starts no mail."""
    mails, start = [], 0
    for line in _MBOX_LINE.finditer(raw):
        above = raw[: line.start()].rstrip().rpartition(b"\n")[2]
        if not re.match(rb"[\w-]+:|[ \t]", above):
            mails.append(raw[start : line.end()])
            start = line.end()
    return [*mails, raw[start:]]


def render_table(score: Score) -> str:
    """The score as text: shares, the confusion table, the misses."""
    lines = [
        f"files {score.files}   kind {score.kind_accuracy:.1%}   status {score.status_accuracy:.1%}"
        f"   of those stated in the mail {score.stated_status_accuracy:.1%}"
        f"   wrong suppressions {score.wrong_suppressions}",
        "",
        "expected \\ found".ljust(18) + "".join(kind.rjust(14) for kind in KINDS),
    ]
    lines += [
        expected.ljust(18) + "".join(str(row.get(kind, 0)).rjust(14) for kind in KINDS)
        for expected, row in sorted(score.confusion.items())
    ]
    lines += ["", *(f"{miss.file}: {miss.what}: expected {miss.expected}, found {miss.found}" for miss in score.misses)]
    return "\n".join(lines)


class _Tally:
    def __init__(self) -> None:
        self.n_files = self.n_right_files = self.wrong_suppressions = 0
        self.statuses: Counter[tuple[bool, bool]] = Counter()  # (stated, right)
        self.confusion: dict[str, Counter[str]] = {}
        self.misses: list[Miss] = []

    def add(self, name: str, expected: list[Seen], found: list[Seen]) -> None:
        pairs = _paired(expected, found)
        self.n_files += 1
        for wanted, got in pairs:
            self.confusion.setdefault(wanted.kind, Counter())[got.kind] += 1
        if all(wanted.kind == got.kind for wanted, got in pairs):
            self.n_right_files += 1
        else:
            self._miss(name, "kind", pairs, "kind")
        self._statuses(name, pairs)
        wrong = sum(got.suppressed and wanted.kind not in ("hard", "complaint") for wanted, got in pairs)
        if wrong:
            self.wrong_suppressions += wrong
            self._miss(name, "suppression", pairs, "kind")

    def score(self) -> Score:
        right = self.statuses[True, True] + self.statuses[False, True]
        return Score(
            files=self.n_files,
            kind_accuracy=_share(self.n_right_files, self.n_files),
            status_accuracy=_share(right, self.statuses.total()),
            stated_status_accuracy=_share(
                self.statuses[True, True], self.statuses[True, True] + self.statuses[True, False]
            ),
            wrong_suppressions=self.wrong_suppressions,
            confusion={kind: dict(row) for kind, row in self.confusion.items()},
            misses=self.misses,
        )

    def _statuses(self, name: str, pairs: list[tuple[Seen, Seen]]) -> None:
        wrong = False
        for wanted, got in pairs:
            if wanted.status:
                stated = not _is_private(wanted.status)
                right = wanted.status == got.status if stated else got.reason in _COVERS.get(wanted.reason, ())
                self.statuses[stated, right] += 1
                wrong |= not right
        if wrong:
            self._miss(name, "status", pairs, "status")

    def _miss(self, name: str, what: str, pairs: list[tuple[Seen, Seen]], shown: str) -> None:
        expected = [f"{getattr(wanted, shown)} {wanted.reason}".strip() for wanted, _ in pairs]
        found = [f"{getattr(got, shown)} {got.reason}".strip() for _, got in pairs]
        self.misses.append(Miss(name, what, expected, found))


def _paired(expected: list[Seen], found: list[Seen]) -> list[tuple[Seen, Seen]]:
    """Expected and found side by side: equal kind and status first, then equal kind, then in order; gaps are "none"."""
    rest, pairs = list(found), []
    open_ends: list[Seen] = []
    for wanted in expected:
        best = next((got for got in rest if (got.kind, got.status) == (wanted.kind, wanted.status)), None)
        best = best or next((got for got in rest if got.kind == wanted.kind), None)
        if best is None:
            open_ends.append(wanted)
        else:
            rest.remove(best)
            pairs.append((wanted, best))
    nothing = Seen("none", "", "")
    n_open = max(len(open_ends), len(rest))
    open_ends += [nothing] * (n_open - len(open_ends))
    rest += [nothing] * (n_open - len(rest))
    return pairs + list(zip(open_ends, rest, strict=True))


def _is_private(status: str) -> bool:
    subject, _, detail = status[2:].partition(".")
    return subject == "0" and detail.isdigit() and int(detail) >= 900


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
