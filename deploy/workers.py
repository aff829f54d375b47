"""What Celery workers do beside tasks: show that they live, stop gently, and log as lines of JSON."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

from celery.signals import (
    beat_init,
    before_task_publish,
    heartbeat_sent,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from delivery.sending.presence import note_beat, note_process, note_worker
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


@beat_init.connect
def _beat_starts(**_: Any) -> None:
    """From now on what this process publishes are ticks."""
    before_task_publish.connect(_ticked, dispatch_uid="beat")


@dataclass(slots=True)
class _Beat:
    noted_at: float = 0.0


_beat = _Beat()


def _ticked(**_: Any) -> None:
    """Beat lives; noted once a second."""
    if time.monotonic() - _beat.noted_at >= 1:
        _beat.noted_at = time.monotonic()
        with contextlib.suppress(RedisError):
            note_beat(Redis.from_url(settings.REDIS_URL, socket_timeout=2))


def _note(sender: Any) -> None:
    """Only workers that take the queue `send` count as such: others cannot move a campaign."""
    speaker = getattr(sender, "eventer", sender)
    app = getattr(sender, "app", None) or getattr(speaker, "app", None)
    if app is None:
        return
    name, queues = str(getattr(speaker, "hostname", "") or "worker"), set(app.amqp.queues.consume_from)
    with contextlib.suppress(RedisError):
        redis = Redis.from_url(settings.REDIS_URL, socket_timeout=2)
        note_process(redis, name, queues)
        if "send" in queues:
            note_worker(redis, name)
