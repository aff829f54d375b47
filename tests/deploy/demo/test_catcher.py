"""The catcher: what its page says, and that its servers' handlers can be read by aiosmtpd on every Python."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from delivery.inbound.sources.listener import MailListener
from deploy.demo.catcher.agenda import Agenda
from deploy.demo.catcher.mailbox import Mailbox
from deploy.demo.catcher.pages import FIGURES, Pages
from deploy.demo.catcher.receiver import Receiver
from deploy.demo.catcher.record import Record
from deploy.embedded.process import free_ports

ROOT = Path(__file__).resolve().parent.parent.parent.parent
LETTER = b"From: a@shop.example\r\nTo: ada@example.com\r\nSubject: Tulips\r\n\r\nHello\r\n"


def make_pages(mailbox: Mailbox | None = None, record: Record | None = None) -> Pages:
    record = record or Record()
    return Pages(mailbox or Mailbox(), record, Agenda(record, origin="http://127.0.0.1:1", intake_port=1))


def test_handlers_of_aiosmtpd_have_no_slots() -> None:
    # inspect.getmembers(), which aiosmtpd calls, fails on them before Python 3.11.3 (gh-102069).
    for handler in (Receiver, MailListener):
        assert not hasattr(handler, "__slots__"), handler


def test_the_page_says_that_it_is_simulated_and_counts_in_words() -> None:
    record = Record()
    record.note_accepted("ada@example.com")
    record.note_act("one_click", "ada@example.com")
    mailbox = Mailbox()
    at = datetime(2026, 1, 1, 9, 30, 5, tzinfo=UTC)
    mailbox.keep(LETTER, sender="b@shop.example", recipient="ada@example.com", subject="Tulips & more", at=at)
    status, content_type, body, _ = make_pages(mailbox, record).answer("/")
    page = body.decode()
    assert (status, content_type) == (200, "text/html; charset=utf-8")
    for words in (
        "Simulated.",
        "Unsubscribed with one click",
        "Tulips &amp; more",
        "ada@example.com",
        "Still to happen",
    ):
        assert words in page
    assert "one_click" not in page


def test_every_act_of_a_reader_has_a_name_on_the_page() -> None:
    record = Record()
    for kind in (
        "open",
        "machine_open",
        "click",
        "machine_click",
        "honeypot",
        "one_click",
        "page",
        "mailto",
        "dsn",
        "arf",
    ):
        record.note_act(kind, "ada@example.com")
    assert set(record.figures()) == set(FIGURES)


def test_a_search_that_finds_nothing_says_so_and_is_escaped() -> None:
    body = make_pages().answer("/?q=%3Cscript%3E")[2].decode()
    assert "No kept mail matches “&lt;script&gt;”." in body


def test_a_mail_that_is_not_kept_any_more_is_404() -> None:
    assert make_pages().answer("/mail/7")[0] == 404


def test_it_takes_mail_over_a_socket_and_shows_when_in_utc() -> None:
    smtp, web, intake = (next(iter(free_ports(None, first))) for first in (21000, 21500, 22000))
    options = ("--smtp-port", str(smtp), "--web-port", str(web), "--intake-port", str(intake))
    command = [sys.executable, "-m", "deploy.demo.catcher", *options, "--origin", "http://127.0.0.1:1"]
    with subprocess.Popen(command, cwd=ROOT) as catcher:
        try:
            before = datetime.now(UTC)
            with connect(smtp) as session:
                session.sendmail("b@shop.example", ["ada@example.com"], LETTER)
            page = wait_for(f"http://127.0.0.1:{web}/", "Tulips")
            seconds = range(int(before.timestamp()), int(datetime.now(UTC).timestamp()) + 1)
            assert any(f"{datetime.fromtimestamp(second, UTC):%H:%M:%S}" in page for second in seconds)
        finally:
            catcher.terminate()


def connect(port: int) -> smtplib.SMTP:
    until = time.monotonic() + 30
    while True:
        try:
            return smtplib.SMTP("127.0.0.1", port, timeout=10)
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.1)


def wait_for(url: str, words: str) -> str:
    until = time.monotonic() + 30
    while True:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            page = str(answer.read().decode())
        if words in page:
            return page
        assert time.monotonic() < until
        time.sleep(0.1)
