"""Connected stores and the inbox of their signed webhook deliveries."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contacts.encryption import EncryptedJSONField
from contacts.models import Brand, MailingList


class Store(models.Model):
    """One shop on a site builder; its webhook address is /hooks/stores/<uuid>."""

    class Platform(models.TextChoices):
        SHOPIFY = "shopify", "Shopify"
        WOOCOMMERCE = "woocommerce", "WooCommerce"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="stores")
    platform = models.CharField(max_length=20, choices=Platform.choices)
    name = models.CharField(max_length=100)
    domain = models.CharField(max_length=253, help_text="Such as my-shop.myshopify.com or shop.example.com.")
    mailing_list = models.ForeignKey(
        MailingList,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="People who agreed to marketing in the store join this list.",
    )
    consent_meta_key = models.CharField(
        max_length=100,
        blank=True,
        help_text="WooCommerce only: the meta key in which a plugin keeps marketing consent.",
    )
    secrets = EncryptedJSONField(null=True, help_text="webhook_secret and, while rotating, old_webhook_secret.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["brand", "domain"], name="one_store_per_brand_and_domain")]

    def __str__(self) -> str:
        return self.name


class StoreDelivery(models.Model):
    """One webhook delivery, stored raw before anything is made of it; the body is dropped once it is processed."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="deliveries")
    delivery_key = models.CharField(max_length=200, help_text="What makes a delivery the same delivery again.")
    topic = models.CharField(max_length=100)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(help_text="Emptied once processed: personal data lives in contacts only.")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(db_default=Now(), help_text="When it is to be processed, or tried again.")
    processed_at = models.DateTimeField(null=True)
    n_attempts = models.SmallIntegerField(default=0)
    problem = models.TextField(blank=True)
    outcome = models.CharField(max_length=200, blank=True, help_text="What came of it, in words.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "delivery_key"], name="one_row_per_store_delivery"),
        ]
        indexes = [
            # The tick that processes what is not processed.
            models.Index(fields=["due_at", "id"], condition=Q(processed_at=None), name="store_deliveries_to_process"),
            # The store page shows the last 20; the clean-up drops old ones.
            models.Index(fields=["store", "-id"], name="store_deliveries_newest_first"),
        ]
        verbose_name_plural = "store deliveries"

    def __str__(self) -> str:
        return f"{self.topic} {self.delivery_key}"
