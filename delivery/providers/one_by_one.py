"""The base of our own provider modules: one HTTP call per message, one outcome per call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import httpx2

from delivery.outcomes import Outcome, Result

from .answers import bad_address, clip, halts, scrub, settled, unanswered, unsent
from .contract import (
    Account,
    ApiEnvelope,
    Capabilities,
    ProbeReport,
    ProviderEvent,
    UnreadableReceiptError,
    WebhookRequest,
)
from .http import Answer, Call, ForbiddenHostError, Http, UnansweredError, UnsentError
from .signatures import Check, by_any


class OneByOne:
    """A provider without a batch call; see contract.Provider. Subclasses say what is sent and how it is read.

    After an answer that the next message would meet too, the rest is not tried.
    """

    capabilities: Capabilities
    checks: tuple[Check, ...] = ()

    def __init__(self, account: Account) -> None:
        self._account = account
        seconds = account.settings.get("timeout")
        timeout = {"timeout": httpx2.Timeout(float(seconds))} if seconds else {}
        self._http = Http(account.network, **timeout)

    def call(self, envelope: ApiEnvelope) -> Call:
        """The request for one message; raises ValueError, in words, for what the API cannot say."""
        raise NotImplementedError

    def read(self, answer: Answer) -> Outcome:
        """What an answer says."""
        raise NotImplementedError

    def probe(self) -> Call:
        """A request that shows whether the credentials work and sends no mail."""
        raise NotImplementedError

    def probe_report(self, answer: Answer) -> ProbeReport:
        """What the answer to the probe says."""
        raise NotImplementedError

    def send(self, envelopes: Sequence[ApiEnvelope]) -> list[Outcome]:
        """See contract.Provider."""
        outcomes: list[Outcome] = []
        halted: Outcome | None = None
        for envelope in envelopes:
            outcomes.append(bad_address(envelope.recipient) or halted or self._send_one(envelope))
            halted = halted or (outcomes[-1] if halts(outcomes[-1]) else None)
        return outcomes

    def _send_one(self, envelope: ApiEnvelope) -> Outcome:
        """One message, one outcome."""
        try:
            outcome = self.read(self._http.call(self.call(envelope)))
        except ValueError as error:
            outcome = Outcome(Result.FAILED, text=clip(str(error)), reason="content")
        except ForbiddenHostError as error:
            outcome = Outcome(Result.FAILED, text=clip(str(error)), reason="settings")
        except UnsentError as error:
            outcome = unsent(str(error))
        except UnansweredError as error:
            outcome = unanswered(str(error))
        return settled(outcome, self._account.credentials.values())

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """See contract.Provider."""
        return any(by_any(check, request, secrets) for check in self.checks)

    def parse_events(self, request: WebhookRequest) -> list[ProviderEvent]:
        """See contract.Provider; a provider without webhooks reads nothing."""
        raise UnreadableReceiptError(f"no webhooks are known from this provider ({len(request.body)} bytes came)")

    def test_connection(self) -> ProbeReport:
        """See contract.Provider."""
        try:
            report = self.probe_report(self._http.call(self.probe()))
        except (UnsentError, UnansweredError, ValueError) as error:
            report = ProbeReport(False, str(error))
        return replace(report, words=clip(scrub(report.words, self._account.credentials.values())))

    def close(self) -> None:
        """See contract.Provider."""
        self._http.close()


def mapped(envelope: ApiEnvelope, mapping: str) -> dict[str, str]:
    """The template's variables from the campaign's, by lines "template_variable = campaign_variable".

    Without a mapping the campaign's variables go out under their own names. A line that names a variable which the
    campaign does not have gives an empty value, as the template shows nothing there.
    """
    lines = [line.strip() for line in mapping.splitlines() if line.strip()]
    if not lines:
        return dict(envelope.merge)
    pairs = [line.partition("=") for line in lines]
    if any(not (left.strip() and sign and right.strip()) for left, sign, right in pairs):
        raise ValueError('A line of the variable mapping is not of the form "template_variable = campaign_variable".')
    return {left.strip(): envelope.merge.get(right.strip(), "") for left, _, right in pairs}


def template_of(envelope: ApiEnvelope, settings: Mapping[str, str]) -> str:
    """The message's own template, else the account's; ValueError when neither is set."""
    template = envelope.template_id or settings.get("template_id", "")
    if not template:
        raise ValueError("No template is chosen: name one in the account.")
    return template
