"""The Celery application: queues and the static timetable. PostgreSQL holds what is due; beat only ticks."""

import os

from celery import Celery

from deploy.ticks import Tick

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
# At its start a worker would run Django's checks, drop their answers, and keep all pages and the admin in memory.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("fanfare")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("deploy.workers",)
app.autodiscover_tasks(["contacts", "contacts.stores", "campaigns", "delivery"])

# Every second only what people wait for with their eyes on the page: starts, pauses, opens and clicks.
# A tick that nobody picked up within its period is worthless: `expires` drops it.
TICKS = {
    "campaigns.tasks.launch_due": (1.0, "plan"),
    "delivery.tasks.plan": (1.0, "plan"),
    "delivery.tasks.start_drains": (1.0, "plan"),
    "delivery.tasks.requeue_deferred": (5.0, "plan"),
    "delivery.tasks.sweep": (3.0, "care"),
    "delivery.tasks.finish_campaigns": (2.0, "care"),
    "delivery.tasks.brake": (5.0, "care"),
    "delivery.tasks.settle_uncertain": (10.0, "care"),
    "delivery.tasks.flush_hits": (1.0, "events"),
    "delivery.tasks.process_receipts": (2.0, "events"),
    "delivery.tasks.resolve_sites": (10.0, "events"),
    "delivery.tasks.judge_warm_ups": (60.0, "care"),
    "contacts.tasks.run_imports": (2.0, "care"),
    "contacts.stores.tasks.process_deliveries": (2.0, "events"),
    "contacts.tasks.forget_old_requests": (3600.0, "care"),
    "contacts.stores.tasks.forget_old_deliveries": (3600.0, "care"),
    "delivery.tasks.forget_old_receipts": (3600.0, "care"),
}
QUEUES = ("plan", "send", "events", "care")

app.conf.beat_scheduler = "deploy.ticks:Clockwork"
app.conf.beat_schedule = {
    name: {"task": name, "schedule": Tick(seconds), "options": {"queue": queue, "expires": max(seconds, 10.0)}}
    for name, (seconds, queue) in TICKS.items()
}
