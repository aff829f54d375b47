"""Lines "name: value" and dotted paths into JSON ("data.0.id"): what the form of a generic provider is written in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .receipts import text


def lines_of(lines: str, *, colons_in_names: bool = False) -> list[tuple[str, str]]:
    """Lines "name: value"; ValueError names one that is none. Colons belong to the value, or to the name."""
    pairs = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        name, colon, value = line.rpartition(":") if colons_in_names else line.partition(":")
        if not colon or not name.strip():
            raise ValueError(f'"{line}" is not of the form "name: value".')
        pairs.append((name.strip(), value.strip()))
    return pairs


def value_at(found: object, path: str) -> Any:
    """What stands at a path; None where there is nothing, the whole for an empty path."""
    for step in filter(None, path.split(".")):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def scalar_at(found: object, path: str) -> str:
    """The scalar at a path, as text; "" where there is none."""
    value = value_at(found, path) if path else None
    return ("true" if value else "false") if isinstance(value, bool) else text(value)
