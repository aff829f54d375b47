"""Intake of one mail from a pipe, and what arrivals promise."""

from __future__ import annotations

import hashlib
import io

import pytest

from delivery.inbound.sources import pipe
from delivery.inbound.sources.arrival import Arrival, drain
from delivery.inbound.sources.pipe import PipeSource


def test_a_piped_mail_comes_with_its_envelope() -> None:
    recorded = list[Arrival]()
    source = PipeSource(io.BytesIO(b"Subject: x\n\ny"), "a@b.example", ("c@d.example",))
    assert drain(source, recorded.append) == 1
    assert recorded == [Arrival(b"Subject: x\n\ny", "a@b.example", ("c@d.example",))]


def test_an_empty_pipe_brings_nothing() -> None:
    assert drain(PipeSource(io.BytesIO(b"\n")), lambda _arrival: None) == 0


def test_a_mail_over_the_cap_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "MAX_RAW", 4)
    recorded = list[Arrival]()
    drain(PipeSource(io.BytesIO(b"12345")), recorded.append)
    assert recorded == [Arrival(b"1234", truncated=True)]


def test_the_same_mail_has_the_same_digest_whatever_its_envelope() -> None:
    first, second = Arrival(b"x", "a@b.example"), Arrival(b"x", "c@d.example")
    assert first.digest == second.digest == hashlib.sha256(b"x").hexdigest()
