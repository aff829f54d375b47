"""Delivery's tables: routes and accounts, batches and messages, outcomes and events."""

from .accounts import ProviderAccount, RecipientSite, Route, RouteMember
from .domains import DkimKey, DomainCheck
from .events import Event, Link, Receipt
from .ledger import Batch, Deferral, Message, OutcomeRow
from .soft_bounces import SoftBounce

__all__ = [
    "Batch",
    "Deferral",
    "DkimKey",
    "DomainCheck",
    "Event",
    "Link",
    "Message",
    "OutcomeRow",
    "ProviderAccount",
    "Receipt",
    "RecipientSite",
    "Route",
    "RouteMember",
    "SoftBounce",
]
