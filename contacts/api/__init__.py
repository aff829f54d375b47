"""The API at /api/v1/ by which stores and scripts sync people; docs/api.md is its manual."""

from .app import api

__all__ = ["api"]
