"""Every way that returned mail comes in can be started, and deletes nothing that is not in PostgreSQL."""

from __future__ import annotations

import io
import os
import signal
import smtplib
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from contacts.models import Contact, Suppression
from delivery.inbound.sources.listener import ListenerSettings, MailListener
from delivery.management.listening import BounceDomains, _record_all
from delivery.models import Event, IntakeState, Receipt
from delivery.services import intake
from delivery.services.receiving import process_receipts
from delivery.tracking.tokens import TokenMaker, mail_form
from tests.delivery.factories import make_brand
from tests.delivery.inbound.fakes import Mailbox, imap_server, pop3_server
from tests.delivery.inbound.mails import dsn
from tests.delivery.receipts import hook_account, sent_campaign

pytestmark = pytest.mark.django_db

ONE, TWO = b"Subject: one\r\n\r\n1\r\n", b"Subject: two\r\n\r\n2\r\n"


@pytest.fixture(autouse=True)
def _password(monkeypatch: Any) -> None:
    monkeypatch.setenv("INTAKE_PASSWORD", "secret")


def run(*args: str) -> str:
    """The command as an operator calls it; its signal handlers are gone afterwards."""
    out = io.StringIO()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        call_command("intake", *args, stdout=out)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return out.getvalue()


def imap(port: int, *more: str) -> str:
    return run("imap", "127.0.0.1", "--user", "bounces", "--port", str(port), "--plain", "--once", *more)


def pop3(port: int, *more: str) -> str:
    return run("pop3", "127.0.0.1", "--user", "bounces", "--port", str(port), "--plain", "--once", *more)


def bodies() -> list[bytes]:
    return [bytes(receipt.body).rstrip() + b"\r\n" for receipt in Receipt.objects.order_by("pk")]


def fails(*_: object, **__: object) -> bool:
    raise DatabaseError("the disk is full")


def test_imap_reads_each_mail_once_from_one_start_to_the_next() -> None:
    box = Mailbox({1: ONE, 2: TWO})
    with imap_server(box) as port:
        assert imap(port) == "2 mails recorded.\n"
        assert imap(port) == ""
        box.mails[3] = b"Subject: three\r\n\r\n3\r\n"
        assert imap(port) == "1 mails recorded.\n"
        state = IntakeState.objects.get()
        assert (state.source, state.state) == (f"imap://bounces@127.0.0.1:{port}/INBOX", {"validity": 7, "uid": 3})
    assert bodies()[:2] == [ONE, TWO]
    assert box.flags == {1: {r"\Seen"}, 2: {r"\Seen"}, 3: {r"\Seen"}}
    assert {receipt.headers["source"] for receipt in Receipt.objects.all()} == {"imap"}


def test_imap_deletes_what_is_recorded_and_nothing_else(monkeypatch: Any) -> None:
    box = Mailbox({1: ONE, 2: TWO})
    with imap_server(box) as port:
        with monkeypatch.context() as patch:
            patch.setattr(intake, "store_mail", fails)
            with pytest.raises(CommandError, match="the disk is full"):
                imap(port, "--after", "delete")
        assert (set(box.mails), bodies()) == ({1, 2}, [])
        imap(port, "--after", "delete")
    assert (box.mails, bodies()) == ({}, [ONE, TWO])


def test_pop3_deletes_what_is_recorded_and_nothing_else(monkeypatch: Any) -> None:
    box = Mailbox({1: ONE, 2: TWO})
    with pop3_server(box) as port:
        with monkeypatch.context() as patch:
            patch.setattr(intake, "store_mail", fails)
            with pytest.raises(CommandError, match="the disk is full"):
                pop3(port)
        assert (set(box.mails), bodies()) == ({1, 2}, [])
        assert pop3(port) == "2 mails recorded.\n"
    assert (box.mails, bodies()) == ({}, [ONE, TWO])


def test_pop3_may_leave_mail_on_the_server_and_reads_it_once() -> None:
    box = Mailbox({1: ONE, 2: TWO})
    with pop3_server(box) as port:
        assert [pop3(port, "--keep"), pop3(port, "--keep")] == ["2 mails recorded.\n", ""]
        del box.mails[1]
        pop3(port, "--keep")
        assert IntakeState.objects.get().state == {"uidls": ["uid-2"]}
    assert (set(box.mails), bodies()) == ({2}, [ONE, TWO])


def maildir(folder: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir()
    (folder / "new" / "1.a").write_bytes(ONE)
    (folder / "new" / "2.b").write_bytes(TWO)
    return folder


def test_a_maildir_is_read_and_marked_or_emptied(tmp_path: Path, monkeypatch: Any) -> None:
    folder = maildir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "store_mail", fails)
        with pytest.raises(CommandError, match="the disk is full"):
            run("maildir", str(folder), "--once", "--delete")
    assert sorted(path.name for path in folder.glob("*/*")) == ["1.a", "2.b"]
    assert run("maildir", str(folder), "--once") == "2 mails recorded.\n"
    assert sorted(path.name for path in folder.glob("cur/*")) == ["1.a:2,S", "2.b:2,S"]
    (folder / "new" / "3.c").write_bytes(b"Subject: three\n\n3")
    run("maildir", str(folder), "--once", "--delete")
    assert sorted(path.name for path in folder.glob("*/*")) == ["1.a:2,S", "2.b:2,S"]
    assert len(bodies()) == 3


def test_what_is_no_maildir_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is no maildir"):
        run("maildir", str(tmp_path), "--once")


def test_a_piped_mail_is_recorded_with_its_envelope(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(ONE)))
    run("pipe", "--sender", "a@b.example", "b+1@bounce.acme.example")
    receipt = Receipt.objects.get()
    assert receipt.headers == {"sender": "a@b.example", "recipients": ["b+1@bounce.acme.example"], "source": "pipe"}
    assert bytes(receipt.body) == ONE


def test_a_pipe_that_cannot_record_tells_the_mail_system_to_keep_the_mail(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(ONE)))
    monkeypatch.setattr(intake, "store_mail", fails)
    with pytest.raises(SystemExit) as ended:
        run("pipe", "x@y.example")
    assert ended.value.code == 75


def test_a_wrong_password_is_said_in_the_server_s_words(monkeypatch: Any) -> None:
    monkeypatch.setenv("INTAKE_PASSWORD", "wrong")
    with imap_server(Mailbox({})) as port, pytest.raises(CommandError, match="wrong password"):
        imap(port)
    with pop3_server(Mailbox({})) as port, pytest.raises(CommandError, match="wrong password"):
        pop3(port)
    monkeypatch.delenv("INTAKE_PASSWORD")
    with pytest.raises(CommandError, match="INTAKE_PASSWORD"):
        imap(1)


def test_imap_goes_on_after_idle_until_it_is_stopped() -> None:
    """A mail arrives while the server is asked by IDLE; then SIGTERM ends the command."""
    box = Mailbox({1: ONE}, idle_arrival=TWO)
    out = io.StringIO()

    class Watch(io.StringIO):
        def write(self, text: str) -> int:
            out.write(text)
            if out.getvalue().count("recorded") == 2 and "recorded" in text:
                os.kill(os.getpid(), signal.SIGTERM)
            return len(text)

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        with imap_server(box) as port:
            call_command("intake", "imap", "127.0.0.1", "--user", "b", "--port", str(port), "--plain", stdout=Watch())
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert out.getvalue().endswith("Stopped.\n")
    assert bodies()[:2] == [ONE, TWO]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lmtp", [False, True])
def test_a_bounce_by_smtp_and_lmtp_ends_mail_to_the_address(lmtp: bool) -> None:
    campaign = sent_campaign(hook_account("sendgrid"))
    contact = Contact.objects.get()
    to = f"b+{mail_form(TokenMaker(django_settings.SECRET_KEY).blocks(campaign.pk, [contact.pk])[0])}"
    domains = BounceDomains()
    domains.refresh()
    with MailListener(domains, ListenerSettings(lmtp=lmtp)) as listener:
        recorder = threading.Thread(target=_record_all, args=(listener,))
        recorder.start()
        client = (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", listener.port)
        assert client.sendmail("", [f"{to}@{make_brand().bounce_domain}"], dsn()) == {}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("", [f"{to}@elsewhere.example"], dsn())
        client.quit()
    recorder.join()
    process_receipts(now=timezone.now())
    assert Receipt.objects.get().headers["source"] == ("lmtp" if lmtp else "smtp")
    assert Event.objects.filter(campaign_id=campaign.pk).get().contact_id == contact.pk
    assert Suppression.objects.get().address_key == contact.address_key
