"""Sending domains: the keys that sign their mail, and what the domain name system last said about them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from contacts.encryption import EncryptedJSONField
from contacts.models import Brand
from delivery.dkim import KeyKind


class DkimKey(models.Model):
    """One key of a domain. It is made, published, seen live, then signs; the one before it retires."""

    class Kind(models.TextChoices):
        RSA = KeyKind.RSA.value, "RSA 2048"
        ED25519 = KeyKind.ED25519.value, "Ed25519"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be published"
        ACTIVE = "active", "Signing"
        RETIRED = "retired", "Retired"

    domain = models.CharField(max_length=253, help_text="The domain of the signature (d=), in its ASCII form.")
    selector = models.CharField(max_length=63)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.RSA)
    record = models.TextField(help_text="The value of the TXT record to publish; public.")
    secrets = EncryptedJSONField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True, help_text="When DNS last showed this very key.")
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["domain", "-created_at", "-id"]
        verbose_name = "sending domain"
        constraints = [
            models.UniqueConstraint(fields=["domain", "selector"], name="one_dkim_key_per_selector"),
            # Also the index by which workers find the keys of a From domain.
            models.UniqueConstraint(
                fields=["domain", "kind"], condition=Q(state="active"), name="one_signing_key_per_domain_and_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Where the record belongs."""
        return f"{self.selector}._domainkey.{self.domain}"


class DomainCheck(models.Model):
    """What the domain name system said when a brand's sending domain was last looked at."""

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, related_name="+")
    checked_at = models.DateTimeField()
    findings = models.JSONField(help_text="Rows of delivery.providers.dns_check.Finding.")

    def __str__(self) -> str:
        return f"{self.brand_id} at {self.checked_at:%Y-%m-%d %H:%M}"
