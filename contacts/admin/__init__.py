"""The audience in the admin."""

from . import access, imports, lists, people, policies, suppressions

__all__ = ["access", "imports", "lists", "people", "policies", "suppressions"]
