"""From a provider account to the transport that carries its envelopes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from redis import Redis

from delivery.limits.connections import Slot
from delivery.limits.values import Limit
from delivery.models import ProviderAccount, SourceAddress
from delivery.sending.channel import Cause, Channel
from delivery.sending.places import CallPlaces, Places, per_minute
from delivery.sending.standing import Path, Standing
from delivery.shaping.profiles import Tls as SiteTls
from delivery.shaping.rules import Action, Measure, Reach
from delivery.smtp.config import Auth, SmtpConfig, Timeouts, Tls
from delivery.smtp.errors import Trouble, TroubleKind
from delivery.smtp.pool import Pool

if TYPE_CHECKING:
    from delivery.providers.contract import Provider

# A host that swallows packets holds a connection, and the message that tries it, no longer; Linux asks five times.
CONNECT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Lines:
    """How connections are made and kept: the account's figures, lowered by measures, and by the site's where they lead
    to a site's own servers. `site_*` are empty for relays and APIs, whose connections are no site's.
    """

    most: int
    messages_per_connection: int
    site: str = ""
    site_most: int = 0
    site_opening: Limit | None = None
    idle_s: int | None = None
    tls: SiteTls = SiteTls.OPPORTUNISTIC


def lines_of(account: ProviderAccount, source: SourceAddress | None, standing: Standing) -> Lines:
    """What holds for the account's connections now."""
    site = standing.home_of(str(account.options.get("host", ""))) if account.kind == "smtp" else ""
    path = Path(account.pk, source.pk if source else 0, site)
    measures = [m for reach in (Reach.ACCOUNT, Reach.SITE) for m in standing.measures_for(path, reach)]
    most = [account.max_connections, *_values(measures, Action.LOWER_CONNECTIONS)]
    each = [account.messages_per_connection, *_values(measures, Action.LOWER_MESSAGES_PER_CONNECTION)]
    if source is not None and source.max_connections:
        most.append(source.max_connections)
    if not site:
        return Lines(min(most), min(each))
    effective = standing.effective(path, None)
    return Lines(
        min(*most, effective.connections),
        min(*each, effective.messages_per_connection),
        site,
        effective.connections,
        effective.opening,
        standing.profiles[site].idle_s,
        standing.profiles[site].tls,
    )


def _values(measures: Sequence[Measure], action: Action) -> list[int]:
    return [measure.value for measure in measures if measure.action == action]


def fingerprint(account: ProviderAccount, source: SourceAddress | None = None, lines: Lines | None = None) -> str:
    """Changes when the account's connections have to be made anew."""
    parts: list[Any] = [account.kind, account.options, account.secrets, account.connections_per_minute]
    parts += [account.max_connections, account.messages_per_connection]
    if source is not None:
        parts += [source.address, source.helo_name, source.max_connections]
    if lines is not None:
        parts += [lines.messages_per_connection, lines.site, lines.idle_s, lines.tls]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def smtp_config(
    account: ProviderAccount, source: SourceAddress | None = None, lines: Lines | None = None
) -> SmtpConfig:
    """The SMTP client's settings of an account; options hold no secrets."""
    config = _account_config(account)
    if source is not None:
        config = replace(config, source_address=source.address, helo_name=source.helo_name or config.helo_name)
    if lines is None:
        return config
    config = replace(config, max_messages_per_connection=lines.messages_per_connection)
    if lines.idle_s:
        config = replace(config, timeouts=replace(config.timeouts, idle=float(lines.idle_s)))
    if lines.tls is SiteTls.OPPORTUNISTIC or config.tls is not Tls.NONE:
        return config
    return replace(config, tls=Tls.STARTTLS, verify=lines.tls is SiteTls.REQUIRED)


def _account_config(account: ProviderAccount) -> SmtpConfig:
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
        timeouts=Timeouts(connect=CONNECT_SECONDS),
    )


def connection_places(redis: Redis, account: ProviderAccount, source: SourceAddress | None, lines: Lines) -> Places:
    """The places of SMTP connections: the account's, the source address's and those of a site's own servers."""
    slots = [Slot(f"account:{account.pk}", account.max_connections, per_minute(account.connections_per_minute))]
    if source is not None:  # one without a limit of its own has a place too, so that it is counted
        slots.insert(0, Slot(f"source:{source.pk}", source.max_connections or account.max_connections))
    if lines.site:
        key = f"path:{account.pk}:{source.pk if source else ''}:{lines.site}"
        slots.insert(0, Slot(key, lines.site_most, lines.site_opening))
    return Places(redis, slots)


def connect(
    channel: Channel,
    account: ProviderAccount,
    redis: Redis,
    *,
    source: SourceAddress | None = None,
    lines: Lines | None = None,
) -> None:
    """The channel has its transport afterwards; connections are dialed when there is work."""
    lines = lines or Lines(account.max_connections, account.messages_per_connection)
    if account.kind == "smtp":
        _connect_smtp(channel, account, redis, source, lines)
    else:
        _connect_api(channel, account, redis, lines)


def _connect_smtp(
    channel: Channel, account: ProviderAccount, redis: Redis, source: SourceAddress | None, lines: Lines
) -> None:
    places = connection_places(redis, account, source, lines)
    pool = Pool(
        smtp_config(account, source, lines),
        feed=channel.feed,
        settle=channel.settle,
        on_trouble=lambda trouble: channel.trouble(str(trouble), _cause(trouble)),
        may_connect=places.may_connect,
    )
    pool.open(lines.most)
    channel.transport = pool
    channel.renew_places = lambda: places.renew(pool.n_connections)


def _connect_api(channel: Channel, account: ProviderAccount, redis: Redis, lines: Lines) -> None:
    # Workers that speak SMTP alone go without the HTTP client and the providers' modules (16 MB, measured).
    from delivery.sending.api_pool import ApiPool, Terms

    places = CallPlaces(redis, account)
    pool = ApiPool(
        provider_of(account),
        feed=channel.feed,
        settle=channel.settle,
        on_trouble=channel.trouble,
        terms=Terms(channel.offers, places.may_call, full_calls=account.connections_per_minute is not None),
    )
    pool.open(lines.most)
    channel.takes_letters = True
    channel.transport = pool
    channel.renew_places = lambda: places.renew(pool.most_calls())


def _cause(trouble: Trouble) -> Cause:
    """A refused login concerns the account; a connection that carried mail before it broke is no sign of illness."""
    if trouble.kind is TroubleKind.AUTH and trouble.is_permanent:
        return Cause.CREDENTIALS
    if not trouble.retry_in:
        return Cause.LOST
    return Cause.REFUSED if trouble.is_permanent else Cause.CONNECTION


def provider_of(account: ProviderAccount) -> Provider:
    """The account's provider; ValueError says which answer is missing."""
    from delivery.providers import PROVIDERS
    from delivery.providers.network import Network

    network = Network.ANY if settings.PROVIDERS_ON_PRIVATE_NETWORKS else Network.PUBLIC
    return PROVIDERS[account.kind].build(account.options, account.secrets or {}, network)
