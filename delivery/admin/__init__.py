"""Delivery in the admin: accounts and routes, sending domains, and how sending is shaped."""

from delivery.admin import accounts, domains, shaping

__all__ = ["accounts", "domains", "shaping"]
