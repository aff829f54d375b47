#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL and REDIS_URL it runs on embedded servers under var/."""

import os
import sys

# These need no database, so they start none.
OFFLINE = {"help", "--help", "-h", "version", "--version", "collectstatic"}


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    if OFFLINE.isdisjoint(sys.argv[1:2] or ["help"]):
        use_embedded_servers()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def use_embedded_servers() -> None:
    """Start PostgreSQL and Redis under var/ unless the environment or .env names servers.

    An installation without the `embedded` extra is left to the settings' own checks. The servers go on running:
    `python -m deploy.embedded stop` ends them.
    """
    import environ

    from deploy import embedded

    environ.Env.read_env(embedded.PROJECT_VAR.parent / ".env")
    if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
        return
    try:
        os.environ.update(embedded.ensure_running(embedded.PROJECT_VAR).environment())
    except embedded.WheelsMissingError:
        return
    except embedded.EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
