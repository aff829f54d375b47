from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from delivery.shaping.rules import (
    Action,
    Effect,
    Heard,
    Measure,
    Reach,
    Rule,
    matching_rules,
    react,
    target_of,
    targets_of,
)
from delivery.shaping.starter_rules import STARTER_RULES
from delivery.site_tables import LABELS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUSPEND = (Effect(Action.SUSPEND),)


def heard(text: str, site: str = "google") -> Heard:
    return Heard(text, site, account_id=3, source="192.0.2.1", campaign_id=17)


@pytest.mark.parametrize(
    ("site", "text", "rules"),
    [
        ("example.com", "421 4.7.0 Messages from 192.0.2.1 temporarily deferred", ["any-deferred-ip"]),
        ("google", "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", ["google-unusual-rate"]),
        ("google", "550-5.7.1 Our system has detected that this message is likely spam", ["google-suspicious"]),
        ("yahoo", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", ["any-deferred-ip", "yahoo-ts04"]),
        ("yahoo", "553 5.7.1 [BL21] Connections will not be accepted", ["yahoo-block-list"]),
        ("outlook", "550 5.7.1 part of their network is on our block list (S3150)", ["microsoft-block-list"]),
        ("office365", "451 4.7.650 The mail server has been temporarily rate limited due to IP reputation",
         ["any-ip-reputation", "microsoft-rate-limited"]),
        ("apple", "550 5.7.1 [HCM1] Message rejected due to local policy", ["apple-suspicious"]),
        ("orange", "421 Trop de connexions, veuillez verifier votre configuration", ["orange-connections"]),
        ("orange", "550 Service refusé. Veuillez essayer plus tard.", ["orange-refused"]),
        ("qq", "550 Ip frequency limited", ["qq-frequency"]),
        ("netease", "451 DT:SPM 163 smtp4,EsCowAD", ["netease-suspicious"]),
        ("netease", "554 DT:SPM 163 smtp4,EsCowAD", ["netease-spam"]),
        ("netease", "554 HL:ITC 126 smtp7", ["netease-daily-limit"]),
        ("google", "421 [TSS04] not Yahoo's", []),
        ("google", "250 2.0.0 OK, our system has detected that this message is fine", []),
        ("google", "550 5.1.1 The email account that you tried to reach does not exist", []),
    ],
)  # fmt: skip
def test_real_replies_meet_their_rules(site: str, text: str, rules: list[str]) -> None:
    assert [rule.key for rule in matching_rules(heard(text, site), STARTER_RULES)] == rules


def test_starter_rules_have_names_of_their_own_and_known_sites() -> None:
    keys = [rule.key for rule in STARTER_RULES]
    assert len(set(keys)) == len(keys) == 31
    assert {site for rule in STARTER_RULES for site in rule.sites} <= set(LABELS)


def test_below_its_threshold_a_rule_does_nothing() -> None:
    reply = heard("421 4.7.28 unusual rate")
    assert react(reply, {"google-unusual-rate": 1}, STARTER_RULES, NOW) == []
    assert react(reply, {}, STARTER_RULES, NOW) == []


def test_at_its_threshold_a_rule_takes_its_measure_and_says_why() -> None:
    reply = heard("421 4.7.28 unusual rate")
    assert react(reply, {"google-unusual-rate": 2}, STARTER_RULES, NOW) == [
        Measure(
            rule="google-unusual-rate",
            action=Action.LOWER_RATE,
            value=10,
            target="path:3:192.0.2.1:google",
            began_at=NOW,
            until=NOW + timedelta(minutes=30),
            reply="421 4.7.28 unusual rate",
            reason="slowed to 10 a minute for 30 minutes: google said so 2 times within an hour",
        )
    ]


def test_a_rule_with_two_effects_takes_two_measures() -> None:
    reply = heard("421 Server busy. Please try again later from 192.0.2.1")
    measures = react(reply, {"any-server-busy": 1}, STARTER_RULES, NOW)
    assert [(measure.action, measure.value, measure.reason) for measure in measures] == [
        (Action.LOWER_RATE, 1, "slowed to 1 a minute for 90 minutes: google said so once"),
        (Action.LOWER_CONNECTIONS, 1, "held to 1 connection for 90 minutes: google said so once"),
    ]


@pytest.mark.parametrize(
    ("effect", "minutes", "words"),
    [
        (Effect(Action.SUSPEND), 60, "suspended for 1 hour"),
        (Effect(Action.SUSPEND), 240, "suspended for 4 hours"),
        (Effect(Action.LOWER_CONNECTIONS, 2), 15, "held to 2 connections for 15 minutes"),
        (Effect(Action.LOWER_MESSAGES_PER_CONNECTION, 2), 60, "held to 2 messages per connection for 1 hour"),
    ],
)
def test_a_measure_in_words(effect: Effect, minutes: int, words: str) -> None:
    (measure,) = react(heard("421 x"), {"r": 1}, [Rule("r", "x", (effect,), minutes)], NOW)
    assert measure.reason == f"{words}: google said so once"


def test_a_measure_reaches_as_far_as_its_rule_says() -> None:
    reply = heard("421 x")
    reached = [target_of(reach, reply) for reach in Reach]
    assert reached == ["path:3:192.0.2.1:google", "site:3:google", "account:3", "campaign:17:google"]
    assert targets_of(reply) == reached


def test_a_long_reply_is_kept_short() -> None:
    (measure,) = react(heard("421 " + "x" * 1000), {"r": 1}, [Rule("r", "x", SUSPEND, 1)], NOW)
    assert len(measure.reply) == 500


@pytest.mark.parametrize(
    ("effects", "minutes", "n_per_hour"),
    [((), 1, 1), (SUSPEND, 0, 1), (SUSPEND, 1, 0), ((Effect(Action.LOWER_RATE, 0),), 1, 1)],
)
def test_a_rule_that_cannot_be_carried_out_is_refused(
    effects: tuple[Effect, ...], minutes: int, n_per_hour: int
) -> None:
    with pytest.raises(ValueError, match="rule r"):
        Rule("r", "x", effects, minutes, n_per_hour)


def test_a_broken_pattern_is_refused() -> None:
    with pytest.raises(re.error):
        Rule("r", "(", SUSPEND, 1)
