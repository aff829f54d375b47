"""Small IMAP and POP3 servers that speak the documented protocols on real sockets and remember what was asked.

The mailbox is shared by all connections of one server; `sever_after` breaks a connection after that many commands.
"""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """Mails by UID, their flags, and every command line that came in."""

    mails: dict[int, bytes]
    validity: int = 7
    capabilities: str = "IMAP4rev1 IDLE UIDPLUS"
    flags: dict[int, set[str]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    sever_after: int = 0
    idle_arrival: bytes = b""


class _LineHandler(socketserver.StreamRequestHandler):
    """One connection: greeting, then a command per line until one of them ends it."""

    box: Mailbox
    greeting: bytes

    def handle(self) -> None:
        self.wfile.write(self.greeting)
        while line := self.rfile.readline():
            self.box.commands.append(line.decode().strip())
            if len(self.box.commands) == self.box.sever_after or not self.answer(line.decode().strip()):
                return

    def say(self, *lines: bytes) -> None:
        """Sends lines with CRLF."""
        self.wfile.write(b"".join(line + b"\r\n" for line in lines))

    def answer(self, line: str) -> bool:
        """Answers a command; False ends the connection."""
        raise NotImplementedError


class _Pop3(_LineHandler):
    """RFC 1939: authorization, transaction, and deletions that only QUIT carries out."""

    greeting = b"+OK ready\r\n"

    def setup(self) -> None:
        super().setup()
        self.numbered = dict(enumerate(sorted(self.box.mails), start=1))
        self.marked: set[int] = set()

    def answer(self, line: str) -> bool:
        verb, _, argument = line.partition(" ")
        getattr(self, f"on_{verb.lower()}", self.on_unknown)(argument)
        return verb != "QUIT"

    def on_user(self, _name: str) -> None:
        self.say(b"+OK")

    def on_pass(self, password: str) -> None:
        self.say(b"+OK" if password == "secret" else b"-ERR [AUTH] wrong password")

    def on_uidl(self, _argument: str) -> None:
        self.say(b"+OK", *(f"{number} uid-{uid}".encode() for number, uid in self.numbered.items()), b".")

    def on_retr(self, number: str) -> None:
        lines = self.box.mails[self.numbered[int(number)]].split(b"\r\n")
        self.say(b"+OK", *(b"." + line if line.startswith(b".") else line for line in lines), b".")

    def on_dele(self, number: str) -> None:
        self.marked.add(self.numbered[int(number)])
        self.say(b"+OK")

    def on_quit(self, _argument: str) -> None:
        for uid in self.marked:
            del self.box.mails[uid]
        self.say(b"+OK bye")

    def on_unknown(self, _argument: str) -> None:
        self.say(b"-ERR unknown command")


class _Imap(_LineHandler):
    """RFC 3501 with IDLE (RFC 2177) and UIDPLUS (RFC 4315), as far as an intake uses them."""

    greeting = b"* OK ready\r\n"

    def answer(self, line: str) -> bool:
        tag, _, rest = line.partition(" ")
        verb, _, argument = rest.partition(" ")
        if verb == "UID":
            verb, _, argument = argument.partition(" ")
        answer = getattr(self, f"on_{verb.lower()}", self.on_unknown)(argument)
        self.say(f"{tag} {answer} {verb.lower()} done".encode())
        return verb != "LOGOUT"

    def on_capability(self, _argument: str) -> str:
        self.say(f"* CAPABILITY {self.box.capabilities}".encode())
        return "OK"

    def on_login(self, argument: str) -> str:
        return "OK" if argument.endswith('"secret"') else "NO [AUTHENTICATIONFAILED] wrong password"

    def on_select(self, _folder: str) -> str:
        self.say(f"* {len(self.box.mails)} EXISTS".encode(), f"* OK [UIDVALIDITY {self.box.validity}] ok".encode())
        return "OK [READ-WRITE]"

    def on_search(self, argument: str) -> str:
        first = int(re.findall(r"UID (\d+):\*", argument)[0])
        last = max(self.box.mails, default=0)
        found = sorted(uid for uid in self.box.mails if uid >= first or uid == last)
        self.say(("* SEARCH " + " ".join(map(str, found))).rstrip().encode())
        return "OK"

    def on_fetch(self, argument: str) -> str:
        uid = int(argument.partition(" ")[0])
        if uid in self.box.mails:
            raw = self.box.mails[uid]
            limit = int(re.findall(r"<0\.(\d+)>", argument)[0])
            head = f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw[:limit])}}}".encode()
            self.wfile.write(head + b"\r\n" + raw[:limit] + b")\r\n")
        return "OK"

    def on_store(self, argument: str) -> str:
        uid, _, what = argument.partition(" ")
        self.box.flags.setdefault(int(uid), set()).update(re.findall(r"\\\w+", what))
        return "OK"

    def on_expunge(self, argument: str) -> str:
        del self.box.mails[int(argument)]
        return "OK"

    def on_idle(self, _argument: str) -> str:
        self.say(b"+ idling")
        if self.box.idle_arrival:
            self.box.mails[max(self.box.mails, default=0) + 1] = self.box.idle_arrival
            self.say(f"* {len(self.box.mails)} EXISTS".encode())
        return "OK" if self.rfile.readline().strip() == b"DONE" else "BAD"

    def on_unknown(self, _argument: str) -> str:
        return "BAD unknown command"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def _serving(kind: type[_LineHandler], box: Mailbox) -> Iterator[int]:
    handler = type("Handler", (kind,), {"box": box})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def pop3_server(box: Mailbox) -> AbstractContextManager[int]:
    """Serves a mailbox by POP3; the value is the port. The password is "secret"."""
    return _serving(_Pop3, box)


def imap_server(box: Mailbox) -> AbstractContextManager[int]:
    """Serves a mailbox by IMAP; the value is the port. The password is "secret"."""
    return _serving(_Imap, box)
