"""A faked provider in a process of its own, so that the bench's worker shares no interpreter with it.

It answers `--latency-ms` after a request was read, prints where it listens and what an account needs, and when it is
told to end, what it received.
"""

from __future__ import annotations

import argparse
import json
import signal
from collections import Counter

from delivery.providers.fakes import fake
from delivery.providers.fakes.dialect import FakeDialect, Keep, Sent
from delivery.providers.fakes.server import HttpRequest, Reply


class Counting(FakeDialect):
    """A dialect whose messages are counted and not kept: a million bodies would not fit."""

    def __init__(self, dialect: FakeDialect) -> None:
        self.inner = dialect
        self.received: Counter[tuple[str, str]] = Counter()
        self.n_calls = 0
        self.n_messages = 0

    def authorised(self, request: HttpRequest) -> bool:
        """As the provider's."""
        return self.inner.authorised(request)

    def take(self, request: HttpRequest, _keep: Keep) -> Reply:
        """As the provider's, but for keeping."""
        self.n_calls += 1
        return self.inner.take(request, self._count)

    def _count(self, sent: Sent) -> str:
        # A message has an id or a key of its own; who knows the address alone cannot tell two campaigns apart.
        self.n_messages += 1
        if sent.mid or sent.key:
            self.received[sent.recipient, sent.mid or sent.key] += 1
        return f"id-{self.n_messages}"


def main() -> None:
    """Run a fake from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with fake(options.kind, options.latency_ms / 1000) as server:
        account = {"settings": server.settings, "credentials": server.credentials}
        counting = Counting(server.dialect)
        server.dialect, server.remembers = counting, False
        print(json.dumps(account), flush=True)  # noqa: T201
        signal.sigwait({signal.SIGTERM})
    twice = counting.received.total() - len(counting.received)
    told = {"messages": counting.n_messages, "twice": twice, "calls": counting.n_calls}
    print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
