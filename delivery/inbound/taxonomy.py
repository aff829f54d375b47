"""The bounce categories, and for each what happens to the address and to the route that carried the message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

BounceKind = Literal["hard", "soft", "block", ""]


class Category(StrEnum):
    """Why a message did not arrive, or what else came back."""

    INVALID_RECIPIENT = "invalid_recipient"
    BAD_DOMAIN = "bad_domain"
    INACTIVE_MAILBOX = "inactive_mailbox"
    FILTERED = "filtered"
    QUOTA = "quota"
    TOO_LARGE = "too_large"
    BAD_CONTENT = "bad_content"
    GREYLIST = "greylist"
    RATE_LIMIT = "rate_limit"
    CONNECTION_LIMIT = "connection_limit"
    SPAM_BLOCK = "spam_block"
    SPAM_CONTENT = "spam_content"
    POLICY = "policy"
    AUTH_FAILED = "auth_failed"
    SENDER_INVALID = "sender_invalid"
    RELAY_DENIED = "relay_denied"
    PROTOCOL_ERROR = "protocol_error"
    REMOTE_ERROR = "remote_error"
    TRANSIENT = "transient"
    EXPIRED = "expired"
    UNCLASSIFIED = "unclassified"
    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"
    AUTO_REPLY = "auto_reply"
    DELIVERED = "delivered"


class AddressAction(StrEnum):
    """What a category does to the recipient's address."""

    SUPPRESS = "suppress"
    RECHECK = "recheck"  # look the domain up again after 24 hours, then suppress
    COUNT = "count"  # one soft bounce; the escalation policy adds them up
    NONE = "none"


class RouteAction(StrEnum):
    """What a category asks of the route, the sending domain or the campaign."""

    NONE = "none"
    COUNT = "count"  # share of invalid addresses: above 2 % the campaign pauses
    RETRY = "retry"
    SLOW_DOWN = "slow_down"
    PAUSE_SITE = "pause_site"  # this route to this mailbox provider
    PAUSE_CAMPAIGN = "pause_campaign"  # at three an hour
    STOP_DOMAIN = "stop_domain"  # the From domain
    STOP_ACCOUNT = "stop_account"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from a category; `kind` is "" for what is no bounce."""

    kind: BounceKind
    on_address: AddressAction
    on_route: RouteAction


CONSEQUENCES: dict[Category, Consequence] = {
    Category.INVALID_RECIPIENT: Consequence("hard", AddressAction.SUPPRESS, RouteAction.COUNT),
    Category.BAD_DOMAIN: Consequence("hard", AddressAction.RECHECK, RouteAction.NONE),
    # A disabled mailbox often comes back (unpaid, over quota, locked for a week): it counts, it does not end.
    Category.INACTIVE_MAILBOX: Consequence("soft", AddressAction.COUNT, RouteAction.NONE),
    Category.FILTERED: Consequence("soft", AddressAction.COUNT, RouteAction.NONE),
    Category.QUOTA: Consequence("soft", AddressAction.COUNT, RouteAction.NONE),
    Category.TOO_LARGE: Consequence("soft", AddressAction.NONE, RouteAction.ALERT),
    Category.BAD_CONTENT: Consequence("block", AddressAction.NONE, RouteAction.ALERT),
    Category.GREYLIST: Consequence("soft", AddressAction.NONE, RouteAction.RETRY),
    Category.RATE_LIMIT: Consequence("block", AddressAction.NONE, RouteAction.SLOW_DOWN),
    Category.CONNECTION_LIMIT: Consequence("block", AddressAction.NONE, RouteAction.SLOW_DOWN),
    Category.SPAM_BLOCK: Consequence("block", AddressAction.NONE, RouteAction.PAUSE_SITE),
    Category.SPAM_CONTENT: Consequence("block", AddressAction.NONE, RouteAction.PAUSE_CAMPAIGN),
    Category.POLICY: Consequence("block", AddressAction.NONE, RouteAction.PAUSE_SITE),
    Category.AUTH_FAILED: Consequence("block", AddressAction.NONE, RouteAction.STOP_DOMAIN),
    Category.SENDER_INVALID: Consequence("block", AddressAction.NONE, RouteAction.STOP_DOMAIN),
    Category.RELAY_DENIED: Consequence("block", AddressAction.NONE, RouteAction.STOP_ACCOUNT),
    Category.PROTOCOL_ERROR: Consequence("soft", AddressAction.NONE, RouteAction.ALERT),
    Category.REMOTE_ERROR: Consequence("soft", AddressAction.COUNT, RouteAction.NONE),
    Category.TRANSIENT: Consequence("soft", AddressAction.NONE, RouteAction.RETRY),
    Category.EXPIRED: Consequence("soft", AddressAction.COUNT, RouteAction.NONE),
    Category.UNCLASSIFIED: Consequence("soft", AddressAction.COUNT, RouteAction.NONE),
    Category.COMPLAINT: Consequence("", AddressAction.SUPPRESS, RouteAction.COUNT),
    Category.UNSUBSCRIBED: Consequence("", AddressAction.SUPPRESS, RouteAction.NONE),
    Category.AUTO_REPLY: Consequence("", AddressAction.NONE, RouteAction.NONE),
    Category.DELIVERED: Consequence("", AddressAction.NONE, RouteAction.NONE),
}


# Blocks that accuse the sender's name, content or set-up; "slow down" is no accusation. In alphabetical order: a
# partial index names them.
BLOCKS: tuple[str, ...] = tuple(
    sorted(
        category.value
        for category, consequence in CONSEQUENCES.items()
        if consequence.kind == "block" and consequence.on_route is not RouteAction.SLOW_DOWN
    )
)


def suppresses(category: Category) -> bool:
    """True when one event of this category leads to a suppression by itself, at once or after a second look."""
    return CONSEQUENCES[category].on_address in (AddressAction.SUPPRESS, AddressAction.RECHECK)
