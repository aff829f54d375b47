"""Local servers that speak each provider's documented send protocol, for tests and measurements; no mail leaves."""

from __future__ import annotations

from .bundles import FakeBrevo, FakeMailjet, FakeMailtrap, FakePostmark, FakeResend
from .dialect import REFUSED_DOMAIN, RETRY_AFTER, FakeDialect, FakeProvider, Sent
from .merges import FakeAmazonSes, FakeMailgun, FakeSendGrid, FakeSparkPost, FakeUnisenderGo
from .server import Fault, HttpRequest, Reply
from .singles import (
    FakeAlibaba,
    FakeAokSend,
    FakeGeneric,
    FakeMailerSend,
    FakeMandrill,
    FakePostal,
    FakeScaleway,
    FakeTencent,
)

FAKES: dict[str, type[FakeDialect]] = {
    fake.kind: fake
    for fake in (
        FakeAlibaba,
        FakeAmazonSes,
        FakeAokSend,
        FakeBrevo,
        FakeGeneric,
        FakeMailerSend,
        FakeMailgun,
        FakeMailjet,
        FakeMailtrap,
        FakeMandrill,
        FakePostal,
        FakePostmark,
        FakeResend,
        FakeScaleway,
        FakeSendGrid,
        FakeSparkPost,
        FakeTencent,
        FakeUnisenderGo,
    )
}


def fake(kind: str, latency: float = 0.0) -> FakeProvider:
    """A fake of a provider kind, to be used as a context manager; `latency` in seconds per request."""
    return FakeProvider(FAKES[kind](), latency)


__all__ = [
    "FAKES",
    "REFUSED_DOMAIN",
    "RETRY_AFTER",
    "FakeDialect",
    "FakeProvider",
    "Fault",
    "HttpRequest",
    "Reply",
    "Sent",
    "fake",
]
