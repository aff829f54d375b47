"""Intake from a maildir."""

from __future__ import annotations

from pathlib import Path

import pytest

from delivery.inbound.sources import maildir
from delivery.inbound.sources.arrival import Arrival, drain
from delivery.inbound.sources.maildir import MaildirSource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A maildir with one fresh, one read and one half-handled mail."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "100.a.host").write_bytes(b"Subject: fresh\n\n")
    (tmp_path / "cur" / "090.b.host:2,S").write_bytes(b"Subject: read\n\n")
    (tmp_path / "cur" / "095.c.host:2,F").write_bytes(b"Subject: flagged\n\n")
    (tmp_path / "tmp" / "110.d.host").write_bytes(b"Subject: not ready\n\n")
    return tmp_path


def names(folder: Path) -> list[str]:
    """The files in new/ and cur/."""
    return sorted(str(path.relative_to(folder)) for part in ("new", "cur") for path in (folder / part).iterdir())


def test_unseen_mails_are_taken_and_marked_as_seen(folder: Path) -> None:
    recorded = list[Arrival]()
    assert drain(MaildirSource(folder), recorded.append) == 2
    assert [arrival.raw for arrival in recorded] == [b"Subject: fresh\n\n", b"Subject: flagged\n\n"]
    assert names(folder) == ["cur/090.b.host:2,S", "cur/095.c.host:2,FS", "cur/100.a.host:2,S"]
    assert drain(MaildirSource(folder), recorded.append) == 0


def test_recorded_mails_can_be_removed(folder: Path) -> None:
    drain(MaildirSource(folder, delete=True), lambda _arrival: None)
    assert names(folder) == ["cur/090.b.host:2,S"]


def test_what_is_not_recorded_stays_where_it_is(folder: Path) -> None:
    before = names(folder)

    def record(_arrival: Arrival) -> None:
        assert names(folder) == before
        raise RuntimeError("the database is down")

    with pytest.raises(RuntimeError, match="database"):
        drain(MaildirSource(folder, delete=True), record)
    assert names(folder) == before


def test_a_mail_that_another_reader_took_is_skipped(folder: Path) -> None:
    source = iter(MaildirSource(folder))
    next(source)
    (folder / "cur" / "095.c.host:2,F").unlink()
    assert list(source) == []


def test_a_mail_that_vanishes_while_it_is_recorded_does_no_harm(folder: Path) -> None:
    for _arrival, receipt in MaildirSource(folder):
        for path in (folder / "new").iterdir():
            path.unlink()
        receipt.done()
    assert "new/100.a.host" not in names(folder)


def test_a_mail_over_the_cap_is_recorded_in_part_and_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maildir, "MAX_RAW", 10)
    recorded = list[Arrival]()
    drain(MaildirSource(folder, delete=True), recorded.append)
    assert [(arrival.raw, arrival.truncated) for arrival in recorded] == [(b"Subject: f", True)] * 2
    assert names(folder) == ["cur/090.b.host:2,S", "cur/095.c.host:2,FS", "cur/100.a.host:2,S"]
