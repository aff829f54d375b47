"""Contacts, their typed custom fields, mailing lists and subscriptions."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower, Now

from contacts.fields import KEY_PATTERN

from .brand import Brand


class ContactField(models.Model):
    """A custom field that contacts may carry; its value lives in Contact.fields under `key`."""

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        BOOLEAN = "boolean", "Yes or no"
        LIST = "list", "List"

    key = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(KEY_PATTERN, "Use small letters, digits and _, beginning with a letter.")],
        help_text="Used in templates as contact.<key>, for example contact.birthday. It cannot be changed later.",
    )
    label = models.CharField(max_length=100, help_text="How people in the admin read it.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.TEXT)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class Contact(models.Model):
    """One person, unique by normalised address."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.CharField(max_length=320, help_text="The address as the person wrote it; mail goes here.")
    address = models.CharField(
        max_length=320,
        editable=False,
        db_collation="C",  # so that the unique index also answers "begins with", which the search box asks
        help_text="Normalised: what makes a contact unique.",
    )
    address_key = models.UUIDField(editable=False, help_text="First 128 bits of SHA-256 of the normalised address.")
    domain = models.CharField(max_length=255, editable=False, help_text="Domain of the address, as A-labels.")
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2.")
    city = models.CharField(max_length=150, blank=True)
    locale = models.CharField(max_length=16, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    fields = models.JSONField(default=dict, blank=True, db_default=models.Value("{}", models.JSONField()))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address"], name="one_contact_per_address"),
            models.CheckConstraint(condition=~models.Q(address=""), name="contact_has_an_address"),
        ]
        indexes = [
            # Suppressions are matched by key at freeze and at claim.
            models.Index(fields=["address_key"], name="contact_by_address_key"),
            # The audience page lists the newest first, page by page by key.
            models.Index(fields=["-created_at", "-id"], name="contact_newest_first"),
            # The search box: what a name begins with.
            models.Index(
                OpClass(Lower("first_name"), "text_pattern_ops"),
                name="contact_first_name_prefix",
                condition=~models.Q(first_name=""),
            ),
            models.Index(
                OpClass(Lower("last_name"), "text_pattern_ops"),
                name="contact_last_name_prefix",
                condition=~models.Q(last_name=""),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def full_name(self) -> str:
        """First and last name as one line."""
        return f"{self.first_name} {self.last_name}".strip()


class MailingList(models.Model):
    """A named set that people join."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="mailing_lists")  # lists are history
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True, help_text="Readers see this on the preference page.")
    public = models.BooleanField(default=True, help_text="Shown on the preference page.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="one_list_per_brand_and_name")]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """A contact on a mailing list; `consent_at` is the clock by which newer consent beats older."""

    class State(models.TextChoices):
        UNCONFIRMED = "unconfirmed", "Unconfirmed"
        CONFIRMED = "confirmed", "Subscribed"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="subscriptions")
    mailing_list = models.ForeignKey(
        MailingList, on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )  # the unique index begins with it
    state = models.CharField(max_length=12, choices=State.choices, default=State.CONFIRMED)
    source = models.CharField(max_length=60, blank=True)
    consent_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                # (list, contact) order: the planner walks one list's members in contact order.
                fields=["mailing_list", "contact"],
                name="one_subscription_per_list_and_contact",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.mailing_list_id}: {self.state}"


class ContactIdentity(models.Model):
    """The id by which a store or an API client knows a contact, with the clock of its newest record.

    Without a contact the row is a tombstone: the store deleted that customer, and older records must not bring it back.
    """

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=60, help_text="'api' or 'store:<pk>'.")
    external_id = models.CharField(max_length=200)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="identities")
    source_updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "source", "external_id"], name="one_contact_per_external_id"),
        ]
        verbose_name_plural = "contact identities"

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"
