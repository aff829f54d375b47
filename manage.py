#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL and REDIS_URL it runs on embedded servers under var/."""

import os
import sys

# These need no database, so they start none.
OFFLINE = {"help", "--help", "-h", "version", "--version", "collectstatic"}
# These bring their own servers, secrets and addresses, whatever the environment says.
STAGED = {"demo", "smoke"}


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in STAGED and not OFFLINE.intersection(sys.argv):
        set_the_stage(command)
    elif command not in OFFLINE:
        use_embedded_servers()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def set_the_stage(command: str) -> None:
    """Put into the environment what the demo or the smoke test needs before Django reads its settings."""
    from deploy.demo.environment import prepare_demo, prepare_smoke
    from deploy.embedded import EmbeddedError

    try:
        os.environ.update(prepare_demo(reset="--reset" in sys.argv) if command == "demo" else prepare_smoke())
    except EmbeddedError as error:
        sys.exit(str(error))


def use_embedded_servers() -> None:
    """Start PostgreSQL and Redis under var/ unless the environment or .env names servers; with the demo's secrets.

    An installation without the `embedded` extra is left to the settings' own checks. The servers go on running:
    `python -m deploy.embedded stop` ends them.
    """
    import environ

    from deploy import embedded
    from deploy.demo.environment import demo_secrets

    environ.Env.read_env(embedded.PROJECT_VAR.parent / ".env")
    if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
        return
    try:
        os.environ.update(embedded.ensure_running(embedded.PROJECT_VAR).environment())
        os.environ.update(demo_secrets() | os.environ)
    except embedded.WheelsMissingError:
        return
    except embedded.EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
