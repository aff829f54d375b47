"""Loads one web process over keep-alive connections on loopback and prints one JSON line.

Each connection has one request under way; the next leaves when the answer is complete. Standard input holds the paths,
one a line, asked for in turns.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from itertools import cycle

READER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


@dataclass
class Load:
    """What is asked of whom, and what came of it."""

    port: int
    connections: int
    seconds: float
    paths: list[str]
    status: bytes
    latencies: list[float] = field(default_factory=list)
    n_wrong: int = 0

    def run(self) -> dict[str, float | int]:
        """Asks until the time is up; answers of requests under way at the end are not counted."""
        requests = cycle([self._request(path) for path in self.paths])
        with selectors.DefaultSelector() as selector:
            for _ in range(self.connections):
                link = socket.create_connection(("127.0.0.1", self.port))
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(link, selectors.EVENT_READ, [0.0])
                self._ask(link, selector.get_key(link).data, next(requests))
            start = time.perf_counter()
            while time.perf_counter() - start < self.seconds:
                for key, _ in selector.select(1):
                    self._answered(key, next(requests))
            elapsed = time.perf_counter() - start
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
        return self._figures(elapsed)

    def _request(self, path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {READER}\r\nAccept: */*\r\n\r\n".encode()

    def _ask(self, link: socket.socket, asked: list[float], request: bytes) -> None:
        asked[0] = time.perf_counter()
        link.sendall(request)

    def _answered(self, key: selectors.SelectorKey, request: bytes) -> None:
        link: socket.socket = key.fileobj  # type: ignore[assignment]
        answer = link.recv(65536)
        while answer and not answer.endswith(b"\r\n\r\n"):  # redirects have no body
            answer += link.recv(65536)
        self.latencies.append(time.perf_counter() - key.data[0])
        self.n_wrong += not answer.startswith(self.status)
        self._ask(link, key.data, request)

    def _figures(self, elapsed: float) -> dict[str, float | int]:
        ordered = sorted(self.latencies)
        p99 = ordered[int(len(ordered) * 0.99)] if ordered else 0.0
        return {"n": len(ordered), "per_s": len(ordered) / elapsed, "p99_ms": p99 * 1000, "n_wrong": self.n_wrong}


def main() -> None:
    """Reads the command line and standard input, prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    paths = sys.stdin.read().split()
    load = Load(options.port, options.connections, options.seconds, paths, b"HTTP/1.1 302 ")
    sys.stdout.write(json.dumps(load.run()) + "\n")


if __name__ == "__main__":
    main()
