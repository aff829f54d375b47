"""`manage.py bench NAME`: measures one part of Fanfare and prints a table, or one JSON object with --json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from delivery.benchmarks.newsletter import TEMPLATES


class Command(BaseCommand):
    """Benchmarks; never assertions about time."""

    # A corpus of bounces can be scored without secrets or servers.
    requires_system_checks: tuple[str, ...] = ()
    help = "Measure a part of Fanfare. Ratios count, absolute times wander with the machine."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand per benchmark."""
        names = parser.add_subparsers(dest="name", required=True)
        send = _add_send(names)
        scale = names.add_parser("scale", help="The send path's statements among millions of old messages.")
        scale.add_argument("--old", type=int, default=50_000_000, help="Old messages, made by SQL: 250 bytes each.")
        scale.add_argument("--recipients", type=int, default=100_000, help="Of the campaign that is measured.")
        bounces = names.add_parser("bounces", help="How well real bounce mails are understood.")
        bounces.add_argument("--corpus", type=Path, required=True, help="A folder of .eml files with expected.json.")
        track = names.add_parser("track", help="Hits per second of one web process, and of the flusher.")
        track.add_argument("--connections", type=int, default=20, help="Keep-alive connections, a request on each.")
        track.add_argument("--threads", type=int, default=8, help="Threads of the web process.")
        track.add_argument("--seconds", type=float, default=2.0, help="Of each run.")
        track.add_argument("--pairs", type=int, default=5)
        track.add_argument("--flush", type=int, default=100_000, help="Hits per round of the flusher.")
        verdicts = names.add_parser("verdicts", help="How well machines are told from people, on simulated traffic.")
        verdicts.add_argument("--messages", type=int, default=400, help="Per kind of traffic.")
        verdicts.add_argument("--seed", type=int, default=1)
        for command in (send, scale, bounces, track, verdicts):
            command.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run it and print."""
        run = {
            "send": self._send,
            "scale": self._scale,
            "bounces": self._bounces,
            "track": self._track,
            "verdicts": self._verdicts,
        }[options["name"]]
        run(options)

    def _send(self, options: dict[str, Any]) -> None:
        from delivery.benchmarks.send import Options, measure

        if options["provider"]:
            self._print(self._through_provider(options), as_json=options["json"])
            return
        chosen = {key: options[key] for key in Options.__dataclass_fields__ if key in options}
        self._print(measure(Options(**chosen)).as_json(), as_json=options["json"])

    def _through_provider(self, options: dict[str, Any]) -> dict[str, Any]:
        from delivery.benchmarks.fixture import Shape
        from delivery.benchmarks.provider import Options, measure_provider
        from delivery.providers.fakes import FAKES

        if options["provider"] not in FAKES:
            raise CommandError(f"There is no fake of {options['provider']!r}; there are {', '.join(sorted(FAKES))}.")
        shape = Shape(options["recipients"], options["size"], options["links"], options["template"])
        names = ("connections", "workers", "latency_ms", "rate", "pairs")
        chosen = {name: options[name] for name in names}
        return measure_provider(Options(kind=options["provider"], shape=shape, timeout=1800.0, **chosen))

    def _scale(self, options: dict[str, Any]) -> None:
        from delivery.benchmarks.scale import Options, measure_scale

        figures = measure_scale(Options(old=options["old"], recipients=options["recipients"]))
        self._print(figures, as_json=options["json"])

    def _bounces(self, options: dict[str, Any]) -> None:
        from delivery.inbound.score import render_table, score_corpus

        if not (options["corpus"] / "expected.json").is_file():
            raise CommandError(f"{options['corpus']} holds no expected.json.")
        score = score_corpus(options["corpus"])
        if options["json"]:
            self._print(score.as_json(), as_json=True)
        else:
            self.stdout.write(render_table(score))

    def _track(self, options: dict[str, Any]) -> None:
        from delivery.benchmarks.track import Options, measure

        chosen = {key: options[key] for key in Options.__dataclass_fields__ if key in options}
        self._print(measure(Options(**chosen)), as_json=options["json"])

    def _verdicts(self, options: dict[str, Any]) -> None:
        from delivery.tracking.simulation import render_table, score_traffic

        score = score_traffic(n_messages=options["messages"], seed=options["seed"])
        if options["json"]:
            self._print(score.as_json(), as_json=True)
        else:
            self.stdout.write(render_table(score))

    def _print(self, figures: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(figures))
            return
        for key, value in figures.items():
            self.stdout.write(f"{key:24} {json.dumps(value)}")


def _add_send(names: Any) -> CommandParser:
    send = names.add_parser("send", help="Messages per second from launch to the last outcome written.")
    send.add_argument("--recipients", type=int, default=10_000)
    send.add_argument("--size", type=int, default=40, help="Kilobytes of HTML.")
    send.add_argument("--links", type=int, default=20)
    send.add_argument("--template", choices=TEMPLATES, default="plain", help="rich: filters, captures, nested loops.")
    send.add_argument("--connections", type=int, default=10, help="Per worker process.")
    send.add_argument("--workers", type=int, default=1, help="Worker processes.")
    send.add_argument("--rtt-ms", type=float, default=0.0, help="Round trip that the project's own sink simulates.")
    send.add_argument("--dkim", choices=["", "rsa", "ed25519"], default="")
    send.add_argument("--sink", default="", help="HOST:PORT of another sink.")
    send.add_argument(
        "--provider", default="", help="Send through a provider's API (a kind such as resend), faked here."
    )
    send.add_argument("--latency-ms", type=float, default=50.0, help="What a call to the faked provider takes.")
    send.add_argument("--rate", type=int, default=0, help="The faked account's limit in messages per second.")
    send.add_argument("--pairs", type=int, default=5)
    send.add_argument("--plain", type=int, default=300, help="Messages of the plain Django reference; 0: none.")
    send.add_argument("--no-ceiling", dest="ceiling", action="store_false", help="Do not run smtp-source.")
    return cast("CommandParser", send)
