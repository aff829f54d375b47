"""Runs the Lua files beside it by their digest and turns every Redis failure into LimitsUnavailable."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import NoScriptError, RedisError

from .errors import LimitsUnavailable

Arg = str | int | float


class Script:
    """One Lua file; a Redis that forgot it (restart, SCRIPT FLUSH) gets it again."""

    def __init__(self, filename: str) -> None:
        self._text = (Path(__file__).parent / filename).read_text()
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    def run(self, redis: Redis, keys: Sequence[str], args: Sequence[Arg]) -> list[int]:
        """The script's answer. Raises LimitsUnavailable."""
        try:
            return self._run(redis, keys, args)
        except RedisError as error:
            raise LimitsUnavailable(str(error)) from error

    def run_many(self, redis: Redis, calls: Sequence[tuple[Sequence[str], Sequence[Arg]]]) -> list[list[int]]:
        """The answers of several calls in one round trip, each call atomic by itself. Raises LimitsUnavailable."""
        try:
            return self._pipeline(redis, calls)
        except RedisError as error:
            raise LimitsUnavailable(str(error)) from error

    def _run(self, redis: Redis, keys: Sequence[str], args: Sequence[Arg]) -> list[int]:
        try:
            answer: list[int] = redis.evalsha(self._sha, len(keys), *keys, *args)
        except NoScriptError:
            answer = redis.eval(self._text, len(keys), *keys, *args)
        return answer

    def _pipeline(self, redis: Redis, calls: Sequence[tuple[Sequence[str], Sequence[Arg]]]) -> list[list[int]]:
        with redis.pipeline(transaction=False) as pipe:
            pipe.script_load(self._text)  # 3 KB beside the calls: no second round trip when Redis forgot it
            for keys, args in calls:
                pipe.evalsha(self._sha, len(keys), *keys, *args)
            answers: list[Any] = pipe.execute()
        return answers[1:]
