"""The consent ledger (append-only) and suppressions, which outlive the contact."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .brand import Brand
from .people import Contact, MailingList


class ConsentEvent(models.Model):
    """Who agreed or refused, when by the source's clock, and the proof; rows are never changed."""

    class Kind(models.TextChoices):
        GRANTED = "granted", "Granted"
        CONFIRMED = "confirmed", "Confirmed by double opt-in"
        WITHDRAWN = "withdrawn", "Withdrawn"

    # The ledger stays when a person is erased or a list is deleted. No constraint in the database: two checks for each
    # row took a fifth of an import, and a row that names a contact who is gone is still true.
    contact = models.ForeignKey(
        Contact,
        on_delete=models.SET_NULL,
        null=True,
        related_name="consent_events",
        db_constraint=False,
        db_index=False,
    )
    mailing_list = models.ForeignKey(
        MailingList, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False, db_index=False
    )
    address_key = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source = models.CharField(max_length=60, help_text="Such as import:12, api, store:3, one-click, page, admin.")
    evidence = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(help_text="By the clock of the source.")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            # A person's consent history on the contact page.
            models.Index(fields=["contact", "-occurred_at"], name="consent_of_a_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} from {self.source} at {self.occurred_at:%Y-%m-%d %H:%M}"


class Suppression(models.Model):
    """An address that must not be mailed: everywhere, for one brand, or for one list."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", "Hard bounce"
        SOFT_BOUNCE = "soft_bounce", "Repeated soft bounces"
        COMPLAINT = "complaint", "Complaint"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        MANUAL = "manual", "By hand"
        ROLE = "role", "Role account"
        ERASED = "erased", "Erased on request"

    address_key = models.UUIDField()
    address = models.CharField(max_length=320, blank=True, help_text="Empty once the person was erased.")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=14, choices=Reason.choices)
    source = models.CharField(max_length=60, help_text="Such as smtp, dsn, webhook, one-click, page, admin, import:12.")
    evidence = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    lift_note = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(brand=None) | Q(mailing_list=None), name="suppression_has_one_scope"),
            models.UniqueConstraint(
                # Also the index by which the planner and the claim look an address up.
                fields=["address_key", "brand", "mailing_list"],
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="one_active_suppression_per_address_and_scope",
            ),
        ]
        indexes = [
            # The suppression page, newest first.
            models.Index(fields=["-created_at", "-id"], name="suppression_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.address or self.address_key}: {self.get_reason_display()}"
