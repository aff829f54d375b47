"""`manage.py intake`: takes returned mail in by SMTP, LMTP, IMAP, POP3, from a maildir or from a pipe.

A mail is acknowledged, marked or deleted only when it is in PostgreSQL; the same mail twice is one.
"""

from __future__ import annotations

import imaplib
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from delivery.inbound.sources.imap import ImapAccount, ImapSource, UidCursor
from delivery.inbound.sources.pipe import EX_TEMPFAIL
from delivery.inbound.sources.pop3 import Pop3Account, Pop3Error
from delivery.management.listening import listen
from delivery.services import intake

log = structlog.get_logger()

# What a mailbox or the database may say without ending the intake: it is tried again.
PASSING = (imaplib.IMAP4.error, Pop3Error, OSError, DatabaseError)
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0
# Servers may end an IDLE after 30 minutes (RFC 2177), routers forget silent connections much sooner.
IDLE_SECONDS = 240.0


class Stopped(BaseException):
    """SIGTERM or SIGINT came: what is not recorded stays where it is."""


class Command(BaseCommand):
    """Without a word: listens by SMTP. Runs until SIGTERM or SIGINT."""

    help = "Take in bounces, complaints and unsubscribes that come back by mail."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where mail comes from."""
        _listener_arguments(parser)
        ways = parser.add_subparsers(dest="way", title="ways", metavar="{imap,pop3,maildir,pipe}")
        _mailbox_arguments(ways.add_parser("imap", help="Read a folder of an IMAP server, told of new mail by IDLE."))
        _pop3_arguments(ways.add_parser("pop3", help="Read a POP3 mailbox every minute."))
        _maildir_arguments(ways.add_parser("maildir", help="Read a maildir that a mail server delivers to."))
        _pipe_arguments(ways.add_parser("pipe", help="Read one mail from standard input, as an alias calls it."))

    def handle(self, *_args: Any, **options: Any) -> None:
        """Take mail in."""
        way: Callable[[dict[str, Any]], None] = {
            None: self._listen, "imap": self._imap, "pop3": self._pop3, "maildir": self._maildir, "pipe": self._pipe,
        }[options.get("way")]  # fmt: skip
        way(options)

    def _listen(self, options: dict[str, Any]) -> None:
        listen(options["host"], options["port"], lmtp=options["lmtp"], say=self.stdout.write)

    def _imap(self, options: dict[str, Any]) -> None:
        account = ImapAccount(
            options["server"], options["user"], _password(), options["port"], not options["plain"], options["folder"]
        )
        name = f"imap://{account.user}@{account.host}:{account.port}/{account.folder}"[:400]
        state = intake.state_of(name)
        cursor = UidCursor(int(str(state.get("validity", 0))), int(str(state.get("uid", 0))))
        source = ImapSource(account, cursor, options["after"])
        wait = None if options["once"] else lambda: source.wait(IDLE_SECONDS)
        try:
            self._repeat(lambda: intake.take_imap(source, name), wait)
        finally:
            source.close()

    def _pop3(self, options: dict[str, Any]) -> None:
        account = Pop3Account(options["server"], options["user"], _password(), options["port"], not options["plain"])
        name = f"pop3://{account.user}@{account.host}:{account.port}"[:400]
        self._polled(lambda: intake.take_pop3(account, name, delete=not options["keep"]), options)

    def _maildir(self, options: dict[str, Any]) -> None:
        folder = Path(options["folder"])
        if not all((folder / part).is_dir() for part in ("new", "cur")):
            raise CommandError(f"{folder} is no maildir: it has no folders new and cur.")
        self._polled(lambda: intake.take_maildir(folder, delete=options["delete"]), options)

    def _pipe(self, options: dict[str, Any]) -> None:
        try:
            intake.take_pipe(sys.stdin.buffer, sender=options["sender"], recipients=tuple(options["recipients"]))
        except (DatabaseError, OSError) as problem:
            self.stderr.write(f"Not recorded, try again later: {problem}")
            sys.exit(EX_TEMPFAIL)

    def _polled(self, take: Callable[[], int], options: dict[str, Any]) -> None:
        pause = threading.Event()
        self._repeat(take, None if options["once"] else lambda: pause.wait(options["every"]))

    def _repeat(self, take: Callable[[], int], wait: Callable[[], object] | None) -> None:
        """Pass after pass; without `wait` one. What passes is logged and tried again, later and later."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        pause = FIRST_WAIT
        try:
            while True:
                try:
                    n_taken = take()
                    pause = FIRST_WAIT
                    if n_taken:
                        self.stdout.write(f"{n_taken} mails recorded.")
                    if wait is None:
                        return
                    wait()
                except PASSING as problem:
                    if wait is None:
                        raise CommandError(f"{type(problem).__name__}: {problem}") from problem
                    log.error("intake failed", problem=str(problem), again_in_seconds=pause)
                    threading.Event().wait(pause)
                    pause = min(pause * 2, LONGEST_WAIT)
        except Stopped:
            self.stdout.write("Stopped.")


def _stop(*_: object) -> None:
    raise Stopped


def _password() -> str:
    password = os.environ.get("INTAKE_PASSWORD", "")
    if not password:
        raise CommandError("Put the mailbox's password into the environment variable INTAKE_PASSWORD.")
    return password


def _listener_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
    parser.add_argument("--port", type=int, default=2526, help="Port to listen on.")
    parser.add_argument("--lmtp", action="store_true", help="Speak LMTP, as a mail server's transport wants it.")


def _server_arguments(parser: ArgumentParser, port: int) -> None:
    parser.add_argument("server", help="Host name of the server.")
    parser.add_argument("--user", required=True, help="The password is taken from INTAKE_PASSWORD.")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--plain", action="store_true", help="Without TLS: only for a server on this machine.")
    parser.add_argument("--once", action="store_true", help="One pass, then end.")


def _mailbox_arguments(parser: ArgumentParser) -> None:
    _server_arguments(parser, 993)
    parser.add_argument("--folder", default="INBOX")
    parser.add_argument(
        "--after", choices=("keep", "seen", "delete"), default="seen", help="What recorded mail becomes."
    )


def _pop3_arguments(parser: ArgumentParser) -> None:
    _server_arguments(parser, 995)
    parser.add_argument("--keep", action="store_true", help="Leave recorded mail on the server.")
    parser.add_argument("--every", type=float, default=60.0, help="Seconds between sessions.")


def _maildir_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", help="The maildir, with new and cur in it.")
    parser.add_argument("--delete", action="store_true", help="Delete recorded mail instead of marking it as seen.")
    parser.add_argument("--every", type=float, default=10.0, help="Seconds between passes.")
    parser.add_argument("--once", action="store_true", help="One pass, then end.")


def _pipe_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("recipients", nargs="*", help="Whom the mail came for, such as ${recipient} in Postfix.")
    parser.add_argument("--sender", default="", help="Its envelope sender.")
