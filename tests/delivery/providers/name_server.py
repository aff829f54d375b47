"""A name server on a loopback port that answers from a zone, over UDP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.resolver import Resolver

from delivery.providers.dns_lookup import Lookup, through

Zone = Mapping[tuple[str, str], list[str]]
BROKEN = "broken.example"


@contextmanager
def serving(zone: Zone) -> Iterator[Lookup]:
    """A lookup that asks this server and nobody else; names below broken.example get SERVFAIL."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(sock, zone), daemon=True)
        thread.start()
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], sock.getsockname()[1]
        resolver.timeout, resolver.lifetime = 2.0, 2.0
        yield through(resolver)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", sock.getsockname())
        thread.join(5)


def _serve(sock: socket.socket, zone: Zone) -> None:
    while True:
        wire, client = sock.recvfrom(4096)
        if not wire:
            return
        sock.sendto(_answer(wire, zone), client)


def _answer(wire: bytes, zone: Zone) -> bytes:
    query = dns.message.from_wire(wire)
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    if name.endswith(BROKEN):
        response.set_rcode(dns.rcode.SERVFAIL)
    elif (name, kind) in zone:
        response.answer.append(dns.rrset.from_text_list(question.name, 300, "IN", kind, zone[name, kind]))
    elif not any(known == name for known, _ in zone):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response.to_wire()
