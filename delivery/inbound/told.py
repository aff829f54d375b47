"""What a provider tells about a bounce, and what its words say: the verdict of both together.

The server's words decide where they are clear, as they do for SMTP replies and status notifications. The provider's
own "hard", "soft" or "block" decides where there are no words or only a code that says nothing. Where both are clear
and differ, the milder one holds: an address is suppressed only when nobody objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .classify import Reply, Verdict, classify
from .codes import best_enhanced, reply_code, stage_in
from .report import Stage
from .rules import RULES_VERSION
from .taxonomy import CONSEQUENCES, Category

# A basic code alone ("554") and the subject of an enhanced one ("5.0.0") say less than the provider knows.
_WEAK = re.compile(r"none|code-\d+")
_BY_CLASS = {"hard": Category.INVALID_RECIPIENT, "soft": Category.UNCLASSIFIED, "block": Category.POLICY}


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict with the codes that were found in the words."""

    verdict: Verdict
    code: int = 0
    enhanced: str = ""


def judge_told(kind: str, told_class: str, words: str) -> Told:
    """The verdict on a provider's event: `kind` "bounced", "deferred" or "rejected", `told_class` "hard" and so on."""
    code, enhanced = reply_code(words), best_enhanced(words)
    stage = stage_in(words) or (Stage.RCPT if told_class == "hard" else Stage.UNKNOWN)
    said = classify(Reply(code=code, enhanced=enhanced, text=words, stage=stage, gave_up=kind != "deferred"))
    return Told(_together(kind, told_class, said), code, enhanced)


def _together(kind: str, told: str, said: Verdict) -> Verdict:
    if kind == "rejected":  # the provider's own list or rules; the words are the provider's, not a server's
        return _verdict(_BY_CLASS.get(told, Category.POLICY), f"provider-rejected-{told or 'own-rules'}")
    if told not in _BY_CLASS:
        return said
    if _WEAK.fullmatch(said.rule_id) or said.category is Category.UNCLASSIFIED:
        return _verdict(_BY_CLASS[told], f"provider-{told}")
    if said.kind == "hard" and told != "hard":
        return _verdict(_BY_CLASS[told], f"provider-{told}/{said.rule_id}")
    return said


def _verdict(category: Category, rule_id: str) -> Verdict:
    return Verdict(category, CONSEQUENCES[category].kind, rule_id, RULES_VERSION)
