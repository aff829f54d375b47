"""Delivery's tables: routes and accounts, batches and messages, outcomes and events."""

from .accounts import ProviderAccount, RecipientSite, Route, RouteMember
from .events import Event, Link, Receipt
from .ledger import Batch, Deferral, Message, OutcomeRow
from .resolutions import Resolution

__all__ = [
    "Batch",
    "Deferral",
    "Event",
    "Link",
    "Message",
    "OutcomeRow",
    "ProviderAccount",
    "Receipt",
    "RecipientSite",
    "Resolution",
    "Route",
    "RouteMember",
]
