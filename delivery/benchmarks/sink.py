"""A small SMTP sink for everyday benchmarks: counts, remembers return paths, and can add a round trip to every answer.

Where it would be the bottleneck (above some 5,000 messages of 50 KB per second) give the bench another one by --sink.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections import Counter
from typing import cast

import uvloop

HELLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n"
OK = b"250 2.1.0 Ok\r\n"


class Sink(asyncio.Protocol):
    """One connection; takes everything."""

    def __init__(self, received: Counter[bytes], rtt_s: float) -> None:
        self._received = received
        self._rtt_s = rtt_s
        self._buffer = bytearray()
        self._sender = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets."""
        self._transport = cast("asyncio.Transport", transport)
        self._answer(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answers every command of one flight together."""
        searched = max(0, len(self._buffer) - 4)
        self._buffer += data
        replies = bytearray()
        while (reply := self._next(searched)) is not None:
            searched = 0
            replies += reply
        if replies:
            self._answer(bytes(replies))

    def _next(self, searched: int) -> bytes | None:
        if self._in_data:
            end = self._buffer.find(b"\r\n.\r\n", searched)
            if end < 0:
                return None
            del self._buffer[: end + 5]
            self._in_data = False
            self._received[self._sender] += 1
            return b"250 2.0.0 Ok: queued\r\n"
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return self._command(line)

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return HELLO
        if verb == b"MAIL":
            self._sender = line[11 : line.find(b">")]
        if verb == b"DATA":
            self._in_data = True
            return b"354 Go on\r\n"
        if verb == b"QUIT":
            asyncio.get_running_loop().call_later(self._rtt_s, self._transport.close)
            return b"221 Bye\r\n"
        return OK

    def _answer(self, data: bytes) -> None:
        if self._rtt_s:
            asyncio.get_running_loop().call_later(self._rtt_s, self._transport.write, data)
        else:
            self._transport.write(data)


async def serve(port: int, rtt_ms: float) -> Counter[bytes]:
    """Serves until SIGTERM; prints its port first. Returns how often each return path came."""
    received: Counter[bytes] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Sink(received, rtt_ms / 1000), "127.0.0.1", port)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()
    return received


def main() -> None:
    """Run the sink from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rtt-ms", type=float, default=0.0)
    options = parser.parse_args()
    received = uvloop.run(serve(options.port, options.rtt_ms))
    # Each message of a campaign has a return path of its own; the references use one for all.
    own = [n for sender, n in received.items() if sender.startswith(b"b+")]
    print(json.dumps({"messages": sum(own), "twice": sum(own) - len(own)}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
