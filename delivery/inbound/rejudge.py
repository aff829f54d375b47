"""The verdict on a stored bounce by today's rules, from the columns that its event kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .classify import Reply, Verdict, classify
from .report import Stage
from .told import judge_told


@dataclass(frozen=True, slots=True)
class StoredBounce:
    """What an event row keeps: its kind, the server's words, the enhanced code, and how it came to us (`details`)."""

    kind: str
    reply: str
    enhanced: str
    details: Mapping[str, Any]


def rejudge(bounce: StoredBounce) -> Verdict:
    """The verdict by today's rules: of a provider's event, of an answer at SMTP time, or of a returned mail."""
    details = bounce.details
    if "told" in details:
        return judge_told(bounce.kind, str(details["told"]), bounce.reply).verdict
    if details.get("stage") == "smtp":
        code, _, text = bounce.reply.partition(" ")
        number = int(code) if code.isascii() and code.isdigit() else 0
        return classify(Reply(code=number, enhanced=bounce.enhanced, text=text, stage=Stage.RCPT))
    return classify(
        Reply(
            code=int(details.get("code") or 0),
            enhanced=bounce.enhanced,
            text=bounce.reply,
            stage=Stage(details.get("step", "")),
            reporter=str(details.get("reporter", "")),
            gave_up=bounce.kind == "bounced",
        )
    )
