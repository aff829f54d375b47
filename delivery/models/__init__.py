"""Delivery's tables: routes and accounts, batches and messages, outcomes and events, and how sending is shaped."""

from .accounts import AccountBreaker, ProviderAccount, RecipientSite, Route, RouteChoice, RouteMember, SourceAddress
from .brakes import Brake, Braking
from .domains import DkimKey, DomainCheck
from .events import Event, HookRefusal, IntakeState, Link, Receipt
from .ledger import Batch, Deferral, Message, OutcomeRow
from .resolutions import Resolution
from .shaping import ShapingMeasure, ShapingRule, SitePace, SiteProfile
from .soft_bounces import SoftBounce
from .warming import WarmUp

__all__ = [
    "AccountBreaker",
    "Batch",
    "Brake",
    "Braking",
    "Deferral",
    "DkimKey",
    "DomainCheck",
    "Event",
    "HookRefusal",
    "IntakeState",
    "Link",
    "Message",
    "OutcomeRow",
    "ProviderAccount",
    "Receipt",
    "RecipientSite",
    "Resolution",
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
