"""Adding a provider: pick it, paste its credentials, see the server's own words."""

from __future__ import annotations

import asyncio

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from campaigns.views.pages import back_to, render_page
from contacts.encryption import WrongKey
from contacts.models import Brand
from delivery.forms.accounts import TrialForm, form_for
from delivery.forms.hooks import HookSecretForm
from delivery.models import ProviderAccount
from delivery.providers import PROVIDERS, fitness
from delivery.providers.presets import SMTP_PRESETS
from delivery.sending.transports import provider_of, smtp_config
from delivery.services.accounts import give_default_route, hold_of, resume_account
from delivery.services.hook_overview import overview_of
from delivery.smtp import probe
from delivery.views.crumbs import account_crumbs

may_add = permission_required("delivery.add_provideraccount", raise_exception=True)
may_change = permission_required("delivery.change_provideraccount", raise_exception=True)


@require_GET
@may_add
def pick(request: HttpRequest) -> HttpResponse:
    """All ways of sending."""
    context = {"presets": SMTP_PRESETS.values(), "kinds": PROVIDERS.values()}
    return render_page(request, "delivery/account_pick.html", context, title="Add a provider", crumbs=account_crumbs())


@may_add
def new_account(request: HttpRequest, choice: str) -> HttpResponse:
    """The form of a new account; with the first one comes the default route."""
    try:
        form = form_for(None, choice, request.POST or None)
    except KeyError as problem:
        raise Http404("There is no such provider.") from problem
    if request.method == "POST" and form.is_valid():
        account = form.save()
        route = give_default_route(account)
        words = f" It is in the route “{route.name}”." if route else " Put it into a route to send with it."
        messages.success(request, f"“{account}” is saved.{words} Now test the connection and send a test message.")
        return redirect("admin:delivery_provideraccount_change", account.pk)
    context = {"form": form, "account": None, "notes": _notes(choice), "unfit": _unfit(choice)}
    return render_page(
        request, "delivery/account_form.html", context, title="New provider account", crumbs=account_crumbs()
    )


@may_change
def edit_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account with its limits, its routes and its connection test."""
    account, unreadable = _readable(account_id)
    form = form_for(account, "", request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        resume_account(account.pk)  # who corrects a password need not press a second button
        messages.success(request, f"“{account}” is saved. Workers use it within a minute.")
        return redirect("admin:delivery_provideraccount_change", account.pk)
    hooks = overview_of(account, now=timezone.now())
    context = {
        "form": form,
        "account": account,
        "routes": account.routes.all(),
        "notes": _notes(account.kind),
        "unfit": _unfit(account.kind),
        "unreadable": unreadable,
        "trial_form": TrialForm(),
        "domains": Brand.objects.order_by("name"),
        "hold": hold_of(account, now=timezone.now()),
        "hooks": hooks,
        "secret_form": HookSecretForm(account, hooks.webhooks.secret_help) if hooks else None,
    }
    return render_page(request, "delivery/account_form.html", context, title=account.name, crumbs=account_crumbs())


@require_POST
@may_change
def test_connection(request: HttpRequest, account_id: int) -> HttpResponse:
    """Connects, encrypts and logs in as for sending; no message is begun. The server's own words, good or bad."""
    account, unreadable = _readable(account_id)
    if unreadable:
        ok, words = False, unreadable
    else:
        ok, words = _probe_smtp(account) if account.kind == "smtp" else _probe_api(account)
    (messages.success if ok else messages.error)(request, words)
    return redirect("admin:delivery_provideraccount_change", account.pk)


@require_POST
@may_change
def send_trial_message(request: HttpRequest, account_id: int) -> HttpResponse:
    """One real message through this account; what the server answered, word for word."""
    from delivery.services.testing import send_trial  # the content pipeline: 40 MB that a web process seldom needs

    account, unreadable = _readable(account_id)
    form = TrialForm(request.POST)
    if unreadable:
        messages.error(request, unreadable)
    elif not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    else:
        result = send_trial(account, form.cleaned_data["brand"], form.cleaned_data["to"])
        if result.ok:
            messages.success(request, f"Sent to {result.address}. The server said: {result.text}")
        else:
            messages.error(request, f"Not sent to {result.address}. The server said: {result.text}")
    return redirect("admin:delivery_provideraccount_change", account.pk)


def _readable(account_id: int) -> tuple[ProviderAccount, str]:
    """The account, and in words why its secrets cannot be read; they are then asked for anew."""
    account = get_object_or_404(ProviderAccount.objects.defer("secrets", "hook_secrets"), pk=account_id)
    try:
        account.refresh_from_db(fields=["secrets"])
    except WrongKey as problem:
        account.secrets = {}
        return account, f"{problem} Put the old key back, or enter the credentials of “{account}” anew."
    return account, ""


@require_POST
@may_change
def resume(request: HttpRequest, account_id: int) -> HttpResponse:
    """A suspended account, or one whose circuit breaker is open, sends again."""
    account = get_object_or_404(ProviderAccount.objects.defer("secrets"), pk=account_id)
    resumed = resume_account(account.pk)
    messages.success(request, f"“{account}” sends again." if resumed else f"“{account}” was not held back.")
    return redirect(back_to(request, reverse("admin:delivery_provideraccount_change", args=[account.pk])))


def _probe_smtp(account: ProviderAccount) -> tuple[bool, str]:
    found = asyncio.run(probe(smtp_config(account)))
    if found.trouble is not None:
        return False, f"{account} cannot send: {found.trouble}"
    tls = f", encrypted with {found.tls}" if found.tls else ", not encrypted"
    return True, (
        f"{account} is ready for mail{tls}. Connected in {found.connected_in * 1000:.0f} ms, "
        f"one round trip takes {found.round_trip * 1000:.1f} ms."
    )


def _probe_api(account: ProviderAccount) -> tuple[bool, str]:
    try:
        provider = provider_of(account)
    except ValueError as problem:
        return False, f"{account} is not set up: {problem}"
    try:
        found = provider.test_connection()
    finally:
        provider.close()
    return found.ok, f"{account} answers: {found.words}"


def _notes(choice: str) -> str:
    """What to know before using it, as far as its preset or kind says."""
    kind, _, preset = choice.partition(":")
    if kind in PROVIDERS:
        return " ".join((PROVIDERS[kind].dns_notes, *PROVIDERS[kind].capabilities.notes)).strip()
    return SMTP_PRESETS[preset].notes if preset in SMTP_PRESETS else ""


def _unfit(choice: str) -> str:
    """Why campaigns cannot go out this way, said before somebody sets it up."""
    kind = PROVIDERS.get(choice.partition(":")[0])
    found = fitness.problems(kind.label, kind.capabilities, fitness.Uses()) if kind else []
    return f"Not for campaigns. {' '.join(found)}" if found else ""
