"""What campaigns asks of delivery: campaigns owns this page, delivery fills it at start-up, imports stay upstream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from campaigns.readiness import LaunchProblem

if TYPE_CHECKING:
    from campaigns.models import Campaign


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came of one test message: `text` is what the server answered, in its own words."""

    __test__ = False  # pytest takes classes named Test* for tests

    address: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """How far a campaign has come. `n_opened` and `n_clicked` count people, not scanners and mail proxies.

    `n_done` counts messages with a final outcome of any kind; `stalled` says in words why nothing moves, if so.
    """

    n_total: int = 0
    n_done: int = 0
    n_accepted: int = 0
    n_bounced: int = 0
    n_opened: int = 0
    n_clicked: int = 0
    n_unsubscribed: int = 0
    stalled: str = ""

    @property
    def percent(self) -> int:
        """Done, in whole percent, rounded down so that 100 means all."""
        return 100 * self.n_done // self.n_total if self.n_total else 0

    @property
    def n_delivered(self) -> int:
        """Accepted by the receiving side and not bounced later: what rates are measured against."""
        return max(self.n_accepted - self.n_bounced, 0)

    @property
    def open_rate(self) -> float | None:
        """Percent of delivered messages that a person opened; None while nothing is delivered."""
        return 100 * self.n_opened / self.n_delivered if self.n_delivered else None

    @property
    def click_rate(self) -> float | None:
        """Percent of delivered messages in which a person clicked; None while nothing is delivered."""
        return 100 * self.n_clicked / self.n_delivered if self.n_delivered else None


class DeliveryPort(Protocol):
    """What delivery answers about campaigns."""

    def route_choices(self) -> list[tuple[str, str]]:
        """Keys and names of the routes that a campaign may name."""
        ...

    def launch_problems(self, campaign: Campaign) -> list[LaunchProblem]:
        """Return why mail of this campaign could not leave, such as no route or a disabled account."""
        ...

    def send_test(self, variant_id: int, *, contact_id: int | None, to: Sequence[str]) -> list[TestResult]:
        """Send the variant as it is now to each address, filled in for the contact; one result per address."""
        ...

    def report_url(self, campaign_id: int) -> str:
        """Where a launched campaign's page is."""
        ...

    def brake_reason(self, campaign_id: int) -> str:
        """Why the automatic brake holds a paused campaign, to be read before it is resumed; empty where it does not."""
        ...

    def progress(self, campaign_ids: Iterable[int]) -> dict[int, ProgressLine]:
        """Progress of each campaign that has messages; others are absent. Few queries for any number of campaigns."""
        ...


_ports: list[DeliveryPort] = []


def register_delivery(port: DeliveryPort) -> None:
    """Make `port` the one that answers; the last one registered wins."""
    _ports[:] = [port]


def delivery() -> DeliveryPort:
    """Return the registered port. Raises LookupError where nothing was wired."""
    if not _ports:
        raise LookupError("No delivery is registered: delivery.registrations.register() runs at start-up.")
    return _ports[0]


class FakeDelivery:
    """A port for tests: answers what it was given and keeps what it was asked to send."""

    def __init__(self, *, problems: Sequence[LaunchProblem] = (), routes: Sequence[tuple[str, str]] = ()) -> None:
        self.problems = list(problems)
        self.routes = list(routes)
        self.lines: dict[int, ProgressLine] = {}
        self.sent: list[tuple[int, int | None, str]] = []
        self.refusals: dict[str, str] = {}
        self.brakes: dict[int, str] = {}
        self.asked: list[int] = []

    def route_choices(self) -> list[tuple[str, str]]:
        """Return the routes given."""
        return self.routes

    def launch_problems(self, campaign: Campaign) -> list[LaunchProblem]:
        """Return the problems given, for any campaign."""
        self.asked.append(campaign.pk)
        return self.problems

    def send_test(self, variant_id: int, *, contact_id: int | None, to: Sequence[str]) -> list[TestResult]:
        """Keep each address; those in `refusals` are refused with the text there."""
        self.sent += [(variant_id, contact_id, address) for address in to]
        return [
            TestResult(address, address not in self.refusals, self.refusals.get(address, "250 2.0.0 Ok: queued"))
            for address in to
        ]

    def report_url(self, campaign_id: int) -> str:
        """Return a path that names the campaign."""
        return f"/report/{campaign_id}/"

    def brake_reason(self, campaign_id: int) -> str:
        """Return the reason given."""
        return self.brakes.get(campaign_id, "")

    def progress(self, campaign_ids: Iterable[int]) -> dict[int, ProgressLine]:
        """Return the lines given."""
        return {key: self.lines[key] for key in campaign_ids if key in self.lines}
