"""What a connection to one SMTP server needs to know: address, security, login, limits and time-outs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Tls(StrEnum):
    """How a connection is encrypted: not at all, by STARTTLS (RFC 3207), or from the first byte (RFC 8314)."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class Auth(StrEnum):
    """The SASL mechanism to log in with; AUTO takes the best that the server announces."""

    AUTO = "auto"
    PLAIN = "plain"
    LOGIN = "login"
    CRAM_MD5 = "cram-md5"
    XOAUTH2 = "xoauth2"


class Chunking(StrEnum):
    """When to use BDAT (RFC 3030) instead of DATA where the server announces CHUNKING.

    AUTO: only without PIPELINING, where it saves one of four round trips. With PIPELINING the 354 comes in the same
    flight as the answer to the message before, so both cost one round trip per message, and BDAT costs a search for
    stuffed dots: 50 us of CPU for a message of 49 KB instead of 25 us (uvloop, 10 connections). In no case is the
    chunk sent before RCPT was answered, so a refused recipient's message stays here.
    """

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each reply. Defaults: RFC 5321 section 4.5.3.2 where it names them.

    `dot` stays at ten minutes: a shorter one makes duplicates (RFC 1047). `block` is for a body of which the server
    takes nothing more. `idle` is how long an unused connection is kept before QUIT; RFC 5321 section 4.5.3.2.7
    lets servers hang up after five minutes. `redial` is the wait after a first failure to connect; it doubles.
    """

    connect: float = 60.0
    greeting: float = 300.0
    hello: float = 300.0
    tls: float = 60.0
    auth: float = 300.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    dot: float = 600.0
    quit: float = 5.0
    idle: float = 60.0
    redial: float = 0.5

    @property
    def shortest(self) -> float:
        """The shortest wait that a connection watches for."""
        return min(self.mail, self.rcpt, self.data, self.block, self.dot, self.quit, self.idle)


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """One SMTP account as seen by the client.

    `verify=False` accepts any certificate; `ca_file` replaces the system's trust store. `source_address` is the
    local IP address to bind, if any. `password` is the access token when `auth` is XOAUTH2.
    `max_messages_per_connection` counts messages begun, refused ones too, since servers count these; 0 = no limit.
    """

    host: str
    port: int = 25
    tls: Tls = Tls.NONE
    verify: bool = True
    ca_file: str | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    auth: Auth = Auth.AUTO
    source_address: str | None = None
    helo_name: str = "localhost"
    max_messages_per_connection: int = 0
    pipelining: bool = True
    chunking: Chunking = Chunking.AUTO
    timeouts: Timeouts = field(default_factory=Timeouts)
