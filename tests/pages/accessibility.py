"""axe-core on a page, as a list of what is seriously wrong with it in each theme and width."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

Theme = Literal["light", "dark"]

AXE = Path(__file__).parent / "axe" / "axe.min.js"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# What another colour scheme or width can change; everything else is asked once.
OF_LOOKS = ["color-contrast", "scrollable-region-focusable", "link-in-text-block"]
RUN = """async (rules) => {
    const only = rules.length ? { runOnly: rules } : {};
    const found = await axe.run(document, { ...only, iframes: false, resultTypes: ["violations"] });
    return found.violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}"""
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return ["wider than the screen", ...[...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > width + 1)
        .slice(0, 3).map(({ outerHTML }) => outerHTML.slice(0, 200))];
}"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@cache
def _axe() -> str:
    return AXE.read_text("utf-8")


def problems_of(page: Page, url: str, *, status: int = 200) -> list[str]:
    """Serious and critical violations of the page at `url`, light and dark, at 1280 and 390 pixels."""
    found: list[str] = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
        answer = page.goto(url)
        if answer is None or answer.status != status:
            return [f"{url}: {answer and answer.status}"]
        page.evaluate(_axe())  # by the debugging protocol: the pages' own policy forbids foreign scripts
        found += _look(page, theme, "desktop", [] if theme == "light" else OF_LOOKS)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        found += _look(page, theme, "phone", OF_LOOKS)
        found += [f"{theme} phone: {problem}" for problem in page.evaluate(TOO_WIDE)]
    return found


def _look(page: Page, theme: str, width: str, rules: list[str]) -> list[str]:
    page.evaluate(SETTLED)
    return [f"{theme} {width}: {problem}" for problem in page.evaluate(RUN, rules)]
