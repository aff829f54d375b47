"""Sending through provider APIs and reading what they report; `PROVIDERS` lists the kinds."""

from __future__ import annotations

from .catalog import PROVIDERS
from .contract import (
    ApiEnvelope,
    Capabilities,
    EventKind,
    ProbeReport,
    Provider,
    ProviderEvent,
    ProviderKind,
    UnreadableReceiptError,
    WebhookRequest,
)
from .network import Network

__all__ = [
    "PROVIDERS",
    "ApiEnvelope",
    "Capabilities",
    "EventKind",
    "Network",
    "ProbeReport",
    "Provider",
    "ProviderEvent",
    "ProviderKind",
    "UnreadableReceiptError",
    "WebhookRequest",
]
