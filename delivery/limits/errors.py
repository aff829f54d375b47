"""What can go wrong with limits: one error, because the answer is always to stop sending."""

from __future__ import annotations


class LimitsUnavailable(Exception):
    """Redis did not answer, or refused to write: nobody knows what may be sent, so nothing may (fail closed)."""
