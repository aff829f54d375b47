"""Campaigns with their variants and the funnel of their frozen audience."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from contacts.models import Brand, MailingList

from .template import Markup


class Campaign(models.Model):
    """One mailing: content, audience, time. Every change of `state` is a conditional update in services."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SCHEDULED = "scheduled", "Scheduled"
        PREPARING = "preparing", "Preparing"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    ACTIVE: ClassVar = (State.PREPARING, State.SENDING, State.PAUSED)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT, editable=False)
    send_to = models.ManyToManyField(MailingList, related_name="+", blank=True)
    exclude = models.ManyToManyField(MailingList, related_name="+", blank=True)
    route_key = models.SlugField(max_length=50, blank=True, help_text="Empty: the route that the rules choose.")
    weight = models.PositiveSmallIntegerField(default=1, help_text="Share of a route beside other campaigns.")
    messages_per_hour = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: as fast as the route allows."
    )
    track_opens = models.BooleanField(default=True)
    track_clicks = models.BooleanField(default=True)
    send_at = models.DateTimeField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC", help_text="Zone in which send_at was chosen.")
    expire_hours = models.PositiveSmallIntegerField(
        default=48, help_text="Deferred mail is given up this many hours after launch."
    )
    state_reason = models.TextField(blank=True, editable=False, help_text="Why it is paused, in words.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    launched_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(send_at__isnull=False), name="a_scheduled_campaign_has_a_time"
            ),
            models.CheckConstraint(condition=Q(weight__gte=1), name="campaign_weight_is_positive"),
            models.CheckConstraint(
                condition=Q(messages_per_hour=None) | Q(messages_per_hour__gte=1), name="campaign_rate_is_positive"
            ),
        ]
        indexes = [
            # The tick that launches what is due.
            models.Index(fields=["send_at"], condition=Q(state="scheduled"), name="campaigns_due"),
            # The planner and the drain ask which campaigns are under way.
            models.Index(
                fields=["state"], condition=Q(state__in=["preparing", "sending", "paused"]), name="campaigns_under_way"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """One of a campaign's contents."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="variants")
    name = models.CharField(max_length=20, default="A")
    share = models.PositiveSmallIntegerField(default=100, help_text="Percent of the audience.")
    subject = models.CharField(max_length=500, blank=True)
    preheader = models.CharField(max_length=300, blank=True)
    from_name = models.CharField(max_length=100, blank=True)
    from_email = models.EmailField(blank=True)
    reply_to = models.EmailField(blank=True)
    markup = models.CharField(max_length=4, choices=Markup.choices, default=Markup.MJML)
    body = models.TextField(blank=True, max_length=300_000)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="one_variant_per_campaign_and_name"),
            models.CheckConstraint(condition=Q(share__lte=100), name="variant_share_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.name}"


class Audience(models.Model):
    """The funnel of a campaign's audience, fixed at launch; the rows themselves are delivery's messages."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, primary_key=True, related_name="audience")
    n_matched = models.IntegerField(help_text="Subscriptions on the chosen lists, in any state.")
    n_duplicates = models.IntegerField(help_text="The same person on several of the lists.")
    n_unsubscribed = models.IntegerField()
    n_unconfirmed = models.IntegerField()
    n_excluded = models.IntegerField(help_text="On a list that was left out.")
    n_suppressed = models.IntegerField()
    n_total = models.IntegerField(help_text="The audience: as many message rows exist.")
    frozen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    n_total=F("n_matched")
                    - F("n_duplicates")
                    - F("n_unsubscribed")
                    - F("n_unconfirmed")
                    - F("n_excluded")
                    - F("n_suppressed")
                ),
                name="audience_funnel_adds_up",
            )
        ]

    def __str__(self) -> str:
        return f"{self.n_total} of {self.n_matched}"
