"""`manage.py demo [--reset]`: everything on this machine, with a sample shop and a running campaign."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deploy.demo.environment import chosen_ports
from deploy.embedded import PROJECT_VAR


class Command(BaseCommand):
    """Servers, secrets, ports and `--reset` were seen to by manage.py before Django started."""

    help = "Start everything with sample data and a running campaign; Ctrl-C stops it, the data stays."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only for the help text: manage.py reads it."""
        parser.add_argument("--reset", action="store_true", help="Remove the demo's data first.")

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until Ctrl-C."""
        from deploy.demo.show import Demo

        Demo(chosen_ports(), PROJECT_VAR).run()
