"""A recording SMTP server that can go away and come back, and a wire to it that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter

from tests.delivery.smtp.scripted import Call, On, Received, ScriptedServer, in_thread, loop_in_thread


class Post:
    """`received` outlives the server: it holds what came in before and after each absence."""

    def __init__(self, *rules: On) -> None:
        self.rules = list(rules)
        self.port = 0
        self.received: list[Received] = []
        self.received_at: list[float] = []
        self._stack = contextlib.ExitStack()

    def open(self) -> None:
        """It answers, always on the same port."""
        server = ScriptedServer(port=self.port)
        server.rules = self.rules
        server.received = _Stamped(self.received, self.received_at)
        self.port = self._stack.enter_context(in_thread(server)).port

    def close(self) -> None:
        """Connections break and new ones are refused."""
        self._stack.close()

    def __enter__(self) -> Post:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def taken(self) -> Counter[str]:
        """Times each address was taken responsibility for: answered 2yz, or not answered after the final dot."""
        return Counter(m.recipient.decode() for m in self.received if m.reply[:1] in (b"2", b""))


class _Stamped(list[Received]):
    """Keeps what a server receives in a list that outlives it, and when it came."""

    def __init__(self, kept: list[Received], times: list[float]) -> None:
        super().__init__(kept)
        self._kept, self._times = kept, times

    def append(self, message: Received) -> None:
        super().append(message)
        self._kept.append(message)
        self._times.append(time.monotonic())

    def __setitem__(self, at: int, message: Received) -> None:  # type: ignore[override]
        super().__setitem__(at, message)
        self._kept[at] = message


class Wire:
    """What a worker connects to instead of the server: passes bytes on, holds them, or breaks."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._stack = contextlib.ExitStack()
        self._links: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Wire:
        self._call: Call = self._stack.enter_context(loop_in_thread())
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._stack.close()

    def hold(self) -> None:
        """Nothing arrives any more and nobody is told, as when a cable is pulled."""
        self._call(self._set_open(False))

    def release(self) -> None:
        """What was held arrives, as TCP would send it again."""
        self._call(self._set_open(True))

    def cut(self) -> None:
        """Every connection breaks; new ones are made at once."""
        self._call(self._cut())

    async def _listen(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._server = await asyncio.start_server(self._link, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _set_open(self, is_open: bool) -> None:
        if is_open:
            self._open.set()
        else:
            self._open.clear()

    async def _cut(self) -> None:
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _close(self) -> None:
        self._server.close()
        self._open.set()
        await self._cut()
        await asyncio.sleep(0)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        task.add_done_callback(self._links.discard)
        writers = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(far_writer)
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in writers:
                end.transport.abort()
            await asyncio.sleep(0)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.write_eof()
