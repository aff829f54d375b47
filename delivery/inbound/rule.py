"""The shape of the text rules of bounce classification, and the word groups that their phrases share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .phrases import any_of
from .taxonomy import Category

Need = Literal["", "address", "own_words", "no_other_subject"]

# A phrase may name a group: "<PERSON> unknown". Groups hold alternatives, one word or phrase each.
_GROUPS = {
    "PERSON": r"(?:user|recipient|mail ?box|account|addressee|address|local.?part|alias|person|customer|login"
    r"|member|username)s?",
    "GONE": r"(?:unknown|not found|not (?:be )?(?:known|recogni[sz]ed|valid|listed|located|exist)|n[o']t exist|invalid"
    r"|non-?existent|no longer (?:exists?|valid|available|active|in use)|not available|not here"
    r"|can(?:not|'t) be found)",
    "SHUT": r"(?:disabled|suspended|inactive|deactivated|locked|frozen|closed|terminated|cancell?ed|expired"
    r"|discontinued|dormant|on hold|not active|not enabled|not activated|deleted|restricted|limited|blocked)",
    "REFUSED": r"(?:block|ban|refus|reject|den(?:y|ied)|unwelcome"
    r"|not (?:allowed|accepted|permitted|welcome|authori[sz]ed))\w*",
    "OBJECTED": r"(?:reject|refus|den[yi]|invalid|unknown|block|bann|fail|not |illegal|bad |must|unresolv|unrout|forged"
    r"|unverif|doesn't|unacceptable)\w*",
    "BAD": r"(?:unknown|invalid|no such|bad|illegal|non-?existent|unrecogni[sz]ed|incorrect|undeliverable|unrout\w+"
    r"|unresolvable|unregistered)",
    "CANNOT": r"(?:can't|cannot|can not|could ?n[o']t|unable to|failed to)",
    "DOES NOT": r"(?:(?:does|is|will|can|do) ?n[o']t|won't|cannot)",
    "TAKE": r"(?:accept|receiv|handl|support|tak)(?:ing|e)?(?: any| incoming| inbound)?",
    "NOT FROM": r"(?! (?:from|for|to))",
    "HOST": r"(?:host(?: ?name)?|domain(?: ?name)?|site|destination)",
    "IS": r"(?:is |has |was |are |were |have |been |could |can ?|does |be )",
    "WORD": r"(?: \S{1,60})?",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`needs` is what must agree before the words count.

    "address": the code or the stage says too that the recipient is meant. "own_words": that, or there is no code and
    no stage, so that a mail system tells in its own words (filters answer "550 no such user" at any stage).
    "no_other_subject": the enhanced code does not speak of something else (mailbox, system, content, policy).
    """

    rule_id: str
    category: Category
    pattern: re.Pattern[str]
    needs: Need = ""


def rule(rule_id: str, category: Category, phrases: str, needs: Need = "") -> Rule:
    """A rule that is met when one of the phrases occurs: one regular expression a line, groups as `<GROUP>`."""
    return Rule(rule_id, category, any_of(phrases, re.NOFLAG, _GROUPS), needs)
