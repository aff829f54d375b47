"""Statements that run thousands of times: prepared once per connection, with binary parameters and rows.

Django's cursors write parameters into the text of each statement, which PostgreSQL then parses and plans anew. For the
journal step that is more than half of the work on both sides (docs/adr/0020). What these statements fetch is numbers,
texts, bytes and times, which psycopg reads from binary by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from django.db import connection


def run_prepared(statement: LiteralString, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows that the statement gives, in the transaction under way if there is one. Raises Django's errors.

    Where settings.DATABASES says that statements must not be prepared (`prepare_threshold` is None), it is not.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, params, prepare=True, binary=True)
        return cursor.fetchall()
