"""Delivery health: what every account and site does now and did in the last hour, and what holds it back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from redis import Redis
from redis.exceptions import RedisError

from campaigns.charts import Chart, Series
from campaigns.views.pages import home_crumbs, render_page
from delivery.health import Health, read_health
from delivery.limits.errors import LimitsUnavailable
from delivery.obstacles import of_keys
from delivery.sending.counts import RESULTS
from delivery.site_names import provider_label
from delivery.watchdog import look_at_processes, redis_is_down

may_see = permission_required("delivery.view_provideraccount", raise_exception=True)
N_LINES = 4  # a chart has four colours
NAMES = {"accepted": "Accepted", "deferred": "Deferred", "refused": "Refused", "other": "Other"}


@require_GET
@may_see
def health(request: HttpRequest) -> HttpResponse:
    """The page; its moving part alone for its own refresh."""
    chosen = _chosen(request)
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=2)
    try:
        found = read_health(redis, now=timezone.now())
        context = _context(found, **chosen) | {"finding": look_at_processes(redis) or of_keys(redis)}
    except (RedisError, LimitsUnavailable) as problem:
        context = {"finding": redis_is_down(problem)}
    context["is_live"] = True
    if request.headers.get("HX-Request"):
        return render(request, "delivery/health_body.html", context)
    return render_page(request, "delivery/health.html", context, title="Delivery health", crumbs=home_crumbs())


def _chosen(request: HttpRequest) -> dict[str, Any]:
    account = request.GET.get("account", "")
    return {"account_id": int(account) if account.isdigit() else None, "site": request.GET.get("site")}


def _context(found: Health, *, account_id: int | None, site: str | None) -> dict[str, Any]:
    names = {line.account.pk: line.account.name for line in found.accounts}
    return {
        "health": found,
        "stats": _stats(found, account_id, site),
        "charts": _charts(found, names, account_id, site),
        "chosen": [text for text in (names.get(account_id or 0), _site_name(site)) if text],
        "account_id": account_id,
        "site": site,
        "has_counted": bool(found.hour.paths),
        "counted_since": _since(found),
    }


def _since(found: Health) -> str:
    """When counting began, where that is not an hour ago."""
    since = found.hour.since
    if since is None or since <= found.hour.minutes[0]:
        return ""
    return f"{timezone.localtime(since):%H:%M} ({timezone.get_current_timezone_name()})"


def _site_name(site: str | None) -> str:
    return "" if site is None else provider_label(site) if site else "smaller sites"


def _stats(found: Health, account_id: int | None, site: str | None) -> list[dict[str, str]]:
    rate = sum(
        line.rate
        for line in found.paths
        if account_id in (None, line.account.pk) and (site is None or line.site == site)
    )
    totals = {name: found.hour.total(name, account_id=account_id, site=site) for name in RESULTS}
    n_all = sum(totals.values())
    stats = [{"label": "Per second now", "number": f"{rate:,.1f}", "rate": "over the last seconds", "tone": ""}]
    for name in RESULTS[:3]:
        share = f"{100 * totals[name] / n_all:.1f} % of the hour’s answers" if n_all else "in the last hour"
        stats.append({"label": NAMES[name], "number": f"{totals[name]:,}", "rate": share, "tone": ""})
    return stats


def _charts(found: Health, names: dict[int, str], account_id: int | None, site: str | None) -> list[Chart]:
    hour = found.hour
    labels = [f"{timezone.localtime(minute):%H:%M}" for minute in hour.minutes]
    of_all = [
        Series(NAMES[name], hour.per_minute(name, account_id=account_id, site=site))
        for name in RESULTS
        if name != "other" or hour.total(name, account_id=account_id, site=site)
    ]
    charts = [Chart("per-minute", "Messages per minute", labels, of_all, label_name="Minute")]
    by_account = {name: hour.per_minute("accepted", account_id=pk, site=site) for pk, name in names.items()}
    sites = {path[1] for path in hour.paths if account_id in (None, path[0])}
    by_site = {
        _site_name(one) or one: hour.per_minute("accepted", account_id=account_id, site=one) for one in sorted(sites)
    }
    for key, title, lines in (("account", "Accepted by account", by_account), ("site", "Accepted by site", by_site)):
        if len(shown := _biggest(lines)) > 1:
            charts.append(Chart(f"by-{key}", f"{title}, per minute", labels, shown, label_name="Minute"))
    return charts


def _biggest(lines: dict[str, list[int]]) -> list[Series]:
    busy = sorted((item for item in lines.items() if any(item[1])), key=lambda item: -sum(item[1]))
    return [Series(name, values) for name, values in busy[:N_LINES]]
