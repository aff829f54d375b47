"""Simulated readers and machines, each of which does what its kind is known to do (docs/tracking.md). Pure and seeded.

Some of it is inconvenient: gateways in a disguise or with patience, people in a hurry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from delivery.tracking.hits import Hit
from delivery.tracking.rules import HUMAN, MACHINE

N_LINKS = 12
SENT_AT = 1_700_000_000.0
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
)
GMAIL_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135"
    " Safari/537.36 Edge/12.246 Mozilla/5.0"
)
APPLE_AGENTS = (
    "Mozilla/5.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
)


@dataclass
class Message:
    """One message's hits as they are made; `truth` of each is known."""

    random: Random
    contact_id: int
    hits: list[tuple[Hit, str]] = field(default_factory=list)
    domain: str = ""

    def add(self, truth: str, kind: str, after: float, **values: Any) -> None:
        """One more hit, `after` seconds from sending."""
        defaults: dict[str, Any] = {"link_index": None, "user_agent": BROWSERS[0], "method": "GET", "purpose": ""}
        given = defaults | {"network": f"198.51.{self.contact_id % 250}.0/24"} | values
        key = self.random.getrandbits(128).to_bytes(16, "big")
        hit = Hit(key=key, at=SENT_AT + after, kind=kind, campaign_id=1, contact_id=self.contact_id, **given)
        self.hits.append((hit, truth))


Actor = Callable[[Message], None]


def person(message: Message, *, proxy: str = "") -> None:
    """Opens once or twice, clicks up to three links with time to look between them; some in a hurry."""
    random, agent = message.random, message.random.choice(BROWSERS)
    at = random.expovariate(1 / 7200) + 3
    for _ in range(random.choice((1, 1, 2))):
        message.add(HUMAN, "opened", at, user_agent=proxy or agent)
        at += random.uniform(4, 90)
    hurried = random.random() < 0.05  # opens several links in new tabs
    for link in random.sample(range(N_LINKS), random.choice((0, 0, 1, 1, 2, 3))):
        message.add(HUMAN, "clicked", at, user_agent=agent, link_index=link)
        at += random.uniform(0.4, 1.5) if hurried else random.uniform(2, 60)


def gmail_reader(message: Message) -> None:
    """Pictures through Google's proxy when read; now and then Gmail fetches ahead while a session is open."""
    if message.random.random() < 0.2:
        message.add(MACHINE, "opened", message.random.uniform(1, 60), user_agent=GMAIL_PREFETCH)
    person(message, proxy=GMAIL_PROXY)


def apple_reader(message: Message) -> None:
    """Apple's proxy fetches every picture whether read or not; a third of the people click as well."""
    random = message.random
    label = "apple" if random.random() < 0.5 else ""  # where the operator loaded Apple's list, and where not
    agent = random.choice(APPLE_AGENTS) if not label or random.random() < 0.5 else BROWSERS[1]
    message.add(MACHINE, "opened", random.uniform(5, 20_000), user_agent=agent, label=label)
    if random.random() < 0.33:
        message.add(HUMAN, "clicked", random.uniform(60, 40_000), user_agent=BROWSERS[1], link_index=0)


def safelinks(message: Message) -> None:
    """Microsoft-like: many links at once in a browser's disguise, or a few with patience; later the person's click."""
    random, at = message.random, message.random.uniform(3, 120)
    patient = random.random() < 0.15
    for link in random.sample(range(N_LINKS), random.randint(1, 3) if patient else random.randint(4, N_LINKS)):
        at += random.uniform(3, 40) if patient else random.uniform(0.01, 0.25)
        message.add(MACHINE, "clicked", at, link_index=link, network="203.0.113.0/24")
    _clicks_himself(message, at)


def mimecast(message: Message) -> None:
    """Mimecast-like: HEAD, then GET of every link one after the other, over half a minute, and the hidden link."""
    random, at = message.random, message.random.uniform(5, 300)
    disguised = random.random() < 0.6
    for link in range(N_LINKS):
        at += random.uniform(0.5, 4)
        method = "HEAD" if random.random() < 0.3 else "GET"
        agent = BROWSERS[0] if disguised else "Mozilla/5.0 (compatible; Mimecast-URL-Protect)"
        message.add(MACHINE, "clicked", at, link_index=link, method=method, user_agent=agent, network="203.0.114.0/24")
    if random.random() < 0.8:
        message.add(MACHINE, "honeypot", at + 1, user_agent=BROWSERS[0], network="203.0.114.0/24")
    _clicks_himself(message, at)


def lone_scanner(message: Message) -> None:
    """The hard case: one sampled link, minutes later, in a browser's disguise; half of them from a listed network."""
    random = message.random
    label = "scanner" if random.random() < 0.5 else ""
    message.add(MACHINE, "clicked", random.uniform(30, 600), link_index=random.randrange(N_LINKS), label=label)


def _clicks_himself(message: Message, at: float) -> None:
    if message.random.random() < 0.3:
        later = at + message.random.uniform(60, 40_000)
        message.add(HUMAN, "clicked", later, link_index=1, user_agent=BROWSERS[1])


ACTORS: dict[str, Actor] = {
    "People": person,
    "People in Gmail": gmail_reader,
    "Apple Mail Privacy": apple_reader,
    "SafeLinks-like": safelinks,
    "Mimecast-like": mimecast,
    "Lone disguised scanner": lone_scanner,
}


OFFICE = 40


def office_gateway(office: Sequence[Message]) -> None:
    """A company's gateway follows one link of each mail as it arrives, disguised; some people click later."""
    random = office[0].random
    at, rotates = random.uniform(3, 60), random.random() < 0.5  # half of the gateways change their disguise
    pace = random.choice((0.3, 1.5, 4.0))  # seconds between mails to one company
    for message in office:
        at += random.expovariate(1 / pace)
        agent = random.choice(BROWSERS) if rotates else BROWSERS[0]
        link = random.randrange(N_LINKS)
        message.add(MACHINE, "clicked", at, link_index=link, user_agent=agent, network="203.0.115.0/24")
    for message in office:
        if random.random() < 0.1:
            network = random.choice(("203.0.115.0/24", "203.0.118.0/24"))
            at = random.expovariate(1 / 7200) + 60
            message.add(HUMAN, "clicked", at, link_index=1, user_agent=BROWSERS[1], network=network)


def office_people(office: Sequence[Message]) -> None:
    """Colleagues behind one address with one kind of browser, all of them keen: each clicks within the hour."""
    for message in office:
        at = message.random.uniform(30, 3600)
        for link in message.random.sample(range(N_LINKS), message.random.choice((1, 1, 2))):
            message.add(HUMAN, "clicked", at, link_index=link, network="203.0.116.0/24")
            at += message.random.uniform(4, 60)


def carrier_people(office: Sequence[Message]) -> None:
    """Strangers at one mailbox provider behind one carrier's address, in the minutes after a big mailing."""
    for message in office:
        message.domain = "gmail.com"
        at = message.random.uniform(30, 120)
        message.add(HUMAN, "clicked", at, link_index=0, user_agent=BROWSERS[1], network="203.0.117.0/24")


OFFICES: dict[str, Callable[[Sequence[Message]], None]] = {
    "Gateway of an office": office_gateway,
    "People of an office": office_people,
    "People behind a carrier": carrier_people,
}
