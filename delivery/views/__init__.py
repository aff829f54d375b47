"""Delivery's pages for marketers and operators."""
