"""What readers do with the mail that the SMTP server took: open, click, leave, with real requests."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable

from delivery.tracking.rules import RULES
from deploy.demo.catcher.letter import Letter, read_letter
from tests.delivery.smtp.scripted import ScriptedServer

PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
SCANNER = "Mozilla/5.0 (compatible; Barracuda Sentinel)"
LOOKING_SECONDS = next(float(rule.value) for rule in RULES if rule.key == "too-soon") + 0.5


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: shops of examples do not exist."""

    def redirect_request(self, *_: object) -> None:
        """Stay."""


def letters_of(sink: ScriptedServer, site: str, to: Iterable[str] | None = None) -> dict[str, Letter]:
    """Recipient to letter; the newest if several came."""
    letters = {
        message.recipient.decode(): read_letter(
            message.data, recipient=message.recipient.decode(), return_path=message.sender.decode(), origin=site
        )
        for message in sink.received
    }
    return letters if to is None else {address: letters[address] for address in to}


def visit(url: str, agent: str = PERSON) -> int:
    """GET like a mail program; the status, of redirects too."""
    return _status(urllib.request.Request(url, headers={"User-Agent": agent}))  # noqa: S310


def leave_with_one_click(letter: Letter) -> int:
    """What a mailbox provider posts when its user presses Unsubscribe (RFC 8058)."""
    return _status(urllib.request.Request(letter.one_click, data=b"List-Unsubscribe=One-Click", method="POST"))  # noqa: S310


def _status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code
