"""What people and programs are told while PostgreSQL or Redis is away: 503 in words, at once, and when to ask again.

What readers of mail press has answers of its own (delivery.tracking) and is left alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as usual_answer
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import TimeoutError as RedisSilent

from contacts.api.errors import refusal
from delivery.limits.errors import LimitsUnavailable

log = structlog.get_logger()

RETRY_SECONDS = 10
# libpq takes 2 for the least. Waiting for a connection of the pool instead would take DATABASE_POOL_TIMEOUT.
PING_SECONDS = 2
# A process that used PostgreSQL within this time does not ask whether it is there (1.3 ms, measured on loopback).
TRUSTED_SECONDS = 1.0
READERS = ("/o/", "/c/", "/d/", "/h/", "/u/", "/p/")

DATABASE, REDIS = "The database", "Redis"
HELP = {
    DATABASE: "Whether PostgreSQL runs, whether its disk is full, and whether DATABASE_URL leads to it.",
    REDIS: "Whether Redis runs, whether its memory is full, and whether REDIS_URL leads to it.",
}


@dataclass(slots=True)
class _Seen:
    """When this process last had an answer of PostgreSQL, by the monotonic clock."""

    at: float = float("-inf")


_seen = _Seen()


class OutageMiddleware:
    """Asks PostgreSQL whether it is there before a page does, so that its absence costs no long wait."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The page, or why there is none."""
        if request.path.startswith(READERS):
            return self.get_response(request)
        if time.monotonic() - _seen.at > TRUSTED_SECONDS and not database_answers():
            return apologise(request, DATABASE)
        response = self.get_response(request)
        if response.status_code < 500 and connection.connection is not None:
            _seen.at = time.monotonic()
        return response


def database_answers() -> bool:
    """Whether PostgreSQL takes connections; asked without logging in, as pg_isready does."""
    settings = connection.settings_dict
    named = {"host": settings["HOST"], "port": settings["PORT"], "dbname": settings["NAME"], "user": settings["USER"]}
    given = {name: str(value) for name, value in named.items() if value}
    conninfo = make_conninfo(**given, connect_timeout=PING_SECONDS)
    return PGconn.ping(conninfo.encode()) == Ping.OK


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of uncaught exceptions: outages have a page of their own."""
    problem = sys.exc_info()[1]
    if isinstance(problem, (OperationalError, InterfaceError)) and not database_answers():
        _seen.at = float("-inf")
        return apologise(request, DATABASE)
    if isinstance(problem, (RedisGone, RedisSilent, LimitsUnavailable)):
        return apologise(request, REDIS)
    return usual_answer(request)


def apologise(request: HttpRequest, what: str) -> HttpResponse:
    """503 for a browser or a program, and when to ask again."""
    log.warning("outage", what=what, path=request.path)
    if request.path.startswith("/api/"):
        response = refusal(503, f"{what} does not answer. Nothing was changed; send the request again.")
    elif request.path.startswith("/hooks/"):
        response = HttpResponse(f"{what} does not answer.", status=503, content_type="text/plain")
    else:
        # Without the request, whose person and messages are in the database.
        page = render_to_string("503.html", {"what": what, "help": HELP[what], "seconds": RETRY_SECONDS})
        response = HttpResponse(page, status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
