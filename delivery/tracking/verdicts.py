"""Machine or human: rules over one hit and over the hits around it. Pure; facts in order of certainty.

VERSION is stored with each event: after a change, `manage.py reclassify` judges history anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

VERSION = 1

# Mail security gateways and libraries name themselves. Image proxies of Gmail and Yahoo fetch when a person looks.
SCANNER_WORDS = re.compile(
    r"barracuda|mimecast|proofpoint|urldefense|safelinks|forcepoint|symantec|messagelabs|trendmicro|sophos|zscaler|fireeye"
    r"|trellix|cisco|ironport|bitdefender|bingpreview|skypeuripreview|slackbot|facebookexternalhit|python|curl|wget|go-http"
    r"|java/|okhttp|headless|phantomjs|puppeteer|axios|node-fetch|libwww|scrapy|bot\b|spider|crawler",
    re.IGNORECASE,
)
IMAGE_PROXIES = ("GoogleImageProxy", "YahooMailProxy")
# Gmail fetches ahead of reading with exactly this browser of 2015.
GMAIL_PREFETCH = "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
# Apple Mail Privacy Protection: a bare product token, or WebKit without Version and Safari.
APPLE_BARE = "Mozilla/5.0"
APPLE_TAIL = "(KHTML, like Gecko)"

BURST_SECONDS = 2.0
BURST_LINKS = 3
TOO_SOON_SECONDS = 2.0
HONEYPOT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """human, machine or unknown, and the rule that said so."""

    verdict: str
    reason: str = ""


HUMAN = Verdict("human")


@dataclass(frozen=True, slots=True)
class Trace:
    """One hit as the rules see it; `at` and `sent_at` are Unix seconds."""

    kind: str
    at: float
    campaign_id: int
    contact_id: int
    link_index: int | None
    network: str
    user_agent: str
    method: str
    purpose: str
    sent_at: float | None = None


def judge_alone(trace: Trace) -> Verdict:
    """What one hit says by itself."""
    agent = trace.user_agent
    checks = (
        (trace.kind == "honeypot", "honeypot"),
        (trace.method == "HEAD", "head-request"),
        (not agent, "no-user-agent"),
        (bool(re.search(r"prefetch|preview|prerender", trace.purpose, re.IGNORECASE)), "prefetch-header"),
        (GMAIL_PREFETCH in agent, "gmail-prefetch"),
        (not any(proxy in agent for proxy in IMAGE_PROXIES) and bool(SCANNER_WORDS.search(agent)), "scanner-agent"),
        (trace.kind == "opened" and (agent == APPLE_BARE or agent.endswith(APPLE_TAIL)), "apple-privacy"),
        (trace.sent_at is not None and trace.at - trace.sent_at < TOO_SOON_SECONDS, "too-soon"),
    )
    return next((Verdict("machine", reason) for matches, reason in checks if matches), HUMAN)


def judge_together(traces: Sequence[Trace]) -> list[Verdict]:
    """One verdict per hit, in order: alone first, then bursts and honeypots fold back over what came with them."""
    verdicts = [judge_alone(trace) for trace in traces]
    by_message: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, trace in enumerate(traces):
        by_message[trace.campaign_id, trace.contact_id].append(number)
    for numbers in by_message.values():
        for number, reason in _together(traces, sorted(numbers, key=lambda n: traces[n].at)):
            if verdicts[number].verdict == "human":
                verdicts[number] = Verdict("machine", reason)
    return verdicts


def _together(traces: Sequence[Trace], numbers: Sequence[int]) -> Iterable[tuple[int, str]]:
    clicks = [n for n in numbers if traces[n].kind in ("clicked", "honeypot")]
    for first, number in enumerate(clicks):
        burst = [n for n in clicks[first:] if traces[n].at - traces[number].at <= BURST_SECONDS]
        if len({traces[n].link_index for n in burst}) >= BURST_LINKS:
            yield from ((n, "click-burst") for n in burst)
    for trap in (traces[n] for n in numbers if traces[n].kind == "honeypot"):
        for n in clicks:
            if traces[n].network == trap.network and abs(traces[n].at - trap.at) <= HONEYPOT_SECONDS:
                yield n, "honeypot"
