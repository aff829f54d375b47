"""The rules that a new installation starts with; operators switch them off, change them and add their own."""

from __future__ import annotations

from .rules import Action, Effect, Rule

_SUSPEND = (Effect(Action.SUSPEND),)
_CRAWL = (Effect(Action.LOWER_RATE, 1), Effect(Action.LOWER_CONNECTIONS, 1))
_ONE_CONNECTION = (Effect(Action.LOWER_CONNECTIONS, 1),)
_TWO_PER_CONNECTION = (Effect(Action.LOWER_MESSAGES_PER_CONNECTION, 2),)


def _rate(per_minute: int) -> tuple[Effect, ...]:
    return (Effect(Action.LOWER_RATE, per_minute),)


_MICROSOFT = ("outlook", "office365")

STARTER_RULES: tuple[Rule, ...] = (
    Rule("any-deferred-ip", r"messages from \S+ temporarily deferred", _CRAWL, 90),
    Rule("any-ip-reputation", r"temporarily rate limited due to IP reputation", _CRAWL, 90),
    Rule("any-server-busy", r"server busy\. please try again later from", _CRAWL, 90),
    Rule("google-suspicious", r"our system has detected that this message", _SUSPEND, 60, 5, ("google",)),
    Rule("google-unusual-rate", r"detected an unusual rate|\b4\.7\.28\b", _rate(10), 30, 2, ("google",)),
    Rule("yahoo-ts02", r"\[TSS?02\]", _rate(1), 30, 3, ("yahoo",)),
    Rule("yahoo-ts03", r"\[TSS?03\]", _rate(10), 30, 3, ("yahoo",)),
    Rule("yahoo-ts04", r"\[TSS?04\]", _SUSPEND, 120, 2, ("yahoo",)),
    Rule("yahoo-ts05", r"\[TSS?05\]", _SUSPEND, 240, 2, ("yahoo",)),
    Rule("yahoo-ipts04", r"\[IPTS04\]", _SUSPEND, 120, 1, ("yahoo",)),
    Rule("yahoo-ipts05", r"\[IPTS05\]", _SUSPEND, 240, 1, ("yahoo",)),
    Rule("yahoo-block-list", r"\b553 5\.7\.1 \[BL", _SUSPEND, 120, 5, ("yahoo",)),
    Rule("yahoo-connection-full", r"max messages? per connection reached", _rate(10), 60, 3, ("yahoo",)),
    Rule("microsoft-block-list", r"part of their network is on our block list", _SUSPEND, 120, 5, _MICROSOFT),
    Rule("microsoft-access-denied", r"access denied, please try again later", _SUSPEND, 60, 5, _MICROSOFT),
    Rule("microsoft-rate-limited", r"temporarily rate limited", _SUSPEND, 30, 3, _MICROSOFT),
    Rule("microsoft-connections", r"exceeded the maximum number of connections", _ONE_CONNECTION, 60, 2, _MICROSOFT),
    Rule(
        "microsoft-connection-full",
        r"maximum number of messages per connection",
        _TWO_PER_CONNECTION,
        60,
        2,
        _MICROSOFT,
    ),
    Rule("apple-suspicious", r"\[BS02\]|\[HCM1\]", _SUSPEND, 15, 1, ("apple",)),
    Rule("apple-spamhaus", r"spamhaus|\bDBL\b", _SUSPEND, 240, 3, ("apple",)),
    Rule("comcast-rate", r"\bRL0000\d+", _rate(166), 120, 2, ("comcast",)),
    Rule("gmx-connections", r"too many connections", _ONE_CONNECTION, 30, 3, ("united-internet",)),
    Rule("gmx-policy", r"policy restrictions", _rate(1), 60, 5, ("united-internet",)),
    Rule("orange-connections", r"trop de connexions", _ONE_CONNECTION, 60, 2, ("orange",)),
    Rule("orange-refused", r"service refus", _SUSPEND, 60, 2, ("orange",)),
    Rule("qq-frequency", r"(?:sender|ip|connection|domain) frequency limited", _SUSPEND, 60, 5, ("qq",)),
    Rule("qq-content", r"mail content denied", _SUSPEND, 60, 5, ("qq",)),
    Rule("netease-suspicious", r"\b451 .{0,40}DT:SPM", _SUSPEND, 15, 5, ("netease",)),
    Rule("netease-connections", r"\b421 .{0,40}too many connections", _ONE_CONNECTION, 60, 2, ("netease",)),
    Rule("netease-spam", r"\b554 .{0,40}DT:SPM", _ONE_CONNECTION, 60, 2, ("netease",)),
    Rule("netease-daily-limit", r"\b550 .{0,40}RP:ORQ|\b554 .{0,40}HL:ITC", _SUSPEND, 60, 2, ("netease",)),
)
