"""What each recipient site is known to accept: the rows that a new installation starts with and operators edit.

Figures are those that the KumoMTA project ships in its shaping files (docs.kumomta.com, read in November 2026); they
hold for one path, that is one account or source address to one site.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from delivery.site_tables import MX_SUFFIXES


class Tls(StrEnum):
    """What a connection to the site asks of TLS."""

    OPPORTUNISTIC = "opportunistic"  # where offered, without verification
    REQUIRED = "required"  # offered and verified, or no mail
    REQUIRED_UNVERIFIED = "required_unverified"  # offered, whatever the certificate


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits of one path to one site; None: not limited by the profile.

    `connections` at once, `connections_per_minute` new ones, `messages_per_connection` before it is closed,
    `messages_per_second`, `idle_s` seconds that an idle connection is kept; `messages_per_hour` and `messages_per_day`
    for operators who were given such a figure.
    """

    site: str
    connections: int = 10
    connections_per_minute: int | None = 100
    messages_per_connection: int = 100
    messages_per_second: float | None = 100
    tls: Tls = Tls.OPPORTUNISTIC
    idle_s: int = 60
    messages_per_hour: int | None = None
    messages_per_day: int | None = None

    @property
    def mx_suffixes(self) -> tuple[str, ...]:
        """The ends of exchangers' host names that belong to the site."""
        return tuple(suffix for suffix, site in MX_SUFFIXES.items() if site == self.site)


DEFAULT = Profile("")
"""For every site without a profile of its own."""

PROFILES: tuple[Profile, ...] = (
    DEFAULT,
    Profile("google", connections=5, messages_per_connection=50, tls=Tls.REQUIRED),
    Profile("yahoo", messages_per_connection=20),
    Profile("yahoo-japan", connections=2, messages_per_second=10, messages_per_connection=20),
    Profile("outlook", connections=5, messages_per_connection=50),
    Profile("office365", connections=5, messages_per_connection=50),
    Profile("apple", messages_per_connection=5),
    Profile("comcast", connections=25, messages_per_connection=1000, tls=Tls.REQUIRED, idle_s=30),
    Profile("mimecast"),
    Profile("barracuda", messages_per_connection=15),
    Profile("orange", connections=2, tls=Tls.REQUIRED),
    Profile("united-internet", connections=4, messages_per_connection=20, tls=Tls.REQUIRED),
    Profile("netvigator", connections=5, messages_per_connection=10),
    Profile("kpn", messages_per_connection=10),
    Profile("qq", connections=4, messages_per_connection=8, tls=Tls.REQUIRED),
    Profile("netease", connections=4, messages_per_connection=7, tls=Tls.REQUIRED_UNVERIFIED),
)
BY_SITE: dict[str, Profile] = {profile.site: profile for profile in PROFILES}
