"""The page of a backtest: one file that any browser opens, readable in every way."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from typer.testing import CliRunner

from services.cli.main import app
from tests.support.browsing import SIZES, barriers
from tests.support.histories import PROGRAMMES, history, write_history, write_programmes

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("backtest_page")]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets side by side, with a line that could not be used."""
    tmp_path = tmp_path_factory.mktemp("backtest")
    events = write_history(tmp_path / "history.ndjson", history(1, 200))
    with events.open("a") as more:
        more.write("{broken\n")
    ours = write_programmes(tmp_path / "ours")
    theirs = write_programmes(tmp_path / "theirs", PROGRAMMES[:5])
    file = tmp_path / "page.html"
    arguments = ["--events", events, "--programmes", ours, "--against", theirs, "--html", file]
    found = CliRunner().invoke(app, ["backtest", *map(str, arguments)])
    assert file.exists(), found.output
    return file


async def _open(browser: Browser, file: Path, *, size: str = "desk", dark: bool = False) -> Page:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(file.as_uri())
    assert asked == [file.as_uri()], "the page needs nothing else"
    return page


@pytest.mark.timeout(300)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_page_has_no_barrier_and_fits(
    browser: Browser, page_file: Path, size: str, *, dark: bool
) -> None:
    page = await _open(browser, page_file, size=size, dark=dark)
    await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert await barriers(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= SIZES[size][0], "nothing sticks out sideways"


@pytest.mark.timeout(300)
async def test_every_chart_has_its_numbers_as_a_table(browser: Browser, page_file: Path) -> None:
    page = await _open(browser, page_file)
    figures = page.locator("figure")
    count = await figures.count()
    assert count == 8, "four charts for each set"
    for place in range(count):
        figure = figures.nth(place)
        assert await figure.locator("svg title").first.text_content()
        assert await figure.locator("table tbody tr").count() > 0
    assert "could not be used" in await page.inner_text("main")
