"""Measuring parser and rules against a folder of real mails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from delivery.inbound.score import Miss, Score, render_table, score_corpus, split_mbox
from tests.delivery.inbound.mails import arf, dsn, prose

CORPUS = Path(__file__).parents[2] / "corpus" / "bounces"
HARD = {"kind": "hard", "reason": "userunknown", "status": "5.1.1", "reply_code": "550"}
SOFT = {"kind": "soft_or_block", "reason": "mailboxfull", "status": "5.2.2", "reply_code": "552"}


def scored(folder: Path, mails: dict[str, bytes], expected: dict[str, list[dict[str, str]]]) -> Score:
    """The score of a corpus written for one test."""
    for name, raw in mails.items():
        (folder / name).write_bytes(raw)
    (folder / "expected.json").write_text(json.dumps(expected), "utf-8")
    return score_corpus(folder)


def test_what_is_right_scores_one_and_misses_nothing(tmp_path: Path) -> None:
    complaint = {"kind": "complaint", "reason": "feedback", "status": "", "reply_code": ""}
    score = scored(tmp_path, {"a": dsn(), "b": arf()}, {"a": [HARD], "b": [complaint]})
    assert (score.files, score.kind_accuracy, score.status_accuracy, score.wrong_suppressions) == (2, 1.0, 1.0, 0)
    assert score.misses == []
    assert score.confusion == {"hard": {"hard": 1}, "complaint": {"complaint": 1}}


def test_a_hard_verdict_on_a_soft_bounce_is_a_wrong_suppression(tmp_path: Path) -> None:
    score = scored(tmp_path, {"a": dsn(), "b": dsn()}, {"a": [SOFT], "b": [HARD]})
    assert (score.kind_accuracy, score.status_accuracy, score.wrong_suppressions) == (0.5, 0.5, 1)
    assert [miss.what for miss in score.misses] == ["kind", "status", "suppression"]
    assert score.misses[0] == Miss("a", "kind", ["soft_or_block mailboxfull"], ["hard invalid_recipient"])


def test_missing_and_surplus_recipients_are_misses(tmp_path: Path) -> None:
    score = scored(tmp_path, {"a": dsn(), "b": dsn()}, {"a": [HARD, HARD], "b": []})
    assert score.kind_accuracy == 0.0
    assert score.confusion == {"hard": {"hard": 1, "none": 1}, "none": {"hard": 1}}


def test_a_private_status_is_right_when_the_category_covers_its_reason(tmp_path: Path) -> None:
    full = {"kind": "soft_or_block", "reason": "mailboxfull", "status": "5.0.922", "reply_code": ""}
    spam = full | {"reason": "spamdetected", "status": "5.0.980"}
    mail = prose("Could not deliver to <a@b.example>:\nmailbox is full")
    score = scored(tmp_path, {"a": mail, "b": mail}, {"a": [full], "b": [spam]})
    assert (score.status_accuracy, score.stated_status_accuracy) == (0.5, 1.0)


def test_a_file_may_hold_several_mails() -> None:
    one, two = b"From: a@b.example\n\nx\n\n", b"From x@y.example  Thu Apr 29 23:34:45 2021\nFrom: c@d.example\n\ny\n"
    assert split_mbox(one + two) == [one, two]
    inside = b"Content-Type: message/rfc822\n\nFrom x@y.example  Thu Apr 29 23:34:45 2021\nSubject: z\n"
    assert split_mbox(inside) == [inside]


def test_the_score_is_shown_as_a_table_and_as_json(tmp_path: Path) -> None:
    score = scored(tmp_path, {"a": dsn()}, {"a": [SOFT]})
    table = render_table(score)
    assert table.startswith("files 1   kind 0.0%   status 0.0%")
    assert "a: kind: expected ['soft_or_block mailboxfull'], found ['hard invalid_recipient']" in table
    keys = json.loads(json.dumps(score.as_json())).keys()
    assert {"files", "kind_accuracy", "status_accuracy", "wrong_suppressions", "misses"} <= keys


def test_a_folder_without_expectations_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"expected\.json"):
        score_corpus(tmp_path)


def test_the_real_mails_reach_their_bars() -> None:
    score = score_corpus(CORPUS)
    assert score.files == 180
    assert score.kind_accuracy >= 0.97
    assert score.status_accuracy >= 0.97
    assert score.wrong_suppressions == 0
