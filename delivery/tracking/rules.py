"""The rules that tell machines from people, as rows; the first that fits a hit decides (see docs/tracking.md).

VERSION is stored with each event: raise it with every change here, then `manage.py reclassify` judges history anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VERSION = 3

HUMAN, MACHINE = "human", "machine"
ANY = ("opened", "clicked")
OPENED, CLICKED, TRAP = ("opened",), ("clicked",), ("honeypot",)


@dataclass(frozen=True, slots=True)
class Rule:
    """What one hit says by itself: `field` of the hit compared with `value` in the way `how`; patterns ignore case."""

    key: str
    version: int  # that brought it in or changed it last
    kinds: tuple[str, ...]
    field: Literal["kind", "method", "purpose", "user_agent", "label", "age"]
    how: Literal["is", "contains", "ends", "matches", "below"]
    value: str | float
    why: str
    verdict: str = MACHINE


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Clicks of one message within `seconds` of each other, on at least `n_links` links and `share` of all it has."""

    key: str
    version: int
    seconds: float
    n_links: int
    share: float
    why: str


@dataclass(frozen=True, slots=True)
class CrowdRule:
    """Clicks of `n_people` readers of one recipient domain, from one network, within `seconds` of each other.

    `one_agent`: they name the same program too. Never for domains of big mailbox providers, whose readers are strangers
    that share a carrier's addresses, nor for networks that are nobody's in particular (crowds.py).
    """

    key: str
    version: int
    seconds: float
    n_people: int
    one_agent: bool
    why: str


# Mail security gateways and HTTP libraries name themselves.
SCANNER_WORDS = (
    r"barracuda|mimecast|proofpoint|urldefense|safelinks|forcepoint|symantec|messagelabs|trendmicro|sophos|zscaler|fireeye"
    r"|trellix|cisco|ironport|bitdefender|bingpreview|skypeuripreview|slackbot|facebookexternalhit|python|curl|wget|go-http"
    r"|java/|okhttp|headless|phantomjs|puppeteer|axios|node-fetch|libwww|scrapy|bot\b|spider|crawler"
)
# Gmail fetches ahead of reading with exactly this browser of 2015.
GMAIL_PREFETCH = "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"

RULES = (
    Rule("honeypot", 1, TRAP, "kind", "is", "honeypot", "followed a link that no person can see"),
    Rule("head-request", 1, ANY, "method", "is", "HEAD", "asked with HEAD, as no mail program does"),
    Rule("no-user-agent", 1, ANY, "user_agent", "is", "", "did not say what program it is"),
    Rule("prefetch-header", 1, ANY, "purpose", "matches", "prefetch|preview|prerender", "said that it fetches ahead"),
    Rule("gmail-prefetch", 1, ANY, "user_agent", "contains", GMAIL_PREFETCH, "Gmail fetched it ahead of reading"),
    # Image proxies of Gmail and Yahoo fetch when a person looks; the first look only, later ones are cached.
    Rule("gmail-proxy", 2, OPENED, "user_agent", "contains", "GoogleImageProxy", "read in Gmail", HUMAN),
    Rule("yahoo-proxy", 2, OPENED, "user_agent", "contains", "YahooMailProxy", "read in Yahoo Mail", HUMAN),
    Rule("scanner-agent", 1, ANY, "user_agent", "matches", SCANNER_WORDS, "named itself a scanner or a program"),
    # Apple Mail Privacy Protection: a bare product token, or WebKit without Version and Safari, or Apple's egress.
    Rule("apple-privacy", 1, OPENED, "user_agent", "is", "Mozilla/5.0", "Apple's privacy proxy fetched it"),
    Rule("apple-privacy", 1, OPENED, "user_agent", "ends", "(KHTML, like Gecko)", "Apple's privacy proxy fetched it"),
    Rule("apple-egress", 2, OPENED, "label", "is", "apple", "came through Apple's privacy relay"),
    # For clicks alone: Outlook on the web fetches pictures for readers through the networks of its scanners.
    Rule("scanner-network", 2, CLICKED, "label", "is", "scanner", "came from a network of mail scanners"),
    Rule("too-soon", 1, ANY, "age", "below", 2.0, "came within two seconds of sending"),
)

GROUP_RULES = (
    GroupRule("click-burst", 1, 2.0, 3, 0.0, "one of three or more links followed within two seconds"),
    GroupRule("all-links", 2, 2.0, 2, 1.0, "all links of the message followed within two seconds"),
    GroupRule("link-sweep", 2, 60.0, 5, 0.8, "nearly all links of the message followed within a minute"),
)

# An office of 500 at its busiest, a tenth of it clicking within ten minutes, makes one click in 12 seconds.
CROWD_RULES = (
    CrowdRule("domain-sweep", 3, 10.0, 5, False, "one network followed links of 5 people at one company in 10 seconds"),
    CrowdRule("agent-sweep", 3, 60.0, 12, True, "one program followed links of 12 people at one company in a minute"),
    CrowdRule("slow-sweep", 3, 120.0, 24, False, "one network followed links of 24 people at one company in 2 minutes"),
)

# Who followed a honeypot had all links of that message followed from there, around that time, by the same scanner.
HONEYPOT_KEY = "after-honeypot"
HONEYPOT_SECONDS = 600.0
HONEYPOT_WHY = "the same network followed a link that no person can see"

# What a provider said of an open or click that it saw itself; our rules know less about it, so its word stays.
PROVIDERS_WORD = {
    "provider-says-machine": "the mail service says that a machine did it",
    "no-details-from-provider": "the mail service does not say what program it was",
}

WHY = (
    {rule.key: rule.why for rule in (*RULES, *GROUP_RULES, *CROWD_RULES)}
    | {HONEYPOT_KEY: HONEYPOT_WHY}
    | PROVIDERS_WORD
)
"""What each reason means, for people."""
