"""Carries out the readers' acts when their time comes: HTTP to the demo's pages, SMTP to its intake."""

from __future__ import annotations

import heapq
import http.client
import itertools
import smtplib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

from deploy.demo.catcher.letter import Letter
from deploy.demo.catcher.readers import Act
from deploy.demo.catcher.record import Record
from deploy.demo.catcher.returns import complaints_address, make_complaint, make_dsn, make_unsubscribe

N_HANDS = 6
MAX_TRIES = 5
RETRY_SECONDS = 2.0
HOST = "127.0.0.1"


class Agenda:
    """Acts waiting for their time. Threads are daemons: what is not done when the catcher ends is not done."""

    def __init__(self, record: Record, *, origin: str, intake_port: int) -> None:
        self._record = record
        self._web_port = urlsplit(origin).port or 80
        self._origin = origin
        self._intake_port = intake_port
        self._waiting: list[tuple[float, int, int, Act, Letter]] = []
        self._number = itertools.count()
        self._changed = threading.Condition()
        self._n_running = 0
        self._hands = ThreadPoolExecutor(N_HANDS, "reader")
        threading.Thread(target=self._run, name="agenda", daemon=True).start()

    @property
    def n_waiting(self) -> int:
        """Acts that are not done yet."""
        with self._changed:
            return len(self._waiting) + self._n_running

    def add(self, letter: Letter, acts: list[Act]) -> None:
        """The acts will be carried out, counted from now."""
        now = time.monotonic()
        for act in acts:
            self._push(now + act.after_s, 1, act, letter)

    def _push(self, due: float, n_tries: int, act: Act, letter: Letter) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (due, next(self._number), n_tries, act, letter))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or (left := self._waiting[0][0] - time.monotonic()) > 0:
                    self._changed.wait(left if self._waiting else None)
                _, _, n_tries, act, letter = heapq.heappop(self._waiting)
                self._n_running += 1
            self._hands.submit(self._carry_out, n_tries, act, letter)

    def _carry_out(self, n_tries: int, act: Act, letter: Letter) -> None:
        try:
            self._act(act, letter)
            self._record.note_act(act.kind, letter.recipient)
        except (OSError, http.client.HTTPException, smtplib.SMTPException) as problem:
            if n_tries < MAX_TRIES:
                self._push(time.monotonic() + RETRY_SECONDS, n_tries + 1, act, letter)
            else:
                self._record.note_failure(f"{act.kind} of {letter.recipient}: {problem}")
        finally:
            with self._changed:
                self._n_running -= 1

    def _act(self, act: Act, letter: Letter) -> None:
        ident = f"{next(self._number)}.{time.time_ns():x}"
        now = datetime.now(UTC)
        match act.kind:
            case "dsn":
                self._mail("", letter.return_path, make_dsn(letter, act.target, ident=ident, at=now))
            case "arf":
                self._mail(
                    "fbl@receiver.example", complaints_address(letter), make_complaint(letter, ident=ident, at=now)
                )
            case "mailto":
                to = letter.mailto.partition("?")[0]
                self._mail(letter.recipient, to, make_unsubscribe(letter, ident=ident, at=now))
            case "one_click":
                self._ask("POST", act, b"List-Unsubscribe=One-Click")
            case "page":
                self._ask("GET", act)
                self._ask("POST", act, b"reason=too+many")
            case _:
                self._ask("GET", act)

    def _ask(self, method: str, act: Act, body: bytes | None = None) -> None:
        """One request to the demo's pages; a redirect is not followed: it leads out of this machine."""
        headers = {"User-Agent": act.agent} if act.agent else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(HOST, self._web_port, timeout=20)
        try:
            connection.request(method, act.target.removeprefix(self._origin), body, headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        # The honeypot's page is a 404 by design.
        if answer.status >= 400 and act.kind != "honeypot":
            raise http.client.HTTPException(f"{method} {act.kind}: {answer.status}")

    def _mail(self, sender: str, recipient: str, raw: bytes) -> None:
        with smtplib.SMTP(HOST, self._intake_port, timeout=20) as client:
            options = ["SMTPUTF8", "BODY=8BITMIME"] if not raw.isascii() or not sender.isascii() else []
            client.sendmail(sender, [recipient], raw, mail_options=options)
