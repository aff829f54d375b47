"""`python -m deploy.embedded start|stop|status|env|discard|run`: the embedded servers by hand.

`run --var DIR -- COMMAND` runs the command with the addresses of fresh servers in DIR and removes them afterwards.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded import PROJECT_VAR, EmbeddedError, Servers, discard, ensure_running, servers_of


def main() -> int:
    """Obey the command line; 0 when done, 1 when it failed, 3 when `status` finds a server stopped."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded", description=__doc__)
    parser.add_argument("action", choices=["start", "stop", "status", "env", "discard", "run"])
    parser.add_argument("--var", type=Path, default=PROJECT_VAR, help="directory of the servers (default: %(default)s)")
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    chosen, command = parser.parse_args(sys.argv[1:cut]), sys.argv[cut + 1 :]
    if (chosen.action == "run") != bool(command):
        parser.error("`run` needs a command after --, the other actions take none")
    try:
        return _run(chosen.var, command) if command else _obey(chosen.action, chosen.var)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _obey(action: str, var_dir: Path) -> int:
    match action:
        case "start":
            return _show(ensure_running(var_dir))
        case "env":
            for name, value in ensure_running(var_dir).environment().items():
                sys.stdout.write(f"export {name}={value}\n")
        case "stop":
            servers_of(var_dir).stop()
        case "discard":
            discard(var_dir)
        case _:
            return _show(servers_of(var_dir))
    return 0


def _run(var_dir: Path, command: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    discard(var_dir)
    try:
        environment = os.environ | ensure_running(var_dir).environment()
        child = subprocess.Popen(command, env=environment)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the command as well, which ends by it
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        code = child.wait()
        return code if code >= 0 else 128 - code
    finally:
        discard(var_dir)


def _show(servers: Servers) -> int:
    for server in (servers.postgres, servers.redis):
        state = f"runs on 127.0.0.1:{server.port} (process {server.pid})" if server.is_running else "is stopped"
        sys.stdout.write(f"{server.name} {state}, files in {server.directory}\n")
    return 0 if servers.are_running else 3


if __name__ == "__main__":
    sys.exit(main())
