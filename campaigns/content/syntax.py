"""Checks the Liquid of a source and says what is wrong with it in words, all findings at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from liquid.exceptions import BlockNestingError, LiquidError

from campaigns.content.language import LEFT_OUT_TAGS, author_language
from campaigns.content.problems import ContentError, Problem, position, suggestion
from campaigns.content.regions import Region, liquid_regions

_BLOCKS = frozenset({"if", "unless", "case", "for", "tablerow", "capture", "ifchanged"})
# A tag inside a block, with the blocks it may stand in.
_INNER = {
    "else": frozenset({"if", "unless", "case", "for"}),
    "elsif": frozenset({"if", "unless"}),
    "when": frozenset({"case"}),
}
_LOOP_ONLY = frozenset({"break", "continue"})
# What makes a tag a whole template by itself, so that each can be parsed alone and every error has a line.
_BEFORE = {"elsif": "{% if true %}", "when": "{% case 1 %}"}
_AFTER = {"elsif": "{% endif %}", "when": "{% endcase %}"} | {name: f"{{% end{name} %}}" for name in _BLOCKS}

_HINTS = (
    (re.compile("[“”‘’]"), "Use straight quotes, ' or \"."),
    (re.compile(r"&&|\|\|"), "Write “and” and “or”."),
    (re.compile(r"^(?:if|unless|elsif)\b[^=]*[^=!<>]=[^=]"), "Compare with “==”."),
    (re.compile(r"\(.*\)"), "Parentheses are not supported in conditions."),
)


# What python-liquid says, for people who do not write parsers.
_IN_WORDS = (
    ("expected a primitive expression", "a value is missing"),
    ("missing expression", "a value is missing"),
    ("expected end of expression, found", "there is something in it that does not belong there"),
    ('unexpected "\'"', "a text in quotes is not closed"),
    ("unexpected '\"'", "a text in quotes is not closed"),
    ("expected '='", "“=” and a value are missing"),
    ("expected in,", "it must say “for item in list”"),
)


@dataclass(slots=True)
class _Open:
    name: str
    start: int


def syntax_problems(source: str, part: str) -> list[Problem]:
    """Everything that is wrong with the Liquid of one part; empty when it parses."""
    try:
        regions = liquid_regions(source, part)
    except ContentError as error:
        return list(error.problems)
    problems = _tag_problems(source, part, regions) + _balance_problems(source, part, regions)
    return problems or _whole_problems(source, part)


def _tag_problems(source: str, part: str, regions: list[Region]) -> list[Problem]:
    problems = []
    for region in regions:
        if region.kind != "verbatim" and not _is_plain_inner(region):
            problem = _problem_of(source, part, region)
            if problem:
                problems.append(problem)
    return problems


def _is_plain_inner(region: Region) -> bool:
    return region.name == "else" or region.name in _LOOP_ONLY or _is_known_end(region.name)


def _is_known_end(name: str) -> bool:
    return name.startswith("end") and name[3:] in _BLOCKS


def _problem_of(source: str, part: str, region: Region) -> Problem | None:
    text = source[region.start : region.end]
    line, column = position(source, region.start)
    if region.kind == "tag" and region.name not in author_language().tags and region.name not in _INNER:
        hint = _unknown_tag_hint(region.name)
        return Problem(f"There is no tag “{region.name}”.", hint, line, column, part)
    try:
        author_language().from_string(_BEFORE.get(region.name, "") + text + _AFTER.get(region.name, ""))
    except LiquidError as error:
        return Problem(f"“{_short(text)}” cannot be read: {_words(error)}.", _hint(text), line, column, part)
    return None


def _unknown_tag_hint(name: str) -> str:
    if name in LEFT_OUT_TAGS:
        return "Templates cannot load other templates."
    known = set(author_language().tags) | {f"end{block}" for block in _BLOCKS} | set(_INNER)
    return suggestion(name, {tag for tag in known if tag.isidentifier()})


def _words(error: LiquidError) -> str:
    message = str(error.message)
    return next((words for found, words in _IN_WORDS if found in message), message)


def _hint(text: str) -> str:
    inner = text[2:-2].strip("- \n\t")
    return next((hint for pattern, hint in _HINTS if pattern.search(inner)), "")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def _balance_problems(source: str, part: str, regions: list[Region]) -> list[Problem]:
    problems: list[Problem] = []
    stack: list[_Open] = []
    for region in regions:
        message = _step(region, stack, source) if region.kind == "tag" else ""
        if message:
            line, column = position(source, region.start)
            problems.append(Problem(message, line=line, column=column, part=part))
            break
    for still_open in [] if problems else stack:
        line, column = position(source, still_open.start)
        message = f"“{{% {still_open.name} %}}” is never closed."
        hint = f"Add “{{% end{still_open.name} %}}” where it ends."
        problems.append(Problem(message, hint, line, column, part))
    return problems


def _step(region: Region, stack: list[_Open], source: str) -> str:
    name = region.name
    innermost = stack[-1].name if stack else ""
    if name in _BLOCKS:
        stack.append(_Open(name, region.start))
    elif _is_known_end(name):
        if name[3:] != innermost:
            return _wrong_end(name, stack, source)
        stack.pop()
    elif name in _INNER and innermost not in _INNER[name]:
        return f"“{{% {name} %}}” stands outside of the block it belongs to."
    elif name in _LOOP_ONLY and not any(block.name in {"for", "tablerow"} for block in stack):
        return f"“{{% {name} %}}” stands outside of a loop."
    return ""


def _wrong_end(name: str, stack: list[_Open], source: str) -> str:
    if not stack:
        return f"“{{% {name} %}}” closes nothing."
    line, _ = position(source, stack[-1].start)
    return f"“{{% {name} %}}” comes before “{{% {stack[-1].name} %}}” of line {line} is closed."


def _whole_problems(source: str, part: str) -> list[Problem]:
    try:
        template = author_language().from_string(source)
    except LiquidError as error:
        context = error.context() if error.token and error.token.start_index >= 0 else None
        line, column = (context[0], context[1] + 1) if context else (None, None)
        too_deep = isinstance(error, BlockNestingError)
        message = "Blocks are nested more than 20 deep" if too_deep else str(error.message)
        return [Problem(f"{message}.", line=line, column=column, part=part)]
    problems = []
    for name, spans in template.analyze().filters.items():
        if name not in template.env.filters:
            line, column = position(source, spans[0].index)
            hint = suggestion(name, template.env.filters)
            problems.append(Problem(f"There is no filter “{name}”.", hint, line, column, part))
    return problems
