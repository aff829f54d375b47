"""What PostgreSQL and Redis have in common here: one directory, one lock that shows life, start, stop and kill."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from deploy.embedded import process
from deploy.embedded.errors import ServerError
from deploy.embedded.home import Home


class Server(ABC):
    """One embedded server. Every method is safe to call twice and from several processes at once."""

    name: ClassVar[str]
    first_port: ClassVar[int]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, home: Home, *, durable: bool) -> None:
        self.home = home
        self.durable = durable
        self.directory = home.path / self.name
        self.log = self.directory / "log"
        self._lock = self.directory / "alive"

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for clients, with the password."""

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1, of now or of last time."""
        return int((self.directory / "port").read_text())

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return int(self._pid_file.read_text().split()[0])

    @property
    def is_running(self) -> bool:
        """Whether any process of the server lives."""
        return process.is_held(self._lock)

    def start(self) -> None:
        """Afterwards the server answers; ServerError with the end of its log otherwise."""
        self.home.make_directory(self.directory)
        with process.exclusive(self.directory / "lock"):
            if self.is_running and self._becomes_ready():
                return
            self._prepare()
            self._start_on_a_free_port()

    def stop(self) -> None:
        """Afterwards no process of the server lives; what clients had committed is kept."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End the server at once with SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again on the same data and, if it is still free, the same port."""
        self.stop()
        self.start()

    @abstractmethod
    def wipe(self) -> None:
        """Empty the running server; address and password stay."""

    @property
    @abstractmethod
    def _pid_file(self) -> Path: ...

    @abstractmethod
    def _prepare(self) -> None:
        """Make what the first start needs, and clear what a crash left."""

    @abstractmethod
    def _arguments(self, port: int) -> Sequence[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _start_on_a_free_port(self) -> None:
        remembered = self.port if (self.directory / "port").exists() else None
        for port in process.free_ports(remembered, self.first_port):
            (self.directory / "port").write_text(str(port))
            process.launch(self._arguments(port), lock=self._lock, log=self.log, account=self.home.account)
            if self._becomes_ready():
                return
            if process.is_free(port):
                raise ServerError(f"{self.name} ended while starting. The end of {self.log}:\n{process.tail(self.log)}")
        raise ServerError(f"No free port for {self.name} from {self.first_port} on.")

    def _becomes_ready(self) -> bool:
        """Wait until the server answers (True) or has ended (False)."""
        if not process.wait_for(lambda: not self.is_running or self._answers(), seconds=60):
            raise ServerError(
                f"{self.name} runs but has not answered for 60 seconds. The end of {self.log}:\n"
                f"{process.tail(self.log)}"
            )
        return self.is_running

    def _end(self, number: signal.Signals) -> None:
        if not self.directory.is_dir():
            return
        with process.exclusive(self.directory / "lock"):
            if not self.is_running:
                return
            process.wait_for(self._pid_file.exists, seconds=5)
            process.send_signal(self.pid, number)
            if process.wait_for(lambda: not self.is_running, seconds=30):
                return
            process.send_signal(self.pid, signal.SIGKILL)
            if not process.wait_for(lambda: not self.is_running, seconds=10):
                raise ServerError(f"{self.name} (process {self.pid}) does not end.")
