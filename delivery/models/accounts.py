"""Provider accounts and routes: by which way mail leaves, and how fast it may."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contacts.encryption import EncryptedJSONField
from contacts.models import Brand
from delivery.breaker import Circuit


def make_hook_token() -> str:
    """43 characters that nobody guesses: the last part of a webhook's address."""
    return secrets.token_urlsafe(32)


def _in_words(*rates: tuple[float | None, str]) -> str:
    return ", ".join(f"{count:,g} {period}" for count, period in rates if count) or "no limit"


class ProviderAccount(models.Model):
    """One account at one provider (an SMTP relay counts as one), with its limits."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=40, default="smtp", help_text="A key of delivery.providers.PROVIDERS, or smtp.")
    options = models.JSONField(default=dict, blank=True, help_text="Host, port, TLS and the like; no secrets.")
    secrets = EncryptedJSONField(null=True)
    hook_token = models.CharField(max_length=43, unique=True, default=make_hook_token, editable=False)
    # What proves webhook calls, see delivery.hook_secrets: the present secret, and the last one while it is rotated.
    hook_secrets = EncryptedJSONField(null=True)
    enabled = models.BooleanField(default=True)
    max_connections = models.PositiveSmallIntegerField(
        "connections at once", default=10, help_text="Of all workers together, at least 1."
    )
    messages_per_connection = models.PositiveIntegerField(
        default=1000, help_text="After so many messages a connection is closed and a new one opened."
    )
    messages_per_second = models.FloatField(
        null=True, blank=True, help_text="0.5 is one every two seconds. Empty: as fast as the server takes them."
    )
    messages_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    messages_per_hour = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    messages_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Per calendar day in the zone below. Empty: no quota."
    )
    connections_per_minute = models.PositiveIntegerField(
        "new connections per minute", null=True, blank=True, help_text="Empty: no limit."
    )
    quota_timezone = models.CharField(
        "time zone of its day",
        max_length=64,
        default="UTC",
        help_text="Where it is midnight when the provider’s day begins, as in Europe/Berlin.",
    )
    suspended_until = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_reason = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(max_connections__gte=1), name="an_account_has_a_connection"),
            models.CheckConstraint(
                condition=Q(messages_per_second=None) | Q(messages_per_second__gt=0), name="account_rate_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rates_in_words(self) -> str:
        """Its limits of messages, without the day's quota."""
        per_minute = (self.messages_per_minute, "a minute")
        return _in_words((self.messages_per_second, "a second"), per_minute, (self.messages_per_hour, "an hour"))


class SourceAddress(models.Model):
    """A local IP address that an SMTP account connects from: own connections, own limits, a share by weight.

    An account with enabled source addresses uses these alone; one without lets the system choose.
    """

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="sources")
    address = models.GenericIPAddressField(
        "IP address", help_text="Every machine with a sending worker must have it, or its connections fail."
    )
    helo_name = models.CharField(
        "host name", max_length=253, blank=True, help_text="The name that its reverse DNS gives. Empty: the account's."
    )
    weight = models.PositiveSmallIntegerField(
        default=1, help_text="Its share beside the account's other addresses: 2 carries twice as much as 1."
    )
    enabled = models.BooleanField("switched on", default=True, help_text="Off: nothing leaves from it.")
    max_connections = models.PositiveSmallIntegerField(
        "connections at once", null=True, blank=True, help_text="Empty: as many as the account allows."
    )
    messages_per_second = models.FloatField(null=True, blank=True, help_text="Empty: the account's limit alone.")
    messages_per_hour = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit of its own.")
    messages_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Per calendar day in the account's time zone. Empty: no limit of its own."
    )

    class Meta:
        ordering = ["account", "id"]
        verbose_name_plural = "source addresses"
        constraints = [
            models.UniqueConstraint(fields=["account", "address"], name="an_account_has_an_address_once"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="source_weight_is_positive"),
            models.CheckConstraint(
                condition=Q(max_connections=None) | Q(max_connections__gte=1), name="a_source_has_a_connection"
            ),
            models.CheckConstraint(
                condition=Q(messages_per_second=None) | Q(messages_per_second__gt=0), name="source_rate_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def rates_in_words(self) -> str:
        """Its limits of messages, without the day's quota."""
        return _in_words((self.messages_per_second, "a second"), (self.messages_per_hour, "an hour"))


class AccountBreaker(models.Model):
    """The circuit breaker of an account, shared by all workers; `version` grows with each write (delivery.breaker)."""

    account = models.OneToOneField(ProviderAccount, on_delete=models.CASCADE, primary_key=True, related_name="breaker")
    circuit = models.CharField(
        max_length=10,
        choices=[(circuit.value, circuit.value.replace("_", " ")) for circuit in Circuit],
        default=Circuit.CLOSED.value,
    )
    until = models.DateTimeField(null=True)
    n_ok = models.IntegerField(default=0)
    n_failed = models.IntegerField(default=0)
    n_opened = models.IntegerField(default=0, help_text="Times in a row.")
    reason = models.TextField(blank=True)
    version = models.IntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.circuit} for {self.account_id}"


class Route(models.Model):
    """A pool of provider accounts; where a campaign names none, a route choice, its brand or the default decide."""

    key = models.SlugField(
        "short name",
        max_length=50,
        unique=True,
        help_text="What campaigns and the API keep. Change it only while no campaign uses the route.",
    )
    name = models.CharField(max_length=100, help_text="As marketers see it when they choose how a campaign goes out.")
    brand = models.ForeignKey(
        Brand,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Mail of this brand takes the route unless something else is chosen. Empty: for every brand.",
    )
    is_default = models.BooleanField(
        "default", default=False, help_text="Mail takes it where neither campaign, rule nor brand says otherwise."
    )
    accounts = models.ManyToManyField(ProviderAccount, through="RouteMember", related_name="routes")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_route"),
        ]

    def __str__(self) -> str:
        return self.name


class RouteMember(models.Model):
    """An account in a route's pool: lower `rank` first, `weight` shares within a rank."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="members")
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="memberships")
    rank = models.PositiveSmallIntegerField(
        default=0, help_text="0 sends; 1 only while every 0 is out of service, and so on."
    )
    weight = models.PositiveSmallIntegerField(
        default=1, help_text="Share within its rank: 2 carries twice as much as 1."
    )

    class Meta:
        ordering = ["rank", "id"]
        verbose_name = "account of the route"
        verbose_name_plural = "accounts of the route"
        constraints = [
            models.UniqueConstraint(fields=["route", "account"], name="an_account_joins_a_route_once"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="member_weight_is_positive"),
        ]

    def __str__(self) -> str:
        return str(self.account)


class RouteChoice(models.Model):
    """Which route mail takes that names none: the first choice, by position, whose conditions all hold."""

    class MessageKind(models.TextChoices):
        ANY = "", "Any"
        CAMPAIGN = "campaign", "Campaigns"
        TEST = "test", "Test messages"

    position = models.PositiveSmallIntegerField(
        "order", default=0, help_text="Lower numbers are looked at first; the first choice that fits is taken."
    )
    sender_domain = models.CharField(
        "sender's domain",
        max_length=255,
        blank=True,
        help_text="What stands behind the @ of the From address, subdomains included: example.com. Empty: any.",
    )
    message_kind = models.CharField(
        "kind of message", max_length=10, choices=MessageKind.choices, blank=True, default=MessageKind.ANY
    )
    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: any brand."
    )
    route = models.ForeignKey(
        Route, on_delete=models.CASCADE, related_name="choices", help_text="Which way such mail leaves."
    )

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.sender_domain or 'any sender'}: {self.route}"


class RecipientSite(models.Model):
    """The site that receives for a domain: hosted domains share Google's or Microsoft's limits."""

    domain = models.CharField(max_length=255, primary_key=True)
    site = models.CharField(max_length=100)
    resolved_at = models.DateTimeField(null=True, help_text="When DNS last answered; empty: the offline answer.")
    ask_at = models.DateTimeField(db_default=Now(), help_text="When DNS is asked next.")

    class Meta:
        indexes = [
            # The tick that asks DNS about new and stale domains.
            models.Index(fields=["ask_at"], name="sites_to_resolve"),
        ]

    def __str__(self) -> str:
        return f"{self.domain} at {self.site}"
