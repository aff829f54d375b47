"""Delivery's tables: routes and accounts, batches and messages, outcomes and events, and how sending is shaped."""

from .accounts import AccountBreaker, ProviderAccount, RecipientSite, Route, RouteChoice, RouteMember, SourceAddress
from .events import Event, HookRefusal, Link, Receipt
from .ledger import Batch, Deferral, Message, OutcomeRow
from .shaping import ShapingMeasure, ShapingRule, SitePace, SiteProfile
from .soft_bounces import SoftBounce
from .warming import WarmUp

__all__ = [
    "AccountBreaker",
    "Batch",
    "Deferral",
    "Event",
    "HookRefusal",
    "Link",
    "Message",
    "OutcomeRow",
    "ProviderAccount",
    "Receipt",
    "RecipientSite",
    "Route",
    "RouteChoice",
    "RouteMember",
    "ShapingMeasure",
    "ShapingRule",
    "SitePace",
    "SiteProfile",
    "SoftBounce",
    "SourceAddress",
    "WarmUp",
]
