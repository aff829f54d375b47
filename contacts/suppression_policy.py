"""When an address gets no more mail, and where that holds: decisions over values and `now`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Scope = Literal["everywhere", "brand", "list"]

# Mailboxes of functions, not of people (RFC 2142, and what mail systems call themselves): nobody there subscribed.
ROLE_NAMES = (
    *("abuse", "hostmaster", "mailer-daemon", "no-reply", "noc", "noreply", "postmaster", "root", "security"),
    *("do-not-reply", "donotreply", "usenet", "uucp", "webmaster"),
)
# Mailboxes that several people read: they may have subscribed, and one of them complains. A policy may name them too.
SHARED_NAMES = frozenset(
    (
        *("accounts", "admin", "billing", "contact", "enquiries", "hello", "help", "hr", "info", "jobs", "kontakt"),
        *("mail", "marketing", "office", "orders", "sales", "service", "shop", "support", "team"),
    )
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What leads to a suppression. `soft_count` 0: soft bounces never do.

    Soft: `soft_count` final soft bounces within `soft_window_days`, the first and the last at least `soft_span_days`
    apart, and no sign of life in between; it holds for `soft_expiry_days`.
    """

    hard_scope: Scope = "everywhere"
    complaint_scope: Scope = "everywhere"
    soft_scope: Scope = "everywhere"
    soft_count: int = 5
    soft_span_days: int = 14
    soft_window_days: int = 180
    soft_expiry_days: int = 90


def judge_soft_bounces(bounces: Sequence[datetime], policy: Policy, *, now: datetime) -> datetime | None:
    """Until when the address is suppressed, or None while it is not.

    `bounces`: when messages came back softly for good, since the last sign of life and the last decision of a person.
    """
    if policy.soft_count == 0:
        return None
    counted = [at for at in bounces if at > now - timedelta(days=policy.soft_window_days)]
    if len(counted) < policy.soft_count or max(counted) - min(counted) < timedelta(days=policy.soft_span_days):
        return None
    return now + timedelta(days=policy.soft_expiry_days)


def is_role_address(address: str, names: Sequence[str] = ROLE_NAMES) -> bool:
    """Whether an address belongs to a function; `+tag` is ignored."""
    return role_name(address) in names


def role_name(address: str) -> str:
    """What stands before the @, in small letters, without `+tag`."""
    return address.rpartition("@")[0].partition("+")[0].lower()
