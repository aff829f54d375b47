"""The receiving SMTP server (aiosmtpd): answers as each recipient's fate says and hands letters to their readers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.demo.catcher.agenda import Agenda
from deploy.demo.catcher.fate import Fate, Pace, fate_of
from deploy.demo.catcher.letter import read_letter
from deploy.demo.catcher.mailbox import Mailbox
from deploy.demo.catcher.readers import acts_of
from deploy.demo.catcher.record import Record

MAX_SIZE = 20 * 1024 * 1024


@dataclass(frozen=True)  # no slots: aiosmtpd reads every attribute, which Python before 3.11.3 cannot (gh-102069)
class Receiver:
    """aiosmtpd's hooks. `later` runs a function elsewhere: connections must not wait 2 ms for a reader."""

    record: Record
    mailbox: Mailbox
    agenda: Agenda
    pace: Pace
    origin: str
    later: Callable[..., Any]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """The answer to RCPT TO."""
        fate = fate_of(address, self.pace)
        if fate.kind == "refused":
            self.record.note_refused(address)
            return fate.reply
        if fate.kind == "greylisted" and not self.record.is_known(address):
            self.record.note_deferred(address)
            return fate.reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The answer to the final dot."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        sender = (envelope.mail_from or "").strip("<>")
        for address in envelope.rcpt_tos:
            fate = fate_of(address, self.pace)
            if fate.kind == "refused_content":
                self.record.note_refused(address)
                return fate.reply
            self.record.note_accepted(address)
            self.later(self._read, raw, sender, address, fate)
        return "250 2.0.0 OK: kept by the demo's catcher"

    def _read(self, raw: bytes, sender: str, address: str, fate: Fate) -> None:
        letter = read_letter(raw, recipient=address, return_path=sender, origin=self.origin)
        self.mailbox.keep(raw, sender=sender, recipient=address, subject=letter.subject, at=datetime.now(UTC))
        self.agenda.add(letter, acts_of(letter, fate, self.pace))


async def start_receiver(receiver: Receiver, port: int) -> asyncio.Server:
    """Listens on 127.0.0.1:`port` from now on."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd logs every address at INFO
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(receiver, data_size_limit=MAX_SIZE, enable_SMTPUTF8=True, ident="catcher", loop=loop),
        "127.0.0.1",
        port,
    )
