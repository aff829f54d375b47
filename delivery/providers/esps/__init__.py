"""Providers reached through django-anymail; it needs configured Django settings, so it is imported on first use."""
