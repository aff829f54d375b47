"""Delivery in the admin: accounts and routes, sending domains, how sending is shaped, and what came back."""

from delivery.admin import accounts, brakes, domains, receipts, shaping

__all__ = ["accounts", "brakes", "domains", "receipts", "shaping"]
