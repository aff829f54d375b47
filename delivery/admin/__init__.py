"""Delivery in the admin: accounts and routes, and how sending is shaped."""

from delivery.admin import accounts, brakes, shaping

__all__ = ["accounts", "brakes", "shaping"]
