"""Compiles lists of phrases: one regular expression a line, any of which may match, with named groups of words."""

from __future__ import annotations

import re
from collections.abc import Mapping

_GROUP = re.compile(r"<([A-Z ]+)>")


def any_of(
    phrases: str, flags: re.RegexFlag = re.IGNORECASE, groups: Mapping[str, str] | None = None
) -> re.Pattern[str]:
    """One pattern out of the lines of a raw string; `<NAME>` stands for a group, which may name others.

    White space at both ends of a line does not count. Raises KeyError on an unknown name.
    """
    known = groups or {}

    def expanded(text: str) -> str:
        return _GROUP.sub(lambda group: expanded(known[group.group(1)]), text)

    return re.compile("|".join(expanded(line.strip()) for line in phrases.strip().split("\n")), flags)
