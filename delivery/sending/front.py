"""The transactional lane: single messages that a person waits for are charged like others and go before campaigns."""

from __future__ import annotations

import time

from django.utils import timezone
from redis import Redis

from delivery.lanes import Lane
from delivery.limits.errors import LimitsUnavailable
from delivery.limits.permits import Ask, take
from delivery.limits.values import Share
from delivery.models import ProviderAccount
from delivery.sending.scopes import account_scope

LONGEST_WAIT_S = 5.0


def wait_in_front(redis: Redis, account: ProviderAccount) -> str:
    """One permit of the account's, before any campaign's; an empty text, or in words why there is none."""
    share = Share("front", lane=int(Lane.TRANSACTIONAL))
    ask = Ask((account_scope(account, timezone.now()),), n=1, share=share)
    until = time.monotonic() + LONGEST_WAIT_S
    try:
        while not (grant := take(redis, ask)).n:
            if time.monotonic() + grant.wait_s > until:
                return f"A limit is reached: {grant.refused_by}. Try again later."
            time.sleep(grant.wait_s)  # in a web request's own thread
    except LimitsUnavailable:
        return "Limits cannot be checked: Redis does not answer."
    return ""
