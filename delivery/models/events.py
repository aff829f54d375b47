"""What became known later: raw receipts, events (append-only) and the links that clicks name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .accounts import ProviderAccount


class Receipt(models.Model):
    """A webhook call or a bounce mail exactly as it came, stored before it is parsed."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        MAIL = "mail", "Mail"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.SET_NULL, null=True, db_index=False, related_name="receipts"
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of account and body: the same thing twice is one row.")
    headers = models.JSONField(default=dict, help_text="HTTP headers, or the envelope of a mail.")
    body = models.BinaryField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    processed_at = models.DateTimeField(null=True)
    n_attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, help_text="Not to be tried again before.")
    n_events = models.IntegerField(default=0)
    n_unmatched = models.IntegerField(default=0, help_text="Events that name no message of ours.")
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="one_row_per_receipt")]
        indexes = [
            # The tick that parses what is not parsed.
            models.Index(fields=["id"], condition=Q(processed_at=None), name="receipts_to_process"),
            # An account's page: how many came lately, and when the last one did.
            models.Index(fields=["account", "received_at"], name="receipts_of_an_account"),
            # What an operator has to look at.
            models.Index(fields=["id"], condition=~Q(problem=""), name="receipts_with_a_problem"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class IntakeState(models.Model):
    """How far a mailbox was read: IMAP's last UID, or the UIDLs that POP3 left on the server."""

    source = models.CharField(max_length=400, unique=True, help_text="imap://user@host:port/folder and the like.")
    state = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.source


class HookRefusal(models.Model):
    """How many webhook calls were refused, by account and reason; without an account: the address was unknown."""

    class Reason(models.TextChoices):
        UNKNOWN_ADDRESS = "unknown_address", "Unknown address"
        NO_SECRET = "no_secret", "No secret is stored yet"
        NOT_PROVED = "not_proved", "Not proved: wrong signature or secret"
        PROOF_UNAVAILABLE = "proof_unavailable", "The certificate could not be fetched"
        TOO_LARGE = "too_large", "Too large"
        ENCODING = "encoding", "Compressed in a way that cannot be read"
        NO_LENGTH = "no_length", "Sent without its length"
        BROKEN_OFF = "broken_off", "Broken off before its end"
        METHOD = "method", "Not a POST"
        SETTINGS = "settings", "The account's settings cannot be read"

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, null=True, related_name="hook_refusals")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    n_calls = models.BigIntegerField(default=1)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "reason"], nulls_distinct=False, name="one_counter_per_account_and_reason"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.reason}: {self.n_calls}"


class Event(models.Model):
    """One thing that happened to a message after it left; partitioned by month of `occurred_at`."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered"
        DEFERRED = "deferred"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        OPENED = "opened"
        CLICKED = "clicked"
        UNSUBSCRIBED = "unsubscribed"
        REJECTED = "rejected"
        FAILED = "failed"
        AUTO_REPLIED = "auto_replied"
        UNKNOWN = "unknown"

    pk = models.CompositePrimaryKey("occurred_at", "event_key")
    occurred_at = models.DateTimeField()
    event_key = models.UUIDField(help_text="Hash of what makes the event itself: replays fall on the same row.")
    received_at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    campaign_id = models.BigIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    receipt_id = models.BigIntegerField(null=True)
    link_index = models.SmallIntegerField(null=True)
    bounce_kind = models.CharField(max_length=8, help_text="hard, soft, block or empty.")
    category = models.CharField(max_length=30, help_text="Bounce category, or kind of opener.")
    enhanced = models.CharField(max_length=12)
    reply = models.TextField()
    verdict = models.CharField(max_length=8, help_text="human, machine, unknown or empty.")
    verdict_reason = models.CharField(max_length=60)
    rules_version = models.SmallIntegerField()
    network = models.CharField(max_length=45, help_text="Address cut to /24 or /48.")
    user_agent = models.CharField(max_length=300)
    details = models.JSONField()

    class Meta:
        managed = False
        db_table = "delivery_event"

    def __str__(self) -> str:
        return f"{self.kind} of {self.campaign_id}/{self.contact_id}"


class Link(models.Model):
    """A tracked link of a campaign; the redirect can be switched off."""

    campaign_id = models.BigIntegerField()
    index = models.SmallIntegerField()
    url = models.TextField(help_text="As written; holds Liquid where `dynamic`.")
    label = models.CharField(max_length=200, blank=True)
    dynamic = models.BooleanField(default=False)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign_id", "index"], name="one_link_per_campaign_and_index")]

    def __str__(self) -> str:
        return self.url
