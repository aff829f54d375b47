"""Intake by the SMTP and LMTP listener on real sockets."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from delivery.inbound.sources.arrival import Arrival, drain
from delivery.inbound.sources.listener import ListenerSettings, MailListener
from tests.delivery.inbound.mails import TOKEN, dsn

US = f"b+{TOKEN}@bounce.shop.example"
ALSO_US = f"u+{TOKEN}@bounce.shop.example"


def ours(address: str) -> bool:
    """The addresses that the installation knows."""
    return address.endswith("@bounce.shop.example")


@contextmanager
def listening(record: Callable[[Arrival], None], settings: ListenerSettings | None = None) -> Iterator[MailListener]:
    """A listener whose arrivals are recorded in a thread, as an intake process does."""

    def work(listener: MailListener) -> None:
        while True:
            try:
                drain(listener, record)
                return
            except RuntimeError:
                continue

    with MailListener(ours, settings or ListenerSettings()) as listener:
        thread = threading.Thread(target=work, args=(listener,))
        thread.start()
        yield listener
    thread.join()


def test_a_bounce_is_recorded_with_its_envelope_before_it_is_acknowledged() -> None:
    recorded = list[Arrival]()
    with listening(recorded.append) as listener, smtplib.SMTP("127.0.0.1", listener.port) as client:
        assert client.sendmail("", [US], dsn()) == {}
        assert [(arrival.mail_from, arrival.envelope_to) for arrival in recorded] == [("", (US,))]
    assert recorded[0].raw.rstrip() == dsn().rstrip()


def test_a_mail_that_is_not_recorded_stays_with_the_sender() -> None:
    tries = list[Arrival]()

    def record(arrival: Arrival) -> None:
        tries.append(arrival)
        if len(tries) == 1:
            raise RuntimeError("the database is down")

    with listening(record) as listener, smtplib.SMTP("127.0.0.1", listener.port) as client:
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.sendmail("", [US], dsn())
        assert refusal.value.smtp_code == 451
        assert client.sendmail("", [US], dsn()) == {}
    assert tries[0].digest == tries[1].digest


def test_a_mail_that_nobody_records_in_time_stays_with_the_sender() -> None:
    with (
        MailListener(ours, ListenerSettings(patience=0.05)) as listener,
        smtplib.SMTP("127.0.0.1", listener.port) as client,
        pytest.raises(smtplib.SMTPDataError) as refusal,
    ):
        client.sendmail("", [US], dsn())
    assert refusal.value.smtp_code == 451


def test_addresses_that_are_not_ours_are_refused() -> None:
    recorded = list[Arrival]()
    with (
        listening(recorded.append) as listener,
        smtplib.SMTP("127.0.0.1", listener.port) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refusal,
    ):
        client.sendmail("x@spam.example", ["victim@elsewhere.example"], b"Subject: relay me\r\n\r\n")
    assert refusal.value.recipients["victim@elsewhere.example"][0] == 550
    assert recorded == []


def test_long_lines_and_foreign_bytes_come_through() -> None:
    raw = b"Subject: x\r\n\r\n" + b"\xff" * 50_000 + b"\r\n..\r\n"
    recorded = list[Arrival]()
    with listening(recorded.append) as listener, smtplib.SMTP("127.0.0.1", listener.port) as client:
        client.sendmail("", [US], raw)
    assert recorded[0].raw == raw


def test_lmtp_answers_once_per_recipient() -> None:
    recorded = list[Arrival]()
    settings = ListenerSettings(lmtp=True)
    with listening(recorded.append, settings) as listener, smtplib.LMTP("127.0.0.1", listener.port) as client:
        assert client.ehlo()[0] == 250
        client.mail("")
        client.rcpt(US)
        client.rcpt(ALSO_US)
        assert client.data(dsn())[0] == 250
        assert client.getreply()[0] == 250
        assert client.noop()[0] == 250
    assert recorded[0].envelope_to == (US, ALSO_US)


def test_many_senders_at_once_lose_nothing() -> None:
    digests = set[str]()
    with listening(lambda arrival: digests.add(arrival.digest)) as listener:

        def send(number: int) -> None:
            with smtplib.SMTP("127.0.0.1", listener.port) as client:
                for step in range(5):
                    client.sendmail("", [US], f"Subject: {number} {step}\r\n\r\n".encode())

        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(digests) == 40


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with MailListener(ours) as first, pytest.raises(OSError, match="address already in use"):
        MailListener(ours, ListenerSettings(port=first.port)).__enter__()
