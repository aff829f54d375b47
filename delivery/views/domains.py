"""Sending domains: which records each brand needs, which are live, and the keys that sign."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from campaigns.views.pages import Crumbs, home_crumbs, render_page
from contacts.models import Brand
from delivery.dkim import LIFETIME, KeyKind
from delivery.models import DkimKey, DomainCheck
from delivery.providers.https_check import visit_https
from delivery.rendering.headers import ascii_domain
from delivery.services.dkim_keys import (
    WrongKeyState,
    activate_dkim_key,
    add_dkim_key,
    delete_dkim_key,
    retire_dkim_key,
)
from delivery.services.domains import DomainRow, check_brand_domain, keys_of, needs_of, system_lookup, wanted_records

may_see = permission_required("delivery.view_dkimkey", raise_exception=True)
may_change = permission_required("delivery.change_dkimkey", raise_exception=True)
# Level: tone, icon and word; worst first.
LEVELS = {
    "failure": ("bad", "error", "Missing or wrong"),
    "unknown": ("", "help", "Not known"),
    "warning": ("warn", "warning", "Could be better"),
    "ok": ("good", "check_circle", "Live"),
}


@require_GET
@may_see
def domain_list(request: HttpRequest) -> HttpResponse:
    """Every brand's sending domain with what the last check said."""
    checks = {check.brand_id: check for check in DomainCheck.objects.all()}
    signing = set(DkimKey.objects.filter(state=DkimKey.State.ACTIVE).values_list("domain", flat=True))
    rows = [
        {
            "brand": brand,
            "check": checks.get(brand.pk),
            "status": _worst(checks.get(brand.pk)),
            "signed": any(_covers(domain, brand.sending_domain) for domain in signing),
        }
        for brand in Brand.objects.all()
    ]
    return render_page(
        request, "delivery/domain_list.html", {"rows": rows}, title="Sending domains", crumbs=home_crumbs()
    )


@require_GET
@may_see
def show_domain(request: HttpRequest, brand_id: int) -> HttpResponse:
    """The records of one brand's domain, their state when last looked at, and its keys."""
    brand = get_object_or_404(Brand, pk=brand_id)
    check = DomainCheck.objects.filter(brand=brand).first()
    rows = [DomainRow(**row) for row in check.findings] if check else wanted_records(needs_of(brand))
    context = {
        "brand": brand,
        "check": check,
        "rows": [{"row": row, "level": LEVELS[row.level]} for row in rows],
        "status": _worst(check),
        "keys": keys_of(brand),
        "kinds": DkimKey.Kind.choices,
        "lifetime_days": LIFETIME // 86_400,
        "may_change": request.user.has_perm("delivery.change_dkimkey"),
    }
    return render_page(request, "delivery/domain.html", context, title=brand.sending_domain, crumbs=_crumbs())


@require_POST
@may_see
def check(request: HttpRequest, brand_id: int) -> HttpResponse:
    """Ask DNS and the tracking host now and keep what they say."""
    brand = get_object_or_404(Brand, pk=brand_id)
    found = check_brand_domain(brand, system_lookup(), now=timezone.now(), visit=visit_https)
    levels = [row["level"] for row in found.findings]
    if "failure" in levels:
        messages.error(request, f"{levels.count('failure')} of {len(levels)} things are missing or wrong, see below.")
    elif "unknown" in levels:
        messages.warning(request, "The name server did not answer everything. Check again in a while.")
    else:
        messages.success(request, f"{brand.sending_domain} is ready for campaigns.")
    return _back(brand_id)


@require_POST
@may_change
def add_key(request: HttpRequest, brand_id: int) -> HttpResponse:
    """A new key that waits for its record."""
    brand = get_object_or_404(Brand, pk=brand_id)
    kind = request.POST.get("kind", "")
    if kind not in DkimKey.Kind.values:
        raise Http404("There is no such kind of key.")
    key = add_dkim_key(ascii_domain(brand.sending_domain).lower(), KeyKind(kind), now=timezone.now())
    messages.success(request, f"Publish the record of {key.name}, check DNS, then switch to it.")
    return _back(brand_id)


@require_POST
@may_change
def change_key(request: HttpRequest, brand_id: int, key_id: int, deed: str) -> HttpResponse:
    """Switch to a key, retire it or delete it."""
    brand = get_object_or_404(Brand, pk=brand_id)
    key = get_object_or_404(keys_of(brand), pk=key_id)
    now = timezone.now()
    try:
        words = _do(deed, key, unseen="unseen" in request.POST, now=now)
    except WrongKeyState as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, words)
    return _back(brand_id)


def _do(deed: str, key: DkimKey, *, unseen: bool, now: datetime) -> str:
    until = f"{now + timedelta(seconds=LIFETIME):%-d %B}"
    match deed:
        case "activate":
            activate_dkim_key(key.pk, unseen=unseen, now=now)
            return f"{key.name} signs within a minute. Leave the record of the key before it in place until {until}."
        case "retire":
            retire_dkim_key(key.pk, now=now)
            return f"{key.name} signs nothing more. Leave its record in place until {until}."
        case "delete":
            delete_dkim_key(key.pk)
            return f"{key.name} is deleted. Remove its record, too."
        case _:
            raise Http404("A key can be activated, retired or deleted.")


def _worst(check: DomainCheck | None) -> tuple[str, str, str]:
    """The tone, icon and words of a whole check."""
    if check is None:
        return ("", "help", "Not checked yet")
    levels = [row["level"] for row in check.findings]
    worst = min(levels, key=list(LEVELS).index, default="ok")
    tone, icon, words = LEVELS[worst]
    return (tone, icon, words if worst == "ok" else f"{levels.count(worst)} {words.lower()}")


def _covers(domain: str, sending_domain: str) -> bool:
    return sending_domain.lower() == domain or sending_domain.lower().endswith(f".{domain}")


def _back(brand_id: int) -> HttpResponse:
    return redirect("admin:delivery_domain", brand_id)


def _crumbs() -> Crumbs:
    return [*home_crumbs(), ("Sending domains", reverse("admin:delivery_dkimkey_changelist"))]
