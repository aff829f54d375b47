"""The send ledger: batches (leased), messages (written before sending), outcomes (append-only), deferrals.

A message's state is derived, never stored (docs/adr/0004):
  its batch is unfinished and position >= n_begun      pending, or claimed while the batch is leased
  position < n_begun and no outcome row                sending
  an outcome row (batch, position)                     that outcome's result
Messages and outcomes are partitioned by ranges of campaign id (docs/adr/0003); partitions are attached by the planner.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from delivery.inbound.taxonomy import BLOCKS

from .accounts import ProviderAccount, Route, SourceAddress


class Batch(models.Model):
    """About 1,000 messages of one campaign, one route and one recipient site: what a worker leases."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        LEASED = "leased", "Leased"
        FINISHED = "finished", "Finished"

    campaign_id = models.BigIntegerField()
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="+")
    site = models.CharField(max_length=100, blank=True, help_text="Empty: many small sites share the batch.")
    attempt = models.SmallIntegerField(default=1, help_text="1, or more for batches of deferred messages.")
    # Greylisted mail: only this account and source address are known to the greylist.
    account = models.ForeignKey(ProviderAccount, on_delete=models.SET_NULL, null=True, related_name="+")
    source = models.ForeignKey(SourceAddress, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(db_default=Now())
    n_messages = models.IntegerField()
    n_begun = models.IntegerField(default=0, help_text="The intent journal: positions below may have been sent.")
    fence = models.IntegerField(default=0, help_text="Grows with each lease; every write of a holder names it.")
    leased_by = models.CharField(max_length=60, blank=True)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Counted from outcome rows when the batch finishes, or when one of its rows is resolved later.
    n_accepted = models.IntegerField(default=0)
    n_deferred = models.IntegerField(default=0)
    n_refused = models.IntegerField(default=0)
    n_failed = models.IntegerField(default=0)
    n_uncertain = models.IntegerField(default=0)
    n_suppressed = models.IntegerField(default=0)
    n_expired = models.IntegerField(default=0)
    n_cancelled = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(n_begun__gte=0) & Q(n_begun__lte=models.F("n_messages")),
                name="the_journal_stays_in_its_batch",
            ),
            models.CheckConstraint(
                condition=~Q(state="leased") | Q(lease_until__isnull=False), name="a_leased_batch_has_a_lease"
            ),
        ]
        indexes = [
            # The claim: due batches of a route, oldest first per campaign.
            models.Index(
                fields=["route", "campaign_id", "due_at", "id"], condition=Q(state="pending"), name="batches_to_claim"
            ),
            # The sweeper: leases that ran out. Not by lease_until: every journal step moves it, and a row none of whose
            # indexed values changes needs no new entry in any of the eight indexes (a heap-only tuple).
            models.Index(fields=["id"], condition=Q(state="leased"), name="batches_leased"),
            # Progress and the end of a campaign.
            models.Index(fields=["campaign_id", "state"], name="batches_of_a_campaign"),
            # The tick that settles uncertain messages by later events; few batches have any.
            models.Index(fields=["campaign_id"], condition=Q(n_uncertain__gt=0), name="batches_with_uncertain"),
        ]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"batch {self.pk} of campaign {self.campaign_id}"


class Message(models.Model):
    """One campaign × one contact: the unit of truth, written before anything is sent."""

    pk = models.CompositePrimaryKey("campaign_id", "contact_id")  # one_message_per_campaign_and_contact
    campaign_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    variant_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(help_text="The batch it is in now; deferred messages move to a new one.")
    position = models.SmallIntegerField()

    class Meta:
        managed = False  # partitioned: created by SQL in the first migration
        db_table = "delivery_message"

    def __str__(self) -> str:
        return f"message {self.campaign_id}/{self.contact_id}"


class OutcomeRow(models.Model):
    """What one attempt came to; appended by COPY, one row per (batch, position), never updated but to resolve."""

    pk = models.CompositePrimaryKey("campaign_id", "batch_id", "position")
    campaign_id = models.BigIntegerField()
    batch_id = models.BigIntegerField()
    position = models.SmallIntegerField()
    contact_id = models.BigIntegerField()
    result = models.SmallIntegerField(help_text="delivery.outcomes.Result")
    account_id = models.BigIntegerField(null=True)
    source_id = models.BigIntegerField(null=True)
    code = models.SmallIntegerField()
    enhanced = models.CharField(max_length=12)
    reply = models.TextField(help_text="The provider's words; empty for a plain acceptance.")
    provider_id = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "delivery_outcome"

    def __str__(self) -> str:
        return f"outcome {self.batch_id}/{self.position}: {self.result}"


class Deferral(models.Model):
    """A message that waits for another attempt; the row stays as the record of the attempt that was deferred."""

    campaign_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="+")
    batch_id = models.BigIntegerField(help_text="The batch whose attempt was deferred.")
    position = models.SmallIntegerField()
    attempt = models.SmallIntegerField(help_text="Number of the attempt that was deferred, from 1.")
    account = models.ForeignKey(ProviderAccount, on_delete=models.SET_NULL, null=True, related_name="+")
    source = models.ForeignKey(SourceAddress, on_delete=models.SET_NULL, null=True, related_name="+")
    same_source = models.BooleanField(default=False, help_text="The next attempt takes the same account and source.")
    site = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=30, blank=True)
    reply = models.TextField(blank=True)
    deferred_at = models.DateTimeField()
    due_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, help_text="When it moved to a new batch, or ended.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch_id", "position"], name="one_deferral_per_attempt"),
        ]
        indexes = [
            # The tick that puts due messages into new batches.
            models.Index(fields=["due_at"], condition=Q(taken_at=None), name="deferrals_due"),
            # A campaign's waiting messages (cancel, report) and a recipient's log.
            models.Index(fields=["campaign_id", "contact_id"], name="deferrals_of_a_message"),
            # The brake counts people whose message was put off for reputation, content or policy.
            models.Index(
                fields=["campaign_id", "contact_id"],
                condition=Q(category__in=BLOCKS),
                name="deferrals_that_block",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt} of {self.campaign_id}/{self.contact_id}"
