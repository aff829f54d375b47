"""Whole messages as bytes: everything that readers share is encoded once, the rest is filled in and joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from hashlib import blake2s
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from liquid.exceptions import LiquidError

from campaigns.content.preview import render
from campaigns.content.problems import RenderError
from campaigns.content.source import Content
from delivery.rendering.addresses import Addresses, ReaderSlots, Tracking
from delivery.rendering.encoded_values import EncodedValues
from delivery.rendering.frame import MAIL_HOLE, Frame, frame_of
from delivery.rendering.functions import Fixed
from delivery.rendering.headers import EncodedTexts, Mailboxes, ascii_domain, clean, needs_smtputf8, wire_address
from delivery.rendering.plain import address_header, plain_message
from delivery.rendering.program import html_part, plain_part, text_part
from delivery.rendering.quoted_printable import decoded
from delivery.rendering.runtime import check_size
from delivery.shared_start import SharedStart

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["Identity", "MessageBuilder", "Parts", "Recipient", "Signer", "needs_smtputf8"]

MANY_PIECES = 5_000  # of a 50 KB message there are about 250; measuring them all would take 8 µs


@dataclass(frozen=True)
class Identity:
    """Who sends: what the headers say, and where clicks, opens and bounces come back.

    `tracking_origin` is an origin such as https://go.example.com; `feedback_id` has no value of a single reader in it.
    """

    from_name: str
    from_email: str
    reply_to: str
    sending_domain: str
    bounce_domain: str
    list_id: str
    list_name: str
    feedback_id: str
    tracking_origin: str
    unsubscribe_mailbox_domain: str
    track_opens: bool
    track_clicks: bool


class Recipient(NamedTuple):
    """For whom: `token` is the message's token for URLs (22 characters), `mail_token` for mail (32 hex digits).

    `context` holds what templates see of the reader, plain dicts, lists, texts and numbers: `{"contact": {…}}`.
    """

    address: str
    name: str
    token: str
    mail_token: str
    context: dict[str, Any]


class Parts(NamedTuple):
    """One reader's copy as texts. `headers` are those that need no encoding: List-Unsubscribe, Feedback-ID and such."""

    from_name: str
    from_email: str
    reply_to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]


class Signer(Protocol):
    """Signs a message with DKIM."""

    def sign(self, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, hashed: _Hash | None = None) -> bytes:
        """The DKIM-Signature header, for headers (name, value as on the wire) and a body with CRLF line ends.

        `hashed` is a SHA-256 that has taken the beginning of the body already; `body` is then the rest.
        """


class MessageBuilder:
    """Makes the messages of one content; built once per campaign and worker, then used for every reader.

    `constants` are what all readers share in the merge context (`brand`, `campaign`, and `now`, the aware time that
    "now" stands for); they are folded into the static text. `link_secret` (at most 32 bytes) signs dynamic links.
    Raises LiquidError when the content does not parse.
    """

    def __init__(
        self,
        content: Content,
        identity: Identity,
        *,
        constants: Mapping[str, Any],
        link_secret: bytes,
        campaign_id: int,
        signer: Signer | None = None,
    ) -> None:
        tracking = Tracking(
            identity.tracking_origin, link_secret, campaign_id, identity.track_opens, identity.track_clicks
        )
        self._content = content
        self._identity = identity
        self._constants = dict(constants)
        self._addresses = Addresses(tracking, content.links)
        self._signer = signer
        self._bounce_domain = ascii_domain(identity.bounce_domain).encode()
        self._shared = SharedStart()
        self._frame = _frame(identity, self._addresses, content)
        self._mailboxes = Mailboxes()
        self._subjects = EncodedTexts(column=len("Subject: "))
        fixed = Fixed(self._addresses, self._constants)
        self._subject = text_part(content.subject, fixed)
        values = EncodedValues()
        self._text = plain_part(content.text, fixed, values)
        self._html = html_part(content.html, fixed, values)

    def sign_with(self, signer: Signer | None) -> None:
        """Messages built from now on are signed by `signer`, or not at all."""
        self._signer = signer

    @property
    def from_domain(self) -> str:
        """The domain of the From address, as A-labels."""
        return ascii_domain(self._identity.from_email.rpartition("@")[2])

    @property
    def bounce_domain(self) -> bytes:
        """The domain of the return path `b+{mail_token}@…`."""
        return self._bounce_domain

    @staticmethod
    def wire_address(address: str) -> bytes:
        """An address as RCPT TO wants it: UTF-8, the domain in A-labels."""
        return wire_address(address).encode()

    def build(self, recipient: Recipient, *, date_header: bytes) -> bytes:
        """The whole message: CRLF line ends, no line that begins with a dot, CRLF at the end.

        `date_header` is the value of Date (RFC 5322 section 3.3). Raises RenderError when this reader's copy cannot be
        made: a limit was reached.
        """
        subject, text, html = self._pieces(recipient)
        holes = {
            b"to": self._mailboxes.encoded(recipient.name, recipient.address),
            b"subject": self._subjects[subject],
            b"date": date_header,
            b"token": recipient.token.encode(),
            b"mail_token": recipient.mail_token.encode(),
        }
        frame = self._frame
        pieces = [frame.headers % holes, frame.text, *text, frame.html, *html, frame.end]
        if len(pieces) > MANY_PIECES:
            check_size(pieces)
        message = b"".join(pieces)
        return message if self._signer is None else self._signature(self._signer, holes, pieces[1:]) + message

    def _pieces(self, recipient: Recipient) -> tuple[str, list[bytes], list[bytes]]:
        """The subject, and the pieces of the text and of the HTML."""
        context, text_token = recipient.context, recipient.token
        token = text_token.encode()
        subject: list[str] = []
        text: list[bytes] = []
        html: list[bytes] = []
        try:
            self._subject(subject, context, token, text_token)
            # HTML before text: what it encodes without an escape serves the text part as well.
            self._html(html, context, token, text_token)
            self._text(text, context, token, text_token)
        except LiquidError as error:
            raise RenderError(str(error.message)) from error
        return "".join(subject), text, html

    def _signature(self, signer: Signer, holes: dict[bytes, bytes], body: list[bytes]) -> bytes:
        hashed, n_pieces = self._shared.start_of(body)
        fields, rest = self._frame.fields(holes), b"".join(body[n_pieces:])
        return signer.sign(fields, rest, hashed=hashed).removesuffix(b"\r\n") + b"\r\n"

    def build_parts(self, recipient: Recipient) -> Parts:
        """The same copy for a provider that makes the message itself: texts with LF as line ends.

        Decoding what the compiled functions encode takes some 0.1 ms, python-liquid and the email package 5 ms.
        """
        subject, text, html = self._pieces(recipient)
        slots = ReaderSlots(self._addresses, recipient.token)
        return Parts(
            from_name=clean(self._identity.from_name),
            from_email=wire_address(self._identity.from_email),
            reply_to=wire_address(self._identity.reply_to) if self._identity.reply_to else "",
            subject=clean(subject),
            text=decoded(b"".join(text)),
            html=decoded(b"".join(html)),
            headers=_shared_headers(self._identity, slots.unsubscribe, recipient.mail_token),
        )

    def build_plain(self, recipient: Recipient, *, date_header: str) -> EmailMessage:
        """The same message by python-liquid and the email package, unsigned: some 200 times slower, for comparisons."""
        addresses, token = self._addresses, recipient.token
        slots = ReaderSlots(addresses, token)
        urls = {"unsubscribe_url": slots.unsubscribe, "preferences_url": slots.preferences}
        rendered = render(self._content, {**recipient.context, **self._constants, **urls}, slots)
        headers = {
            "From": address_header(self._identity.from_name, self._identity.from_email),
            "To": address_header(recipient.name, recipient.address),
            "Subject": clean(rendered.subject),
            "Date": date_header,
            **_shared_headers(self._identity, slots.unsubscribe, recipient.mail_token),
        }
        return plain_message(headers, rendered, boundary=_boundary(self._content))


def _shared_headers(identity: Identity, unsubscribe: str, mail_token: str) -> dict[str, str]:
    """Headers whose text needs no encoding, for a token and a mail token or for the holes of both."""
    ways = f"<{unsubscribe}>"
    if identity.unsubscribe_mailbox_domain:
        ways += f", <mailto:u+{mail_token}@{ascii_domain(identity.unsubscribe_mailbox_domain)}>"
    headers = {
        "Message-ID": f"<{mail_token}@{ascii_domain(identity.sending_domain)}>",
        "Reply-To": wire_address(identity.reply_to) if identity.reply_to else "",
        "List-Unsubscribe": ways,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-ID": _list_id(identity),
        "Feedback-ID": clean(identity.feedback_id),
        "MIME-Version": "1.0",
    }
    return {name: value for name, value in headers.items() if value}


def _list_id(identity: Identity) -> str:
    """RFC 2919: a phrase, then the identifier. The name is left out where it would need encoding."""
    phrase = clean(identity.list_name).replace("\\", "").replace('"', "'")
    name = f'"{phrase}" ' if phrase and phrase.isascii() else ""
    return f"{name}<{ascii_domain(identity.list_id)}>"


def _frame(identity: Identity, addresses: Addresses, content: Content) -> Frame:
    headers = _shared_headers(identity, addresses.unsubscribe, MAIL_HOLE)
    return frame_of(identity.from_name, identity.from_email, headers, _boundary(content))


def _boundary(content: Content) -> str:
    """Cannot occur in a part: in quoted-printable an "=" is followed by two hex digits or a line break."""
    digest = blake2s(content.html.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return f"=_{digest}"
