"""Asks DNS which site receives for a domain, in the background and outside transactions; planners never wait for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from delivery.models import RecipientSite, SiteProfile
from delivery.site_tables import MX_SUFFIXES
from delivery.sites import Found, ask_site

# New domains at once, known ones now and then: companies move their mail to another host.
KNOWN_FOR = timedelta(days=7)
SILENT_FOR = timedelta(hours=1)
N_THREADS = 16


def resolve_sites(ask: Callable[[str], Found | None] | None = None, *, now: datetime, limit: int = 48) -> int:
    """Up to `limit` new or stale domains have the site that DNS tells; returns how many answers came.

    A domain without an answer keeps its site and is asked again in an hour.
    """
    domains = list(RecipientSite.objects.filter(ask_at__lte=now).order_by("ask_at")[:limit])
    if not domains:
        return 0
    suffixes = site_suffixes()
    asked = ask or (lambda domain: ask_site(domain, suffixes))
    with ThreadPoolExecutor(N_THREADS) as threads:
        answers = list(threads.map(asked, [row.domain for row in domains]))
    for row, found in zip(domains, answers, strict=True):
        _store(row, found, now)
    return sum(found is not None for found in answers)


def site_suffixes() -> dict[str, str]:
    """Ends of exchangers' names and their sites: the built-in table under what operators wrote in the profiles."""
    written = {
        "." + suffix.strip().strip(".").lower(): profile.site
        for profile in SiteProfile.objects.exclude(site="")
        for suffix in profile.mx_suffixes
    }
    return {**MX_SUFFIXES, **written}


def _store(row: RecipientSite, found: Found | None, now: datetime) -> None:
    """Only if nobody else answered meanwhile."""
    rows = RecipientSite.objects.filter(domain=row.domain, ask_at=row.ask_at)
    if found is None:
        rows.update(ask_at=now + SILENT_FOR)
    else:
        rows.update(site=found.site, resolved_at=now, ask_at=now + KNOWN_FOR)
