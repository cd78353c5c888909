"""Improvement actions in a real browser: from a case to the road map on a phone, and without barriers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from services.alerts.domain.improvements import Plan
from services.alerts.handlers.actions import Action as CaseAction
from services.alerts.handlers.improving import Action, Wish, act, keep
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.pages.test_task_pages import Visit
from tests.support.alert_site import content, site
from tests.support.alerts import T0, snapshot
from tests.support.browsing import DESK, PHONE, Reader, barriers
from tests.support.databases import OpenDatabase
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("alert_pages")]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser, database: OpenDatabase, sealer: Sealer, clock: FixedClock, tokens: Tokens
) -> AsyncIterator[Visit]:
    """The pages of a site with one case."""
    on = site(await database("alerts"), sealer, clock)
    on.desk = replace(on.desk, tokens=tokens)
    await content(on)
    async with served(on.app()) as url:
        yield Visit(Reader(browser, url, on.tokens["rita"]), on)


@pytest.mark.requirement("R76", "R81")
async def test_from_a_case_to_a_shipped_improvement_on_a_phone_without_scripts(visit: Visit) -> None:
    page = await visit.opens(f"/tickets/{await visit.site.case_of('bo')}", scripts=False)
    await page.get_by_role("link", name="Propose an improvement").click()
    await page.get_by_label("What is to be improved?").fill("Export never runs empty")
    await page.get_by_label("Impact").select_option("5")
    await page.get_by_label("Effort").select_option("2")
    await page.get_by_role("button", name="Put it on the road map").click()
    await page.get_by_role("button", name="Plan it").click()
    url = page.url.split("?")[0].removeprefix(visit.reader.url)
    for size, name in ((PHONE, "phone"), (DESK, "desk")):
        for path in ("/improvements", url):
            shown = await visit.opens(path, size=size)
            assert await barriers(shown) == []
            assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, name)
    await page.get_by_role("button", name="We have begun").click()
    await page.get_by_label("What we have changed, in English").fill("Exports wait until all rows are there.")
    await page.get_by_role("button", name="Shipped: tell them").click()
    assert await page.get_by_text("Shipped. Well done.").is_visible()
    assert await page.get_by_text("Told what we changed: 1").is_visible()
    assert await page.get_by_text("Nothing can be said yet", exact=True).is_visible()


@pytest.mark.requirement("R76", "R81")
async def test_an_improvement_is_proposed_from_a_comment_whose_writer_has_no_case(visit: Visit) -> None:
    response = derive("response", "cy")
    path = f"/improvements/new?response={response}&theme=usability"
    page = await visit.opens(path, size=PHONE, scripts=False)
    assert await page.get_by_text("Nobody called back.").is_visible()
    assert await page.get_by_text("A comment of somebody at Nordlys").is_visible()
    assert await page.get_by_label("Theme").input_value() == "usability"
    assert await page.get_by_label("Programme").input_value() == "ticket-resolved"
    assert await barriers(await visit.opens(path, size=PHONE)) == []
    await page.get_by_role("button", name="Put it on the road map").click()
    await page.get_by_label("What is to be improved?").fill("Somebody calls back")
    await page.get_by_role("button", name="Put it on the road map").click()
    assert await page.get_by_text("One person in one comment.").is_visible()
    assert await page.get_by_text("Comment of Nordlys Logistik Skandinavia", exact=False).first.is_visible()
    url = page.url.split("?")[0].removeprefix(visit.reader.url)
    assert await barriers(await visit.opens(url, size=PHONE)) == []
    await page.get_by_role("button", name="comment of Nordlys").click()
    assert await page.get_by_text("Nobody yet.").is_visible()


@pytest.mark.requirement("R94")
async def test_a_customer_says_yes_in_their_language_and_a_machine_says_nothing(
    visit: Visit, tokens: Tokens
) -> None:
    on = visit.site
    asked = snapshot("sol", "sol", locale="sv")
    await on.hears(await on.says.answered("sol", 2, T0, account="sol", contact="sol", snapshot=asked))
    rita, ticket, improvement = on.users["rita"], await on.case_of("sol"), derive("improvement", "i")
    await on.does("rita", "sol", CaseAction.CONTACT, via="phone", note="Spoke with them.")
    await on.does("rita", "sol", CaseAction.RESOLVE, cause="product_defect", note="Done.", lesson="Test it.")
    plan = Plan("Export never runs empty", 5, 2, rita, date(2026, 4, 1))
    async with on.db.begin() as tx:
        await keep(on.desk, tx, improvement, plan, rita)
        await act(on.desk, tx, improvement, Wish(Action.LINK, rita, ticket=ticket))
        words = {"sv": "En halvtimme med den nya exporten."}
        await act(on.desk, tx, improvement, Wish(Action.INVITE, rita, words=words))
        message_id = await tx.conn.fetchval("select message_id from messages where kind = 'invitation'")
    path = f"/invitations/{tokens.sign('invitation', message_id)}"
    async with httpx.AsyncClient(base_url=visit.reader.url) as machine:
        assert (await machine.post(path, data={"said": "yes"})).status_code == 403
        assert (await machine.get(f"/invitations/{tokens.sign('take', message_id)}")).status_code == 404
    page = await visit.opens(path, scripts=False)
    assert await page.get_by_role("heading", name="Vill du vara med?").is_visible()
    assert await barriers(await visit.opens(path)) == []
    await page.get_by_role("button", name="Ja, gärna").click()
    assert await page.get_by_text("Någon av oss hör snart av sig").is_visible()
    shown = await visit.opens(f"/improvements/{improvement}")
    await shown.get_by_role("link", name="Sol takes part").click()
    assert await shown.get_by_role("heading", name="Agree with them on how they take part").is_visible()
