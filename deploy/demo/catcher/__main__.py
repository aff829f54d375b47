"""`python -m deploy.demo.catcher`: receives, shows and answers mail until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from deploy.demo.catcher.agenda import Agenda
from deploy.demo.catcher.fate import PACES
from deploy.demo.catcher.mailbox import Mailbox
from deploy.demo.catcher.pages import serve_pages
from deploy.demo.catcher.receiver import Receiver, start_receiver
from deploy.demo.catcher.record import Record


def main() -> None:
    """Run the catcher."""
    # Its templates need no apps, and loading them would take two seconds and 60 MB.
    settings.configure(USE_I18N=False, TIME_ZONE="UTC")
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.catcher", description=__doc__)
    for name in ("smtp", "web", "intake"):
        parser.add_argument(f"--{name}-port", type=int, required=True)
    parser.add_argument("--origin", required=True, help="Address of the demo's pages, such as http://127.0.0.1:8000.")
    parser.add_argument("--pace", choices=PACES, default="demo")
    asyncio.run(_serve(parser.parse_args()))
    os._exit(0)  # readers in the middle of an act are simulated: nobody waits for them


async def _serve(options: argparse.Namespace) -> None:
    record, mailbox = Record(), Mailbox()
    agenda = Agenda(record, origin=options.origin, intake_port=options.intake_port)
    letters = ThreadPoolExecutor(1, "letters")
    receiver = Receiver(record, mailbox, agenda, PACES[options.pace], options.origin, letters.submit)
    server = await start_receiver(receiver, options.smtp_port)
    serve_pages(options.web_port, mailbox, record, agenda)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    main()
