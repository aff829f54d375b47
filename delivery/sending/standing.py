"""What holds for accounts right now, as PostgreSQL says it: suspensions, measures, paces, profiles, warm-ups.

The ledger's thread reads it at most once a second; nothing here is asked per message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from delivery.models import ProviderAccount, ShapingMeasure, SitePace, SiteProfile, WarmUp
from delivery.services.shaping import running_rules
from delivery.shaping.effective import Effective, shape_path
from delivery.shaping.pace import FULL, Pace, next_pace
from delivery.shaping.profiles import Profile
from delivery.shaping.rules import Action, Heard, Measure, Reach, Rule, target_of, targets_of
from delivery.sites import site_of_host

RATES = (Action.SUSPEND, Action.LOWER_RATE)
# Where operators deleted the default row: nothing is limited but what they said.
NO_PROFILE = Profile("", messages_per_second=None)


@dataclass(frozen=True, slots=True)
class Path:
    """The way of a message: account, source address (0 where the system chooses), site, campaign."""

    account_id: int
    source_id: int
    site: str
    campaign_id: int | None = None

    @property
    def heard(self) -> Heard:
        """What target_of and targets_of take."""
        return Heard("", self.site, self.account_id, str(self.source_id or ""), self.campaign_id)

    def target(self, reach: Reach) -> str:
        """The key of what holds for this reach."""
        return target_of(reach, self.heard)


@dataclass(frozen=True)
class Standing:
    """Everything that shapes sending at `now`."""

    now: datetime
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    suffixes: Mapping[str, str] = field(default_factory=dict)
    changed_profiles: Mapping[str, datetime] = field(default_factory=dict)  # named ones with a limit of messages
    measures: Mapping[str, Sequence[Measure]] = field(default_factory=dict)
    paces: Mapping[str, Pace] = field(default_factory=dict)
    shaped_sites: frozenset[str] = frozenset()  # with a measure or a pace now
    warm_ups: Sequence[WarmUp] = ()
    suspended: Mapping[int, str] = field(default_factory=dict)  # accounts, with the reason
    rules: Sequence[Rule] = ()

    def measures_for(self, path: Path, reach: Reach) -> Sequence[Measure]:
        """The running measures on this reach of the path."""
        return self.measures.get(path.target(reach), ())

    def suspension(self, path: Path) -> Measure | None:
        """The measure that stops this path, the longest of them."""
        stops = (m for t in targets_of(path.heard) for m in self.measures.get(t, ()) if m.action == Action.SUSPEND)
        return max(stops, key=lambda measure: measure.until, default=None)

    def effective(self, path: Path, account_rate: float | None) -> Effective:
        """The site's limits on this path; a pace without a rate in the profile counts from the account's."""
        pace = self.paces.get(path.target(Reach.PATH), FULL)
        profile = self.profiles.get(path.site) or self.profiles.get("", NO_PROFILE)
        if profile.messages_per_second is None and pace.factor < 1 and account_rate:
            profile = replace(profile, messages_per_second=account_rate)
        return shape_path(profile, self.measures_for(path, Reach.PATH), pace, self.now)

    def limited_sites(self, since: datetime | None = None) -> set[str]:
        """Sites whose messages are counted or held by themselves; with `since`, those that are since then."""
        profiles = {site for site, changed_at in self.changed_profiles.items() if since is None or changed_at > since}
        warming = {warm_up.site for warm_up in self.warm_ups if warm_up.site and since is None}
        return profiles | warming | set(self.shaped_sites)

    def home_of(self, host: str) -> str:
        """The site that a server belongs to, or an empty text: a relay's connections are not the site's."""
        return site_of_host(host, self.suffixes)


def read_standing(*, now: datetime, account_ids: Sequence[int] | None = None) -> Standing:
    """Five small queries; with `account_ids`, only what concerns these accounts and campaigns."""
    profiles = list(SiteProfile.objects.all())
    measures, shaped = _measures(now, account_ids)
    paces = SitePace.objects.filter(full_at__gt=now)
    values = {pace.target: _recovered(pace, now) for pace in paces}
    return Standing(
        now=now,
        profiles={profile.site: profile.value for profile in profiles},
        suffixes={_dotted(suffix): profile.site for profile in profiles for suffix in profile.mx_suffixes},
        changed_profiles={profile.site: profile.changed_at for profile in profiles if _limits_messages(profile)},
        measures=measures,
        paces=values,
        shaped_sites=frozenset({*shaped, *(pace.site for pace in paces)}),
        warm_ups=list(WarmUp.objects.filter(enabled=True).select_related("account", "source")),
        suspended=_suspended(now),
        rules=running_rules(),
    )


def _measures(now: datetime, account_ids: Sequence[int] | None) -> tuple[dict[str, list[Measure]], set[str]]:
    rows = ShapingMeasure.objects.filter(revoked_at=None, until__gt=now)
    by_target: dict[str, list[Measure]] = {}
    shaped = set()
    for row in rows:
        if account_ids is not None and row.account_id not in (None, *account_ids):
            continue
        by_target.setdefault(row.target, []).append(row.as_measure)
        if row.action in RATES and not row.target.startswith("account:"):
            shaped.add(row.site)
    return by_target, shaped - {""}


def _recovered(row: SitePace, now: datetime) -> Pace:
    return next_pace(row.value, throttled=False, per_second=1.0, now=now)


def _limits_messages(profile: SiteProfile) -> bool:
    limits = (profile.messages_per_second, profile.messages_per_hour, profile.messages_per_day)
    return bool(profile.site) and any(limits)


def _suspended(now: datetime) -> dict[int, str]:
    rows = ProviderAccount.objects.filter(suspended_until__gt=now)
    return dict(rows.values_list("pk", "suspended_reason"))


def _dotted(suffix: str) -> str:
    return "." + suffix.strip().strip(".").lower()


class Watch:
    """The standing, read again when it is a second old; used by the ledger's thread alone."""

    KEPT = timedelta(seconds=1)

    def __init__(self, account_ids: Sequence[int]) -> None:
        self._account_ids = list(account_ids)
        self._standing: Standing | None = None

    def look(self, now: datetime) -> Standing:
        """What holds now."""
        standing = self._standing
        if standing is None or not timedelta(0) <= now - standing.now < self.KEPT:
            standing = self._standing = read_standing(now=now, account_ids=self._account_ids)
        return standing

    def forget(self) -> None:
        """The next look reads again: something was written."""
        self._standing = None
