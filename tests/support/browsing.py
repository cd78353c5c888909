"""Chromium as tests look at pages with it, and what axe finds on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.support.programs import CHROMIUM

PHONE, DESK = (390, 844), (1280, 900)
SIZES = {"phone": PHONE, "desk": DESK}
"""Width and height of a window, in CSS pixels."""

AS_A_PERSON = "--disable-blink-features=AutomationControlled"
"""Chromium's own switch by which it hides that a program drives it."""

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""By how many pixels a page is wider than its window; a script."""

_AXE = Path(str(files("axe_playwright_python") / "axe.min.js"))
_LOOK = "axe.run(document, {resultTypes: ['violations'], selectors: false})"
"""Looks at everything, but describes only what is wrong: what is right would take a third of the time."""


@asynccontextmanager
async def chromium(*switches: str) -> AsyncIterator[Browser]:
    """A browser without a window; it ends with the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM.path(), args=["--no-sandbox", *switches]
        )
        yield browser
        await browser.close()


async def barriers(page: Page) -> list[str]:
    """Everything that axe finds wrong with a page, whose context must let its script in."""
    await page.add_script_tag(path=_AXE)
    found = await page.evaluate(_LOOK)
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


async def looked_at(page: Page, folder: Path) -> None:
    """See that an open page is as it should be on a phone and then on a desk, at which it is left.

    Args:
        page: whose context lets axe in.
        folder: where a picture of each size is put, to be looked at.
    """
    for name, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        await page.screenshot(path=folder / f"{name}.png", full_page=True)
        assert await page.evaluate(WIDER) <= 0, name
        assert await barriers(page) == [], name


async def faults(opens: Callable[..., Awaitable[Page]]) -> dict[str, list[str]]:
    """What is wrong with a page on a phone and on a desk, by day and by night.

    Args:
        opens: opens it at `size`, `dark` or not.
    """
    found: dict[str, list[str]] = {}
    for name, size in SIZES.items():
        for dark in (False, True):
            page = await opens(size=size, dark=dark)
            wider = await page.evaluate(WIDER)
            wrong = [*await barriers(page), *([f"{wider} px too wide"] if wider > 0 else [])]
            if wrong:
                found[f"{name}, {'dark' if dark else 'light'}"] = wrong
            await page.context.close()
    return found


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody signed in, before pages that are served at `url`."""

    browser: Browser
    url: str
    token: str

    async def opens(
        self,
        path: str,
        *,
        size: tuple[int, int] = DESK,
        dark: bool = False,
        scripts: bool = True,
        status: int = 200,
        axe: bool = True,
    ) -> Page:
        """A page as they see it, in a window of its own that lets axe in, or keeps to the page's policy."""
        context = await self.browser.new_context(
            java_script_enabled=scripts,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # no colour is measured on its way to another
            bypass_csp=axe,
        )
        await context.add_cookies([{"name": "afterword", "value": self.token, "url": self.url}])
        page = await context.new_page()
        response = await page.goto(self.url + path)
        assert response is not None
        assert response.status == status, await page.inner_text("body")
        assert "Markup(" not in await response.text(), "a part of the page is written out as code"
        return page
