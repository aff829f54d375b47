"""How sending adapts to recipient sites: profiles, rules over replies, their measures, and the pace of paths."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from delivery.shaping.pace import Pace
from delivery.shaping.profiles import Profile, Tls
from delivery.shaping.rules import Action, Effect, Measure, Reach, Rule

from .accounts import ProviderAccount, SourceAddress

TLS_WORDS = [
    (Tls.OPPORTUNISTIC.value, "Encrypted where the server offers it"),
    (Tls.REQUIRED.value, "Always encrypted, with a valid certificate"),
    (Tls.REQUIRED_UNVERIFIED.value, "Always encrypted, whatever the certificate"),
]


class SiteProfile(models.Model):
    """What a recipient site accepts from one path (account or source address); the row with no site is the default."""

    site = models.CharField(
        max_length=100,
        unique=True,
        blank=True,
        help_text="As reports name it: google, yahoo, or a domain such as example.com. Empty: every site without a"
        " profile of its own.",
    )
    messages_per_second = models.FloatField(
        null=True, blank=True, help_text="Of each account or source address. Empty: no limit of the site's own."
    )
    messages_per_hour = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of each account or source address. Empty: no limit."
    )
    messages_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Per calendar day in the account's time zone. Empty: no limit."
    )
    connections = models.PositiveSmallIntegerField("connections at once", default=10, help_text="At least 1.")
    connections_per_minute = models.PositiveIntegerField(
        "new connections per minute", null=True, blank=True, default=100, help_text="Empty: no limit."
    )
    messages_per_connection = models.PositiveIntegerField(
        default=100, help_text="After so many messages a connection is closed and a new one opened."
    )
    tls = models.CharField("encryption", max_length=20, choices=TLS_WORDS, default=Tls.OPPORTUNISTIC)
    idle_s = models.PositiveSmallIntegerField(
        "idle connections are kept for (seconds)", default=60, help_text="So that the next message opens no new one."
    )
    mx_suffixes = ArrayField(
        models.CharField(max_length=100),
        verbose_name="ends of its mail servers' names",
        default=list,
        blank=True,
        help_text="With commas between, as in “.google.com, .googlemail.com”: a domain whose MX record ends so belongs"
        " to this site and shares its limits. Empty: only the domain that the site is named after.",
    )
    note = models.CharField(max_length=300, blank=True, help_text="For your colleagues: why it is so. Never sent.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["site"]
        constraints = [
            models.CheckConstraint(
                condition=Q(messages_per_second=None) | Q(messages_per_second__gt=0), name="profile_rate_is_positive"
            ),
            models.CheckConstraint(condition=Q(connections__gte=1), name="a_profile_allows_a_connection"),
            models.CheckConstraint(condition=Q(messages_per_connection__gte=1), name="a_connection_carries_a_message"),
        ]

    def __str__(self) -> str:
        return self.site or "every other site"

    @property
    def value(self) -> Profile:
        """The profile as pure modules take it."""
        return Profile(
            site=self.site,
            connections=self.connections,
            connections_per_minute=self.connections_per_minute,
            messages_per_connection=self.messages_per_connection,
            messages_per_second=self.messages_per_second,
            tls=Tls(self.tls),
            idle_s=self.idle_s,
            messages_per_hour=self.messages_per_hour,
            messages_per_day=self.messages_per_day,
        )


class ShapingRule(models.Model):
    """Words of a server, how often within an hour, and what follows for how long."""

    key = models.SlugField(
        "name", max_length=60, unique=True, help_text="Letters, digits and hyphens, as in yahoo-busy: measures name it."
    )
    pattern = models.CharField(
        "words in the reply",
        max_length=300,
        help_text="Part of the server's reply, such as “too many connections” or “421 4.7.28”; upper and lower case"
        " are alike. A regular expression: put a backslash before . [ ] ( ) where the sign itself is meant.",
    )
    sites = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Only replies from these sites count, with commas between, as in “google, yahoo”. Empty: any site's.",
    )
    n_per_hour = models.PositiveIntegerField(
        "replies in an hour before it acts", default=1, help_text="1: at the first such reply."
    )
    suspend = models.BooleanField(default=False, help_text="Nothing is sent until it is over; messages wait.")
    messages_per_minute = models.PositiveIntegerField(
        "lower the rate to (messages per minute)", null=True, blank=True, help_text="Empty: the rate stays."
    )
    connections = models.PositiveIntegerField(
        "lower connections to", null=True, blank=True, help_text="At once. Empty: they stay."
    )
    messages_per_connection = models.PositiveIntegerField(
        "lower messages per connection to", null=True, blank=True, help_text="Empty: they stay."
    )
    reach = models.CharField(
        "what it holds for",
        max_length=8,
        choices=[
            (Reach.PATH.value, "this account and source address to this site"),
            (Reach.SITE.value, "this account to this site"),
            (Reach.ACCOUNT.value, "the whole account"),
            (Reach.CAMPAIGN.value, "this campaign to this site"),
        ],
        default=Reach.PATH.value,
    )
    minutes = models.PositiveIntegerField(
        "for how long (minutes)", default=60, help_text="From the last such reply on. 60 is an hour, 1440 a day."
    )
    enabled = models.BooleanField("switched on", default=True, help_text="Off: such replies change nothing.")
    note = models.CharField(max_length=300, blank=True, help_text="For your colleagues: why it is so.")

    class Meta:
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(condition=Q(n_per_hour__gte=1) & Q(minutes__gte=1), name="a_rule_can_act"),
            models.CheckConstraint(
                # NULL >= 1 is unknown, which a check lets pass.
                condition=Q(suspend=True)
                | Q(messages_per_minute__isnull=False, messages_per_minute__gte=1)
                | Q(connections__isnull=False, connections__gte=1)
                | Q(messages_per_connection__isnull=False, messages_per_connection__gte=1),
                name="a_rule_has_an_effect",
                violation_error_message="Say what the rule does: suspend, or lower something to at least 1.",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What follows, in the order of the columns."""
        lowered = (
            (Action.LOWER_RATE, self.messages_per_minute),
            (Action.LOWER_CONNECTIONS, self.connections),
            (Action.LOWER_MESSAGES_PER_CONNECTION, self.messages_per_connection),
        )
        suspend = (Effect(Action.SUSPEND),) if self.suspend else ()
        return (*suspend, *(Effect(action, value) for action, value in lowered if value))

    @property
    def value(self) -> Rule:
        """The rule as pure modules take it; ValueError or re.error where it could never be carried out."""
        return Rule(
            self.key, self.pattern, self.effects, self.minutes, self.n_per_hour, tuple(self.sites), Reach(self.reach)
        )


class ShapingMeasure(models.Model):
    """One effect of one rule on one target, with the reply that caused it; over at `until`, or when it is revoked."""

    rule = models.CharField(max_length=60)
    action = models.CharField(
        max_length=30, choices=[(action.value, action.value.replace("_", " ")) for action in Action]
    )
    value = models.PositiveIntegerField(default=0)
    target = models.CharField(max_length=250, help_text="delivery.shaping.rules.target_of")
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, null=True, related_name="+")
    source = models.ForeignKey(SourceAddress, on_delete=models.CASCADE, null=True, related_name="+")
    campaign_id = models.BigIntegerField(null=True)
    site = models.CharField(max_length=100, blank=True)
    reply = models.TextField(help_text="The newest of the replies that caused it.")
    reason = models.CharField(max_length=300)
    n_times = models.IntegerField(default=1, help_text="How often the rule called for it while it held.")
    began_at = models.DateTimeField()
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-began_at"]
        verbose_name = "measure"
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("began_at")), name="a_measure_lasts"),
        ]
        indexes = [
            # What holds now: read once a second by every drain.
            models.Index(fields=["until"], condition=Q(revoked_at=None), name="measures_running"),
            # A measure that holds already is prolonged.
            models.Index(fields=["target", "rule", "action"], name="measures_of_a_target"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} on {self.target}"

    @property
    def as_measure(self) -> Measure:
        """The measure as pure modules take it."""
        action = Action(self.action)
        return Measure(self.rule, action, self.value, self.target, self.began_at, self.until, self.reply, self.reason)


class SitePace(models.Model):
    """How far a path is slowed: halved when the site throttles, 5 % of full more per minute since `changed_at`."""

    target = models.CharField(max_length=250, primary_key=True)
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+")
    source = models.ForeignKey(SourceAddress, on_delete=models.CASCADE, null=True, related_name="+")
    site = models.CharField(max_length=100, blank=True)
    factor = models.FloatField(help_text="Share of the full rate at `changed_at`, above 0 and at most 1.")
    changed_at = models.DateTimeField()
    full_at = models.DateTimeField(help_text="When it is at full rate again if nothing else is heard.")
    reply = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-changed_at"]
        verbose_name = "slowed path"
        constraints = [
            models.CheckConstraint(condition=Q(factor__gt=0) & Q(factor__lte=1), name="a_pace_is_a_share"),
        ]
        indexes = [
            # Paths that are slowed now: read once a second by every drain.
            models.Index(fields=["full_at"], name="paces_under_full"),
        ]

    def __str__(self) -> str:
        return f"{self.factor:.0%} on {self.target}"

    @property
    def value(self) -> Pace:
        """The pace as pure modules take it, as of `changed_at`."""
        return Pace(self.factor, self.changed_at)
