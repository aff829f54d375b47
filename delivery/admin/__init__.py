"""Delivery in the admin: accounts and routes, sending domains, how sending is shaped, and what came back."""

from delivery.admin import accounts, brakes, domains, profiles, receipts, shaping, warming

__all__ = ["accounts", "brakes", "domains", "profiles", "receipts", "shaping", "warming"]
