"""Wiring: settings, urls, Celery, the demo. Nobody imports it."""
