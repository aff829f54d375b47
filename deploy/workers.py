"""What Celery workers do beside tasks: show that they live, stop gently, and log as lines of JSON."""

from __future__ import annotations

import contextlib
from typing import Any

from celery.signals import heartbeat_sent, worker_process_shutdown, worker_ready, worker_shutting_down
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from delivery.sending.presence import note_worker
from delivery.sending.stopping import ask_to_stop
from delivery.sending.worker import close_worker


@worker_ready.connect
def _alive_at_start(sender: Any, **_: Any) -> None:
    _note(sender)


@heartbeat_sent.connect
def _alive(sender: Any, **_: Any) -> None:
    """Celery's own heartbeat, every 2 s."""
    _note(sender)


@worker_shutting_down.connect
def _stop_drains(**_: Any) -> None:
    """A warm shutdown (SIGTERM) waits for running tasks: drains hand back what they have not begun."""
    ask_to_stop()


@worker_process_shutdown.connect
def _say_goodbye(**_: Any) -> None:
    close_worker()


def _note(sender: Any) -> None:
    """Only workers that take the queue `send` count: others cannot move a campaign."""
    app = getattr(sender, "app", None) or getattr(getattr(sender, "eventer", None), "app", None)
    if app is not None and "send" in app.amqp.queues.consume_from:
        with contextlib.suppress(RedisError):
            note_worker(Redis.from_url(settings.REDIS_URL, socket_timeout=2), f"celery:{id(app)}")
