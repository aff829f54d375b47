"""An account's webhook secret: made, pasted, rotated."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from campaigns.views.pages import Crumbs, render_page
from delivery.forms.hooks import HookSecretForm
from delivery.models import ProviderAccount
from delivery.providers.contract import Proof, Webhooks
from delivery.services import hook_overview
from delivery.services.hooks import hook_address, kind_of, webhooks_of
from delivery.views.crumbs import account_crumbs, account_page

may_change = permission_required("delivery.change_provideraccount", raise_exception=True)


@require_POST
@never_cache
@may_change
def make_secret(request: HttpRequest, account_id: int) -> HttpResponse:
    """A new secret of our own, shown this once, in the address where it belongs there."""
    account, webhooks = _hooked(account_id)
    secret = hook_overview.make_new_secret(account, webhooks, now=timezone.now())
    in_address = webhooks.proof is not Proof.TOKEN_HEADER
    context = {
        "account": account,
        "in_address": in_address,
        "address": kind_of(account).webhook_address(hook_address(account), secret),
        "secret": secret,
        "hook_user": secret.partition(":")[0] if webhooks.proof is Proof.BASIC_AUTH else "",
        "hook_password": secret.partition(":")[2] if webhooks.proof is Proof.BASIC_AUTH else "",
        "setup": webhooks.setup,
    }
    return render_page(request, "delivery/hook_secret.html", context, title="Webhook secret", crumbs=_way(account))


@require_POST
@may_change
def keep_secret(request: HttpRequest, account_id: int) -> HttpResponse:
    """The secret that the provider showed is stored; the one before it holds for a week more."""
    account, webhooks = _hooked(account_id)
    form = HookSecretForm(account, webhooks.secret_help, request.POST)
    if form.is_valid():
        hook_overview.keep_secret(account, form.cleaned_data["secret"], now=timezone.now())
        messages.success(request, f"The webhook secret of “{account}” is stored.")
    else:
        messages.error(request, " ".join(str(problem) for problem in form.errors["secret"]))
    return redirect(account_page(account) + "#hooks")


@require_POST
@may_change
def end_old_secret(request: HttpRequest, account_id: int) -> HttpResponse:
    """Only the new secret holds from now on."""
    account, _ = _hooked(account_id)
    hook_overview.end_old_secret(account)
    messages.success(request, f"Calls under the old secret of “{account}” are refused from now on.")
    return redirect(account_page(account) + "#hooks")


def _hooked(account_id: int) -> tuple[ProviderAccount, Webhooks]:
    account = get_object_or_404(ProviderAccount, pk=account_id)
    webhooks = webhooks_of(account)
    if webhooks is None:
        raise Http404("This provider reports nothing.")
    return account, webhooks


def _way(account: ProviderAccount) -> Crumbs:
    return [*account_crumbs(), (account.name, account_page(account))]
