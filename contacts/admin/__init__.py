"""The audience in the admin."""

from . import access, imports, lists, people, suppressions

__all__ = ["access", "imports", "lists", "people", "suppressions"]
