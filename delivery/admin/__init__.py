"""Delivery in the admin: accounts and routes, and how sending is shaped."""

from delivery.admin import accounts, shaping

__all__ = ["accounts", "shaping"]
