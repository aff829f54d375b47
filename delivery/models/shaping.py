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


class SiteProfile(models.Model):
    """What a recipient site accepts from one path (account or source address); the row with no site is the default."""

    site = models.CharField(
        max_length=100,
        unique=True,
        blank=True,
        help_text="As reports name it: google, yahoo, a domain. Empty: every site without a profile of its own.",
    )
    messages_per_second = models.FloatField(null=True, blank=True, help_text="Empty: no limit of the site's own.")
    messages_per_hour = models.PositiveIntegerField(null=True, blank=True)
    messages_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Per calendar day in the account's zone."
    )
    connections = models.PositiveSmallIntegerField(
        default=10, help_text="At once. Connection figures hold for accounts whose server is the site's own."
    )
    connections_per_minute = models.PositiveIntegerField(null=True, blank=True, default=100)
    messages_per_connection = models.PositiveIntegerField(default=100)
    tls = models.CharField(
        max_length=20, choices=[(tls.value, tls.value.replace("_", " ")) for tls in Tls], default=Tls.OPPORTUNISTIC
    )
    idle_s = models.PositiveSmallIntegerField(default=60, help_text="Seconds that an idle connection is kept.")
    mx_suffixes = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Ends of its mail exchangers' host names, with commas between: .google.com, .googlemail.com",
    )
    note = models.CharField(max_length=300, blank=True)
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

    key = models.SlugField(max_length=60, unique=True, help_text="Names the rule in measures and logs.")
    pattern = models.CharField(
        max_length=300, help_text="A regular expression over reply code and text, upper and lower case alike."
    )
    sites = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Only replies from these sites, with commas between. Empty: from any.",
    )
    n_per_hour = models.PositiveIntegerField(default=1, help_text="Acts from this many such replies in an hour on.")
    suspend = models.BooleanField(default=False, help_text="Nothing is sent.")
    messages_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Lowers the rate to this.")
    connections = models.PositiveIntegerField(null=True, blank=True, help_text="Lowers connections to this.")
    messages_per_connection = models.PositiveIntegerField(
        null=True, blank=True, help_text="Lowers messages per connection to this."
    )
    reach = models.CharField(
        max_length=8,
        choices=[
            (Reach.PATH.value, "this account and source address to this site"),
            (Reach.SITE.value, "this account to this site"),
            (Reach.ACCOUNT.value, "the whole account"),
            (Reach.CAMPAIGN.value, "this campaign to this site"),
        ],
        default=Reach.PATH.value,
    )
    minutes = models.PositiveIntegerField(default=60, help_text="How long it holds.")
    enabled = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True)

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
