"""What servers said, on its way from outcomes and troubles to shaping and to the accounts' health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from redis import Redis

from delivery.outcomes import Outcome, Result
from delivery.queries import sites_of_contacts
from delivery.sending.breakers import Breakers
from delivery.sending.channel import Cause, Channel
from delivery.sending.lease import Lease, Settled
from delivery.sending.standing import Standing
from delivery.services.accounts import suspend_account
from delivery.services.shaping import hear
from delivery.shaping.rules import Heard, Rule

SUSPENDED_FOR = timedelta(hours=1)
"""How long an account rests after a refused login or a used-up credit, unless a person resumes it."""


class Hearing:
    """One drain's ear; used by the ledger's thread alone."""

    def __init__(self, redis: Redis, breakers: Breakers) -> None:
        self._redis = redis
        self._breakers = breakers
        self._seen: dict[Channel, tuple[int, int]] = {}

    def outcomes(self, lease: Lease, items: Sequence[Settled], standing: Standing, now: datetime) -> bool:
        """Refusals and deferrals in a server's words are held against the rules; True when something was done."""
        told = [item for item in items if item.outcome.result in (Result.DEFERRED, Result.REFUSED)]
        spoken = [item for item in told if words_of(item.outcome)[:1] in ("4", "5")]
        if not spoken:
            return False
        sites = {} if lease.site else sites_of_contacts([item.contact_id for item in spoken])
        counts = Counter(_heard(item, lease, sites) for item in spoken)
        return hear(counts, redis=self._redis, now=now, rules=standing.rules)

    def health(self, channels: Sequence[Channel], rules: Sequence[Rule], now: datetime) -> bool:
        """Breakers, suspensions and measures follow what connections did since the last look; True: something changed.

        Words that end a connection are about a site only where the server is the site's own.
        """
        return sum(self._listen(channel, rules, now) for channel in channels) > 0

    def _listen(self, channel: Channel, rules: Sequence[Rule], now: datetime) -> bool:
        current = (channel.n_answered, channel.n_failed)
        n_answered, n_failed = self._seen.get(channel, (0, 0))
        if current == (n_answered, n_failed) and not channel.news:
            return False
        self._seen[channel] = current
        words, stopped = "", False
        while channel.news:
            cause, words = channel.news.popleft()
            if cause in (Cause.CREDENTIALS, Cause.QUOTA):
                stopped |= suspend_account(channel.account_id, until=now + SUSPENDED_FOR, reason=words)
            elif channel.site:
                heard = Heard(words, channel.site, channel.account_id, str(channel.source_id or ""))
                stopped |= hear({heard: 1}, redis=self._redis, now=now, rules=rules)
        self._breakers.note(
            channel.account_id,
            n_ok=current[0] - n_answered,
            n_failed=current[1] - n_failed,
            words=words,
            now=now,
        )
        return stopped


def _heard(item: Settled, lease: Lease, sites: dict[int, str]) -> Heard:
    return Heard(
        words_of(item.outcome),
        lease.site or sites.get(item.contact_id, ""),
        item.account_id or 0,
        str(item.source_id or ""),
        lease.campaign_id,
    )


def words_of(outcome: Outcome) -> str:
    """Code and text as rules read them. A 421 ends its connection: the message comes back unsent, with these words."""
    if not outcome.code:
        return outcome.text.removeprefix("not sent: ")
    return " ".join(part for part in (str(outcome.code), outcome.enhanced, outcome.text) if part)
