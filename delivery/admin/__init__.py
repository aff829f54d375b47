"""Delivery in the admin: accounts and routes, how sending is shaped, and what came back."""

from delivery.admin import accounts, receipts, shaping

__all__ = ["accounts", "receipts", "shaping"]
