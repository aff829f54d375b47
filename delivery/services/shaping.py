"""Adaptive shaping: what servers say becomes measures and paces, as rows that people see and take back.

`hear` is for SMTP replies, API answers and provider events alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import F
from redis import Redis

from delivery.inbound.classify import Reply, classify
from delivery.inbound.report import Stage
from delivery.models import ProviderAccount, ShapingMeasure, ShapingRule, SitePace, SiteProfile
from delivery.shaping.counters import count_reply
from delivery.shaping.effective import DEFAULT_PER_SECOND
from delivery.shaping.pace import FULL, INCREASE_PER_MINUTE, Pace, next_pace, throttles
from delivery.shaping.rules import LONGEST_REPLY, Heard, Measure, Reach, Rule, matching_rules, react, target_of

log = structlog.get_logger()

_CODES = re.compile(r"(\d{3})\s+(?:([245]\.\d{1,3}\.\d{1,3})\s+)?(.*)", re.DOTALL)


def hear(replies: Mapping[Heard, int], *, redis: Redis, now: datetime, rules: Sequence[Rule] | None = None) -> bool:
    """Replies (with how often each came) are held against the rules; True when a measure or a pace came of it.

    A reply's text begins with its code ("421 4.7.28 ..."). Raises LimitsUnavailable when Redis cannot count them.
    """
    rules = running_rules() if rules is None else rules
    changed = False
    for heard, n in replies.items():
        matching = matching_rules(heard, rules)
        if matching:
            counts = count_reply(redis, heard, matching, now, n=n)
            measures = react(heard, counts, matching, now)
            for measure in measures:
                take_measure(measure, heard)
            changed = changed or bool(measures)
        if heard.site and _throttles(heard.text):
            changed = slow_path(heard, now=now) or changed
    return changed


def running_rules() -> list[Rule]:
    """The rules that are switched on; one that cannot be read (edited in the database) is left out."""
    rules = []
    for row in ShapingRule.objects.filter(enabled=True):
        try:
            rules.append(row.value)
        except (ValueError, re.error):
            log.warning("rule_cannot_be_read", rule=row.key)
    return rules


@transaction.atomic
def take_measure(measure: Measure, heard: Heard) -> ShapingMeasure:
    """The measure holds: a running one of the same rule on the same target lasts longer, else there is a new row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{measure.rule} {measure.target}"])
    running = ShapingMeasure.objects.filter(
        target=measure.target, rule=measure.rule, action=measure.action, revoked_at=None, until__gt=measure.began_at
    )
    row = running.order_by("-until").first()
    if row is not None:
        running.filter(pk=row.pk).update(
            until=measure.until,
            value=measure.value,
            reply=measure.reply,
            reason=measure.reason[:300],
            n_times=F("n_times") + 1,
        )
        return row
    log.info("measure_taken", rule=measure.rule, action=measure.action, target=measure.target)
    return ShapingMeasure.objects.create(
        rule=measure.rule,
        action=measure.action,
        value=measure.value,
        target=measure.target,
        account_id=heard.account_id or None,
        source_id=int(heard.source) if heard.source else None,
        campaign_id=heard.campaign_id,
        site=heard.site,
        reply=measure.reply,
        reason=measure.reason[:300],
        began_at=measure.began_at,
        until=measure.until,
    )


@transaction.atomic
def slow_path(heard: Heard, *, now: datetime) -> bool:
    """The path's pace is halved, unless it was within the last half minute; it rises again by itself."""
    target = target_of(Reach.PATH, heard)
    row = SitePace.objects.select_for_update().filter(pk=target).first()
    full_rate = _full_rate(heard)
    before = FULL if row is None else next_pace(row.value, throttled=False, per_second=full_rate, now=now)
    if row is not None and before.factor < 1:
        before = Pace(before.factor, row.changed_at)  # HOLD counts from the last halving, not from the last rise
    after = next_pace(before, throttled=True, per_second=full_rate, now=now)
    if after == before or after.changed_at is None:
        return False
    SitePace.objects.update_or_create(
        target=target,
        defaults={
            "account_id": heard.account_id,
            "source_id": int(heard.source) if heard.source else None,
            "site": heard.site,
            "factor": after.factor,
            "changed_at": now,
            "full_at": now + _time_to_full(after.factor),
            "reply": heard.text[:LONGEST_REPLY],
        },
    )
    return True


def _time_to_full(factor: float) -> timedelta:
    return timedelta(minutes=-(-(1 - factor) // INCREASE_PER_MINUTE))


def _full_rate(heard: Heard) -> float:
    """The path's rate without a pace: the profile's, else the account's, else 100 a second."""
    profiles = dict(SiteProfile.objects.filter(site__in=("", heard.site)).values_list("site", "messages_per_second"))
    of_site = profiles[heard.site] if heard.site in profiles else profiles.get("")
    if of_site:
        return float(of_site)
    accounts = ProviderAccount.objects.filter(pk=heard.account_id).values_list("messages_per_second", flat=True)
    return float(accounts.first() or DEFAULT_PER_SECOND)


def _throttles(text: str) -> bool:
    found = _CODES.match(text)
    if found is None:
        return False
    code, enhanced, words = found.groups()
    reply = Reply(code=int(code), enhanced=enhanced or "", text=words, stage=Stage.RCPT)
    return code.startswith("4") and throttles(classify(reply).category)
