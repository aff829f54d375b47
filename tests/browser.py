"""A real Chromium for the tests marked `browser`, and a loud word at the end when there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NO_CHROMIUM = "no Chromium found"
COMMANDS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",  # Chromium's sandbox refuses root and most containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # Docker's /dev/shm of 64 MB crashes tabs
]


def find_chromium() -> str | None:
    """The path of $CHROMIUM or of a system Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    return next((path for command in COMMANDS if (path := shutil.which(command))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module. Without any the test is skipped, with CI=true it fails.

    Playwright's sync interface keeps an event loop in this thread for as long as it lives: asyncio.run() of another
    module's tests would refuse to start, and Django takes the thread for async code.
    """
    executable = find_chromium()
    if executable is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_CHROMIUM)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with playwright.chromium.launch(executable_path=executable, args=ARGUMENTS) as chromium:
            yield chromium


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own: no cookies of other tests, no animations, five seconds of patience."""
    context = browser.new_context(reduced_motion="reduce", locale="en-US", timezone_id="UTC")
    context.set_default_timeout(5_000)
    yield context.new_page()
    context.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how many tests did not run for want of a browser."""
    n_skipped = sum(NO_CHROMIUM in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if n_skipped:
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{n_skipped} browser tests were skipped: {NO_CHROMIUM}. Install it (apt-get install chromium)"
            " or set CHROMIUM to its path."
        )
