"""What goes wrong with a connection rather than with a message, in words an operator can act on.

SmtpError            carries a Trouble
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TroubleKind(StrEnum):
    """Where it went wrong, which is also who can mend it."""

    DNS = "dns"  # the host name does not resolve
    CONNECT = "connect"  # refused, unreachable, timed out, or the source address is not ours
    GREETING = "greeting"  # the banner or EHLO was refused: blocked address, too many connections
    TLS = "tls"  # not offered, certificate not trusted, handshake failed
    AUTH = "auth"  # login rejected, not offered, or demanded and not configured
    CLOSED = "closed"  # 421 or a hang-up in mid-session
    TIMEOUT = "timeout"  # no reply in time
    RECALLED = "recalled"  # ours: the message it waits for was taken back
    PROTOCOL = "protocol"  # a reply that is not SMTP, or not an answer to what was asked


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failure of a connection.

    `text`: the server's own words where it spoke, else ours. `code`: its reply code, or 0. `retry_in`: seconds
    until the pool tries a new connection, 0 when it does so at once.
    """

    kind: TroubleKind
    text: str
    code: int = 0
    retry_in: float = 0.0

    def __str__(self) -> str:
        return f"{self.code} {self.text}" if self.code else self.text

    @property
    def is_permanent(self) -> bool:
        """Whether the server said 5yz, so that asking again soon is useless and may lock the account."""
        return self.code >= 500


class SmtpError(Exception):
    """A connection cannot be made or cannot go on."""

    def __init__(self, kind: TroubleKind, text: str, code: int = 0) -> None:
        self.trouble = Trouble(kind, text, code)
        super().__init__(str(self.trouble))
