"""Buttons that take back what shaping did."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from redis import Redis

from campaigns.views.pages import back_to
from delivery.limits.errors import LimitsUnavailable
from delivery.models import ShapingMeasure, SitePace, WarmUp
from delivery.services.revoking import continue_warm_up, restore_pace, revoke_measure

may_shape = permission_required("delivery.change_shapingmeasure", raise_exception=True)


@require_POST
@may_shape
def revoke(request: HttpRequest, measure_id: int) -> HttpResponse:
    """The measure holds no more."""
    measure = get_object_or_404(ShapingMeasure, pk=measure_id)
    assert isinstance(request.user, AbstractBaseUser)  # noqa: S101 - admin_view lets nobody else in
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=2)
    try:
        revoked = revoke_measure(measure, by=request.user, redis=redis, now=timezone.now())
    except LimitsUnavailable:
        messages.error(request, "Redis does not answer, so nothing was revoked. Nothing is sent without it either.")
    else:
        words = "Revoked. Workers notice within a second." if revoked else "That measure was over already."
        messages.success(request, words)
    return redirect(back_to(request, reverse("admin:delivery_shapingmeasure_changelist")))


@require_POST
@may_shape
def restore(request: HttpRequest, target: str) -> HttpResponse:
    """The path is at its full rate again."""
    restored = restore_pace(get_object_or_404(SitePace, pk=target))
    messages.success(request, "Full rate again." if restored else "It was at full rate already.")
    return redirect("admin:delivery_sitepace_changelist")


@require_POST
@permission_required("delivery.change_warmup", raise_exception=True)
def go_on(request: HttpRequest, warm_up_id: int) -> HttpResponse:
    """A stopped warm-up sends again."""
    continued = continue_warm_up(get_object_or_404(WarmUp, pk=warm_up_id), now=timezone.now())
    messages.success(request, "It goes on with the cap it stopped at." if continued else "It was not stopped.")
    return redirect("admin:delivery_warmup_changelist")
