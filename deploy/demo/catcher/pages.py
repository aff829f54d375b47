"""The catcher's web page: recent mail with search, each mail as HTML (in a sandbox), text, headers and source."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from django.template import Context, Engine

from deploy.demo.catcher.agenda import Agenda
from deploy.demo.catcher.letter import body_of, parse
from deploy.demo.catcher.mailbox import Mail, Mailbox
from deploy.demo.catcher.record import Record

TEMPLATES = Path(__file__).resolve().parent.parent.parent.parent / "templates"
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
# No script, no form, nothing loaded: remote pictures would count as opens.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
FIGURES = {
    "accepted": "Accepted",
    "deferred": "Told to come again",
    "refused": "Refused",
    "dsn": "Returned with a report",
    "open": "Opened",
    "click": "Clicked",
    "machine_open": "Opened by a privacy proxy",
    "machine_click": "Links checked by a scanner",
    "honeypot": "Scanner at the hidden link",
    "one_click": "Unsubscribed with one click",
    "page": "Unsubscribed on the page",
    "mailto": "Unsubscribed by mail",
    "arf": "Complained",
}
HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(TEMPLATES)], autoescape=True)


class Pages:
    """Answers by path: (status, content type, body, content security policy)."""

    def __init__(self, mailbox: Mailbox, record: Record, agenda: Agenda) -> None:
        self._mailbox = mailbox
        self._record = record
        self._agenda = agenda

    def answer(self, target: str) -> tuple[int, str, bytes, str]:
        """The answer to GET `target`."""
        url = urlsplit(target)
        fixed: dict[str, Callable[[], tuple[str, bytes]]] = {
            "/style.css": lambda: ("text/css; charset=utf-8", _style()),
            "/record.json": lambda: ("application/json", self._record_json()),
            "/": lambda: (HTML, self._list(parse_qs(url.query).get("q", [""])[0])),
        }
        if url.path in fixed:
            return 200, *fixed[url.path](), PAGE_POLICY
        _, _, number, view = (*url.path.split("/"), "", "", "")[:4]
        mail = self._mailbox.find(int(number)) if number.isdecimal() and url.path.startswith("/mail/") else None
        if mail is None:
            return 404, HTML, _render("missing.html", {}), PAGE_POLICY
        return self._mail(mail, view)

    def _mail(self, mail: Mail, view: str) -> tuple[int, str, bytes, str]:
        message = parse(mail.raw)
        match view:
            case "html":
                return 200, HTML, body_of(message, "html").encode(), MAIL_POLICY
            case "raw":
                return 200, PLAIN, mail.raw, MAIL_POLICY
        parts = {
            "mail": mail,
            "headers": [(name, str(value)) for name, value in message.items()],
            "text": body_of(message, "plain"),
        }
        return 200, HTML, _render("mail.html", parts), PAGE_POLICY

    def _list(self, words: str) -> bytes:
        figures = self._record.figures()
        parts = {
            "mails": self._mailbox.search(words),
            "words": words,
            "n_kept": self._mailbox.n_kept,
            "figures": [(title, figures[name]) for name, title in FIGURES.items() if name in figures],
            "n_waiting": self._agenda.n_waiting,
        }
        return _render("mails.html", parts)

    def _record_json(self) -> bytes:
        return json.dumps(self._record.as_json() | {"n_waiting": self._agenda.n_waiting}).encode()


def serve_pages(port: int, mailbox: Mailbox, record: Record, agenda: Agenda) -> ThreadingHTTPServer:
    """Serves on 127.0.0.1:`port` in a thread of its own."""
    pages = Pages(mailbox, record, agenda)

    class Handler(BaseHTTPRequestHandler):
        """GET only; the catcher changes nothing on request."""

        def do_GET(self) -> None:
            """Answer with security headers."""
            status, content_type, body, policy = pages.answer(self.path)
            self.send_response(status)
            headers = {
                "Content-Type": content_type,
                "Content-Length": str(len(body)),
                "Content-Security-Policy": policy,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The log is for trouble."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, name="pages", daemon=True).start()
    return server


def _render(name: str, parts: dict[str, object]) -> bytes:
    return _engine().get_template(f"demo/{name}").render(Context(parts)).encode()


@cache
def _style() -> bytes:
    own = ("static/fanfare/tokens.css", "demo/catcher.css")
    return b"\n".join((TEMPLATES / name).read_bytes() for name in own)
