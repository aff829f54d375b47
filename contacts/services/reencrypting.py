"""All stored secrets under the newest key, so that an old key can be dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import connection
from psycopg import sql

from contacts.encryption import EncryptedJSONField, WrongKey, rotate, under_newest_key


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of one column's secrets; `unreadable` are the keys of rows that no key opens."""

    place: str
    n_rotated: int
    n_current: int
    unreadable: tuple[object, ...]


def reencrypt_secrets() -> list[Rotated]:
    """Every encrypted column of every table is under the newest key; unreadable rows stay as they are.

    A row that somebody saves meanwhile is left to that save, which uses the newest key anyway.
    """
    return [_rotate(table, pk, column) for table, pk, column in _places()]


def _places() -> Iterator[tuple[str, str, str]]:
    for model in apps.get_models():
        pk = model._meta.pk.column
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedJSONField) and pk and field.column:
                yield model._meta.db_table, pk, field.column


def _rotate(table: str, pk: str, column: str) -> Rotated:
    names = {"table": sql.Identifier(table), "pk": sql.Identifier(pk), "column": sql.Identifier(column)}
    read = sql.SQL("SELECT {pk}, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {pk}").format(**names)
    write = sql.SQL("UPDATE {table} SET {column} = %s WHERE {pk} = %s AND {column} = %s").format(**names)
    n_rotated, n_current, unreadable = 0, 0, []
    with connection.cursor() as cursor:
        cursor.execute(read)
        for key, stored in cursor.fetchall():
            if under_newest_key(stored):
                n_current += 1
                continue
            try:
                cursor.execute(write, [rotate(stored), key, stored])
                n_rotated += cursor.rowcount
            except WrongKey:
                unreadable.append(key)
    return Rotated(f"{table}.{column}", n_rotated, n_current, tuple(unreadable))
