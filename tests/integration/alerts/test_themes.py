"""What customers write leads their case to the team that can act (R80), and decides its steps (R91)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.alerts.domain.rooms import Rooms
from services.alerts.domain.teams import read_roster
from services.alerts.handlers.actions import Action
from services.cli.rota import app
from shared.contracts.directory import ContactErased
from shared.contracts.responses import ResponseAmended
from shared.contracts.surveys import CloseTheLoop
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.sealing import Sealer
from shared.words.dictionary import compiled
from shared.words.file import dictionary_of
from tests.support.alert_site import Site, site
from tests.support.alerts import T0, event
from tests.support.databases import OpenDatabase

READY = compiled(dictionary_of(None))
LATER = T0 + timedelta(minutes=2)
FILE = """
teams:
  product:
    name: Product
    rota: [{people: [ola@afterword.test], first: 2026-03-02}]
  care:
    name: Care
    rota: [{people: [rita@afterword.test], first: 2026-03-02}]
routes:
  - when: {themes: [usability]}
    team: product
    owner_first: false
  - team: care
playbooks:
  rescue:
    steps:
      - {id: understand, text: Ask why}
      - {id: invoice, text: Go through the invoice, when: {themes: [billing]}}
"""
HARD = "It is far too complicated, I never find anything."


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    made = site(await database("alerts"), sealer, clock)
    roster = read_roster(FILE, READY.written.keys).value
    assert roster is not None
    rooms = Rooms(("slack",), {"product": ("slack/product",)})
    made.desk = replace(made.desk, roster=roster, dictionary=READY, rooms=rooms)
    await made.sign_in_everybody()
    return made


@pytest.fixture
async def web(on: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        client.cookies.set("afterword", on.tokens["rita"])
        yield client


async def case(on: Site) -> tuple[str, object, int]:
    """Whose case it is, its owner and its version."""
    async with on.db.read() as conn:
        row = await conn.fetchrow("select team, owner, version from tickets")
    assert row is not None
    return tuple(row)


async def told(on: Site) -> list[tuple[Any, ...]]:
    async with on.db.read() as conn:
        rows = await conn.fetch("select occasion, channel, recipient from notices order by 1, 2, 3")
    return [tuple(row) for row in rows]


@pytest.mark.requirement("R80")
@pytest.mark.parametrize(
    ("words", "team"),
    [
        (HARD, "product"),
        ("Nobody called back.", "care"),
        ("", "care"),
        ("Very easy to use, but the invoices are never right.", "care"),  # praise is no complaint
    ],
)
async def test_a_case_goes_to_the_team_of_its_themes(on: Site, words: str, team: str) -> None:
    await on.hears(await on.says.answered("r1", 2, T0, words=words))
    assert (await case(on))[0] == team


@pytest.mark.requirement("R80")
async def test_words_after_the_score_lead_a_case_that_nobody_took_to_their_team(
    on: Site, web: httpx.AsyncClient
) -> None:
    await on.hears(await on.says.answered("r1", 2, T0, words=""))
    assert (await case(on))[:2] == ("care", on.users["rita"])
    before = await told(on)
    async with on.db.read() as conn:
        due = await conn.fetchval("select contact_due_at from tickets")
    said = await on.says.answered(
        "r1", 2, LATER, model=ResponseAmended, version=2, words=HARD, received_at=T0
    )
    await on.hears(said)
    await on.hears(said)
    assert (await case(on))[:2] == ("product", on.users["ola"])
    fresh = [one for one in await told(on) if one not in before]
    assert fresh == [
        ("assigned", "email", str(on.users["ola"])),
        ("opened", "slack/product", "team"),
    ], "its owner and its room hear of it once, the room of all has heard already"
    async with on.db.read() as conn:
        assert await conn.fetchval("select contact_due_at from tickets") == due
        ticket_id = await conn.fetchval("select id from tickets")
    page = await web.get(f"/tickets/{ticket_id}", headers={"accept": "text/html"})
    assert "is on call for Product" in page.text
    assert "the comment shows whose case it is" in page.text
    assert "Ease of use" in page.text


@pytest.mark.requirement("R80")
async def test_a_case_that_somebody_took_stays_with_them(on: Site) -> None:
    await on.hears(await on.says.answered("r1", 2, T0, words=""))
    await on.does("rita", "r1", Action.ACKNOWLEDGE)
    await on.hears(await on.says.answered("r1", 2, LATER, model=ResponseAmended, version=2, words=HARD))
    assert (await case(on))[:2] == ("care", on.users["rita"])


@pytest.mark.requirement("R91")
async def test_the_steps_of_a_case_follow_what_its_voices_say(on: Site, web: httpx.AsyncClient) -> None:
    rescue = CloseTheLoop(playbook="rescue")
    await on.hears(await on.says.answered("r1", 2, T0, close_the_loop=rescue))
    async with on.db.read() as conn:
        ticket_id = await conn.fetchval("select id from tickets")

    async def steps() -> list[str]:
        page = await web.get(f"/tickets/{ticket_id}", headers={"accept": "text/html"})
        return [text for text in ("Ask why", "Go through the invoice") if text in page.text]

    assert await steps() == ["Ask why"]
    await on.hears(
        await on.says.answered(
            "r2", 1, LATER, contact="bo", words="The invoices are wrong again.", close_the_loop=rescue
        )
    )
    assert await steps() == ["Ask why", "Go through the invoice"]


async def test_what_the_erased_said_is_about_nothing(on: Site) -> None:
    await on.hears(await on.says.answered("r1", 2, T0, words=HARD))
    erased = ContactErased(contact_id=str(derive("contact", "ana")), version=9, erased_at=LATER)
    await on.hears(event(erased, LATER))
    async with on.db.read() as conn:
        assert await conn.fetchval("select themes from answers") == []


def test_a_theme_that_the_dictionary_does_not_have_is_named_with_its_place() -> None:
    checked = read_roster("routes: [{when: {themes: [usability, parking]}}]", READY.written.keys)
    (complaint,) = checked.complaints
    assert (complaint.path, complaint.reason) == ("routes[0].when.themes[1]", "there is no theme 'parking'")
    assert "usability" in complaint.what_to_do
    for text in (
        "tasks: {gift: {after: happy, due_days: 5, when: {themes: [parking]}}}",
        "playbooks: {a: {steps: [{id: x, text: one, when: {themes: [parking]}}]}}",
    ):
        assert read_roster(text, READY.written.keys).value is None
        assert read_roster(text).value is not None


def test_a_dictionary_that_cannot_be_used_is_said_by_the_command_that_needs_it(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(FILE)
    said = CliRunner().invoke(app, ["check", str(file), "--offline", "--dictionary", str(tmp_path / "none")])
    assert said.exit_code == 1
    assert "The dictionary cannot be used. AFTERWORD_DICTIONARY" in said.output
    assert CliRunner().invoke(app, ["check", str(file), "--offline"]).exit_code == 0
