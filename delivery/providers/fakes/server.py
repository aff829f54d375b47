"""A small HTTP server in a thread of its own, for fakes of providers: keep-alive, latency, scripted faults."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; a body that is not bytes goes out as JSON."""

    status: int
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The answer as HTTP/1.1."""
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        kind = "text/plain" if isinstance(self.body, bytes) else "application/json"
        headers = {"content-type": kind, **self.headers, "content-length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} -\r\n{lines}\r\n".encode() + body


class Fault(Enum):
    """What goes wrong with the next request."""

    RATE_LIMITED = auto()
    UNAUTHORISED = auto()
    SERVER_ERROR = auto()
    UNAVAILABLE = auto()
    MALFORMED = auto()  # takes the mail and answers 200 with half a JSON text
    SILENT = auto()  # takes the mail and never answers
    BREAKS_OFF = auto()  # takes the mail and closes the connection
    DEAF = auto()  # closes the connection before reading


Handler = Callable[[HttpRequest, "Fault | Reply | None"], Reply | None]


class Server:
    """Answers requests with `handler`, after `latency` seconds; a handler's None closes or keeps silent."""

    def __init__(self, handler: Handler, latency: float = 0.0) -> None:
        self.latency = latency
        self.faults: deque[Fault | Reply] = deque()
        self.connections = 0
        self._handler = handler
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fake-provider", daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen on a free port."""
        ready = threading.Event()
        self._loop.call_soon(lambda: self._keep(self._listen(ready)))
        self._thread.start()
        ready.wait(10)

    def stop(self) -> None:
        """Stop listening and drop all connections; a second call does nothing."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _keep(self, coroutine: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, ready: threading.Event) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
        current = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until the client or a fault closes it."""
        self.connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False when the connection is over."""
        if self.faults and self.faults[0] is Fault.DEAF:
            self.faults.popleft()
            return False
        request = await _read(reader)
        fault = self.faults.popleft() if self.faults else None
        answer_at = self._loop.time() + self.latency
        reply = self._handler(request, fault)
        if self.latency:
            await asyncio.sleep(answer_at - self._loop.time())
        if reply is None:
            if fault is Fault.SILENT:
                await reader.read(1)  # until the client gives up
            return False
        writer.write(reply.encode())
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> HttpRequest:
    """One request; raises IncompleteReadError at the end of the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return HttpRequest(method, parts.path, dict(parse_qsl(parts.query)), headers, body)
