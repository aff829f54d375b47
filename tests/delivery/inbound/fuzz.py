"""Mutates real and built mails and checks what must hold for every input; `python -m tests.delivery.inbound.fuzz 180`.

Inputs that raise, break a promise or take over a second of CPU are written to tests/corpus/fuzz/, which the test suite
replays, and so are the smallest inputs that came out in a way that no real mail does. The run ends with how many
inputs were tried and the slowest of them.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from delivery.inbound.classify import classify_report
from delivery.inbound.match import match_report
from delivery.inbound.parse import parse_reports
from delivery.inbound.report import ParseProblem
from delivery.tracking.tokens import TokenMaker
from tests.delivery.inbound.mails import arf, dsn, prose

CORPUS = Path(__file__).parents[2] / "corpus"
SEEDS = CORPUS / "fuzz"
SLOW_SECONDS = 1.0
MAX_ODD, N_ODD = 4_000, 40
_MAKER = TokenMaker("a secret of the fuzzer")
_PIECES = (
    b"\n\n", b"\r", b"\x00", b"\xff\xfe", b"=?utf-8?B?", b"?=", b"--", b"<", b">", b"@", b"(", b"550 5.1.1 ",
    b"rfc822;",
    b"Final-Recipient: rfc822; a@b.example\n", b"Action: failed\n", b"Content-Type: multipart/report; boundary=x\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Type: message/rfc822\n", b">>> RCPT To:<a@b.example>\n",
    b"<<< 550 no\n", b'{"notificationType":"Bounce","bounce":{"bouncedRecipients":[', b"5.1.1", b"user ", b"host ",
    b"From x@y.example  Thu Apr 29 23:34:45 2021\n", b"X-Failed-Recipients: ", b"[" * 50, b"a." * 50, b" \t" * 50,
)  # fmt: skip


def check(raw: bytes) -> str:
    """What holds for any mail: a problem or at least one report, each of bounded size, classified and matched.

    Returns how it came out: detectors, kinds and rules.
    """
    reports = parse_reports(raw)
    if isinstance(reports, ParseProblem):
        assert reports.reason in ("empty", "no_headers")
        return reports.reason
    assert reports
    outcomes = set()
    for report in reports:
        assert len(report.diagnostic) <= 2_000
        assert len(report.notice) <= 4_000
        assert len(report.recipient) <= 330
        assert report.reply_code == 0 or 200 <= report.reply_code <= 599
        assert re.fullmatch(r"|[245]\.\d{1,3}\.\d{1,3}", report.enhanced)
        assert re.fullmatch(r"|[0-9a-f]{32}", report.verp_token)
        match_report(report, _MAKER.read)
        outcomes.add(f"{report.detector} {report.kind} {report.stage} {classify_report(report).rule_id}")
    return "; ".join(sorted(outcomes))


def base_mails() -> list[bytes]:
    """What mutation starts from."""
    real = [path.read_bytes() for path in sorted((CORPUS / "bounces").glob("*.eml"))]
    return [*real, dsn(), arf(), prose("Could not deliver to <a@b.example>: 550 5.1.1 no such user")]


def mutated(mails: list[bytes], chance: random.Random) -> bytes:
    """A mail with one to eight changes, most of them near the top, where the structure is."""
    data = bytearray(chance.choice(mails))
    for _ in range(chance.randint(1, 8)):
        chance.choice(_CHANGES)(data, mails, chance)
    return bytes(data[:400_000])


def _at(data: bytearray, chance: random.Random) -> int:
    return min(int(chance.paretovariate(0.5) * 20), len(data))


def _insert(data: bytearray, _mails: list[bytes], chance: random.Random) -> None:
    at = _at(data, chance)
    data[at:at] = chance.choice(_PIECES) * chance.choice((1, 1, 1, 20, 3_000))


def _delete(data: bytearray, _mails: list[bytes], chance: random.Random) -> None:
    at = _at(data, chance)
    del data[at : at + chance.choice((1, 10, 100, 1_000))]


def _flip(data: bytearray, _mails: list[bytes], chance: random.Random) -> None:
    for _ in range(min(len(data), 30)):
        data[chance.randrange(len(data))] = chance.randrange(256)


def _repeat(data: bytearray, _mails: list[bytes], chance: random.Random) -> None:
    at = _at(data, chance)
    data[at:at] = bytes(data[at : at + chance.choice((1, 10, 200))]) * chance.choice((2, 50, 1_000))


def _splice(data: bytearray, mails: list[bytes], chance: random.Random) -> None:
    other = chance.choice(mails)
    at, start = _at(data, chance), chance.randrange(len(other))
    data[at:at] = other[start : start + chance.choice((50, 500, 5_000))]


_CHANGES: tuple[Callable[[bytearray, list[bytes], random.Random], None], ...] = (
    _insert, _delete, _flip, _repeat, _splice,
)  # fmt: skip


def run(seconds: float, seed: int) -> str:
    """Tries inputs for so long, keeps what is worth it, and says how it went."""
    mails, chance = base_mails(), random.Random(seed)
    known = {check(raw) for raw in mails}
    odd: dict[str, bytes] = {}
    n_tried = n_bad = 0
    slowest = 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        raw = mutated(mails, chance)
        outcome, took = _tried(raw)
        n_tried, slowest = n_tried + 1, max(slowest, took)
        if outcome is None or took > SLOW_SECONDS:
            n_bad += 1
            keep(raw)
        elif outcome not in known and len(raw) < len(odd.get(outcome, b"x" * MAX_ODD)):
            odd[outcome] = raw
    for raw in sorted(odd.values(), key=len)[:N_ODD]:
        keep(raw)
    return f"{n_tried} inputs, {n_bad} bad, {len(odd)} outcomes that no real mail has, slowest {slowest:.3f} s of CPU\n"


def keep(raw: bytes) -> None:
    """Writes a seed; the same input is the same file."""
    (SEEDS / f"{hashlib.sha256(raw).hexdigest()[:12]}.eml").write_bytes(raw)


def _tried(raw: bytes) -> tuple[str | None, float]:
    """How an input came out (None: it raised) and the CPU seconds it took."""
    began = time.process_time()
    try:
        outcome: str | None = check(raw)
    except Exception as error:  # noqa: BLE001 - the point of the run is to find any
        sys.stdout.write(f"{type(error).__name__}: {error}\n"[:300])
        outcome = None
    return outcome, time.process_time() - began


if __name__ == "__main__":
    SEEDS.mkdir(exist_ok=True)
    sys.stdout.write(run(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
