"""Which ports the demo listens on: the usual ones, or the next free ones where those are taken."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.embedded.errors import ServerError
from deploy.embedded.process import free_ports

# Ranges of 400 (deploy.embedded.process.free_ports) that do not meet each other, nor the embedded servers'.
FIRST = {"web": 8000, "catcher": 8425, "smtp": 2525, "intake": 3025}
SMOKE_FIRST = {"web": 9000, "catcher": 9425, "smtp": 4025, "intake": 4525}


@dataclass(frozen=True, slots=True)
class Ports:
    """All on 127.0.0.1: pages and API, the catcher's page, the catcher's SMTP, the intake of returned mail."""

    web: int
    catcher: int
    smtp: int
    intake: int


def choose_ports(first: dict[str, int]) -> Ports:
    """The first free port from each of `first` on; raises ServerError when 400 in a row are taken."""
    return Ports(**{name: _first_free(name, number) for name, number in first.items()})


def moved(ports: Ports, first: dict[str, int]) -> list[str]:
    """A sentence for each usual port that somebody else has."""
    return [
        f"Port {number} is taken, so {name} is on {getattr(ports, name)}."
        for name, number in first.items()
        if getattr(ports, name) != number
    ]


def _first_free(name: str, number: int) -> int:
    for port in free_ports(None, number):
        return port
    raise ServerError(f"No free port for {name} from {number} on.")
