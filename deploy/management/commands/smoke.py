"""`manage.py smoke`: a whole campaign over real sockets in about a minute; prints one JSON line."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.demo.environment import SMOKE_VAR, chosen_ports


class Command(BaseCommand):
    """Exit code 0 only if nobody was lost, nobody got it twice, and all sums add up."""

    help = "Send a campaign through every part of Fanfare to simulated readers and compare what arrived."

    def add_arguments(self, parser: CommandParser) -> None:
        """How much, and for how long at most."""
        parser.add_argument("--contacts", type=int, default=2000)
        parser.add_argument("--timeout", type=float, default=180.0, help="Seconds for the campaign and its readers.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run, print, judge."""
        from deploy.demo.smoke import Smoke, database_is_empty

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes it started end too
        if not database_is_empty():
            raise CommandError("The smoke test wants an empty database. `make smoke` brings its own servers.")
        smoke = Smoke(chosen_ports(), SMOKE_VAR, self._say, options["timeout"])
        result, problems = smoke.run(options["contacts"])
        for problem in problems:
            self._say(problem)
        self.stdout.write(json.dumps(asdict(result)))
        if problems:
            sys.exit(1)

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
