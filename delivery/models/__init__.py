"""Delivery's tables: routes and accounts, batches and messages, outcomes and events."""

from .accounts import ProviderAccount, RecipientSite, Route, RouteMember
from .events import Event, HookRefusal, Link, Receipt
from .ledger import Batch, Deferral, Message, OutcomeRow

__all__ = [
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
    "RouteMember",
]
