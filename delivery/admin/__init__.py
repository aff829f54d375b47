"""Delivery in the admin: accounts and routes, and sending domains."""

from delivery.admin import accounts, domains

__all__ = ["accounts", "domains"]
