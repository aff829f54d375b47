"""From a provider account to the transport that carries its envelopes."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from redis import Redis

from delivery.limits.connections import Lease, Slot, lease_connection, release_leases, renew_leases
from delivery.limits.errors import LimitsUnavailable
from delivery.limits.values import Limit
from delivery.models import ProviderAccount
from delivery.sending.channel import Channel
from delivery.smtp.config import Auth, SmtpConfig, Tls
from delivery.smtp.pool import Pool

if TYPE_CHECKING:
    from delivery.providers.contract import Provider

# Without Redis nobody knows how many connections there are: none is opened (fail closed), and it is asked again soon.
UNAVAILABLE_SECONDS = 1.0


def fingerprint(account: ProviderAccount) -> str:
    """Changes when the account's connections have to be made anew."""
    parts = [account.kind, account.options, account.secrets, account.max_connections, account.messages_per_connection]
    return hashlib.sha256(json.dumps([*parts, account.connections_per_minute], sort_keys=True).encode()).hexdigest()


def smtp_config(account: ProviderAccount) -> SmtpConfig:
    """The SMTP client's settings of an account; options hold no secrets."""
    options: dict[str, Any] = account.options
    secrets: dict[str, Any] = account.secrets or {}
    return SmtpConfig(
        host=options["host"],
        port=int(options.get("port", 587)),
        tls=Tls(options.get("tls", "starttls")),
        verify=bool(options.get("verify", True)),
        username=secrets.get("username", ""),
        password=secrets.get("password", ""),
        auth=Auth(options.get("auth", "auto")),
        source_address=options.get("source_address") or None,
        helo_name=options.get("helo_name") or "localhost",
        max_messages_per_connection=account.messages_per_connection,
    )


class ConnectionPlaces:
    """The places that this process's connections hold among all workers'; who dies loses them after 30 s."""

    def __init__(self, redis: Redis, account: ProviderAccount) -> None:
        opening = account.connections_per_minute
        limit = Limit(opening, 60, burst=max(1.0, opening / 60)) if opening else None
        self._redis = redis
        self._slots = [Slot(f"account:{account.pk}", account.max_connections, limit)]
        self._held: list[Lease] = []

    def may_connect(self) -> float:
        """0.0 and one more place is held, or the seconds to wait."""
        try:
            answer = lease_connection(self._redis, self._slots)
        except LimitsUnavailable:
            return UNAVAILABLE_SECONDS
        if isinstance(answer, Lease):
            self._held.append(answer)
            return 0.0
        return answer.wait_s

    def renew(self, n_connections: int) -> None:
        """As many places are held as there are connections."""
        with contextlib.suppress(LimitsUnavailable):  # places that are not renewed come free by themselves
            self._renew(n_connections)

    def _renew(self, n_connections: int) -> None:
        surplus = len(self._held) - n_connections
        if surplus > 0:
            release_leases(self._redis, self._held[:surplus])
            self._held = self._held[surplus:]
        lost = renew_leases(self._redis, self._held)
        self._held = [lease for lease in self._held if lease not in lost]


def connect(channel: Channel, account: ProviderAccount, redis: Redis) -> None:
    """The channel has its transport afterwards; connections are dialed when there is work."""
    if account.kind == "smtp":
        _connect_smtp(channel, account, redis)
    else:
        _connect_api(channel, account)


def _connect_smtp(channel: Channel, account: ProviderAccount, redis: Redis) -> None:
    places = ConnectionPlaces(redis, account)
    pool = Pool(
        smtp_config(account),
        feed=channel.feed,
        settle=channel.settle,
        on_trouble=lambda trouble: channel.trouble(str(trouble)),
        may_connect=places.may_connect,
    )
    pool.open(account.max_connections)
    channel.transport = pool
    channel.renew_places = lambda: places.renew(pool.n_connections)


def _connect_api(channel: Channel, account: ProviderAccount) -> None:
    # Workers that speak SMTP alone go without the HTTP client and the providers' modules (16 MB, measured).
    from delivery.sending.api_pool import ApiPool

    pool = ApiPool(provider_of(account), feed=channel.feed, settle=channel.settle, on_trouble=channel.trouble)
    pool.open(account.max_connections)
    channel.takes_letters = True
    channel.transport = pool


def provider_of(account: ProviderAccount) -> Provider:
    """The account's provider; ValueError says which answer is missing."""
    from delivery.providers import PROVIDERS
    from delivery.providers.network import Network

    network = Network.ANY if settings.PROVIDERS_ON_PRIVATE_NETWORKS else Network.PUBLIC
    return PROVIDERS[account.kind].build(account.options, account.secrets or {}, network)
