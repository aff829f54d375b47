"""A name server on a loopback port that answers from a table of MX records, over UDP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.resolver import Resolver


@dataclass
class DnsServer:
    """`mx`: records by domain, [] for a name without MX; `broken`: names that get SERVFAIL; others do not exist."""

    mx: dict[str, list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    ttl: int = 7200
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def resolver(self) -> Resolver:
        """A resolver that asks this server and nobody else."""
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        resolver.timeout, resolver.lifetime = 0.2, 0.4
        return resolver

    def answer(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append(name)
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.mx:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif self.mx[name]:
            response.answer.append(dns.rrset.from_text_list(question.name, self.ttl, "IN", "MX", self.mx[name]))
        return response.to_wire()


@contextmanager
def serving(server: DnsServer) -> Iterator[DnsServer]:
    """Serve in a thread until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server.port = sock.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(server, sock))
        thread.start()
        yield server
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
            stop.sendto(b"", ("127.0.0.1", server.port))
        thread.join()


def _serve(server: DnsServer, sock: socket.socket) -> None:
    while True:
        wire, client = sock.recvfrom(4096)
        if not wire:
            return
        response = server.answer(wire)
        if response:
            sock.sendto(response, client)
