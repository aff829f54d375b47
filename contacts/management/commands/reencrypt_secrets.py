"""`manage.py reencrypt_secrets`: after a new key was put in front of FIELD_ENCRYPTION_KEYS, before the old one goes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contacts.services.reencrypting import reencrypt_secrets


class Command(BaseCommand):
    """Stored secrets under the newest key."""

    help = (
        "Encrypt all stored secrets with the first of FIELD_ENCRYPTION_KEYS; the other keys can be dropped afterwards."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """One line per column; an error when a secret cannot be read with any key."""
        found = reencrypt_secrets()
        for line in found:
            self.stdout.write(
                f"{line.place}: {line.n_rotated} re-encrypted, {line.n_current} under the newest key before"
            )
        lost = [f"{line.place} of rows {', '.join(map(str, line.unreadable))}" for line in found if line.unreadable]
        if lost:
            raise CommandError(
                "No key of FIELD_ENCRYPTION_KEYS opens "
                + "; ".join(lost)
                + ". Put their key back, or enter these secrets anew."
            )
