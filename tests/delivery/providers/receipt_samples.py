"""All samples of webhook events, for tests of reading and for the fuzzer."""

from __future__ import annotations

from delivery.providers import ProviderEvent
from tests.delivery.providers import receipt_cases_a, receipt_cases_m
from tests.delivery.providers.receipt_bodies import Case
from tests.delivery.providers.test_signatures import provider

CASES: list[Case] = [*receipt_cases_a.CASES, *receipt_cases_m.CASES]
IDS = [f"{case.kind}-{case.means[0]}-{n}" for n, case in enumerate(CASES)]
KINDS = sorted({case.kind for case in CASES})


def read(case: Case) -> ProviderEvent:
    events = provider(case.kind).parse_events(case.request())
    assert len(events) == 1
    return events[0]
