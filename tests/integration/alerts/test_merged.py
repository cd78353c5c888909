"""Of contacts who were merged, answers and cases are found under the one who stays."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.alerts.store import directory, views
from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.envelope import Event
from shared.contracts.model import Person
from shared.contracts.responses import ResponseAmended
from shared.db.merged import families
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.security.sealing import Sealer
from tests.integration.alerts.conftest import Office
from tests.support.alert_site import Site, night, site
from tests.support.alerts import HOUR, T0, event
from tests.support.databases import OpenDatabase

pytestmark = pytest.mark.requirement("R72")


def merged(who: str, into: str) -> Event[Any]:
    """The directory tells that somebody is known under another id now."""
    told = ContactChanged(
        contact_id=str(derive("contact", who)), version=2, merged_into=str(derive("contact", into))
    )
    return event(told, T0)


def companies_merged(what: str, into: str) -> Event[Any]:
    """The directory tells that a company is known under another id now."""
    told = AccountChanged(
        account_id=str(derive("account", what)), version=2, merged_into=str(derive("account", into))
    )
    return event(told, T0)


async def tickets(office: Office) -> list[Any]:
    return await office.rows(
        "select t.state, count(v.*) from tickets t left join voices v on v.ticket_id = t.id "
        "group by t.id order by t.opened_at"
    )


@pytest.mark.parametrize("order", list(permutations([("a", "b"), ("b", "c"), ("c", "d")])))
@pytest.mark.parametrize("at_once", [False, True])
async def test_chains_lead_to_the_last_in_whatever_order_they_are_heard(
    office: Office, order: tuple[tuple[str, str], ...], at_once: bool
) -> None:
    told = [merged(*pair) for pair in order]
    for part in [told] if at_once else [[one] for one in told]:
        await office.hears(*part)
    ids = {name: derive("contact", name) for name in "abcd"}
    async with office.db.read() as conn:
        found = await families(conn, ids.values())
    whole = {ids[name] for name in "abcd"}
    assert {family[0] for family in found.values()} == {ids["d"]}
    assert all(set(family) == whole for family in found.values())


async def test_an_answer_of_the_one_who_stays_joins_the_open_case_of_the_former_id(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, account=None, contact="ana"))
    await office.hears(merged("ana", "anna"))
    await office.hears(await office.says.answered("r2", 1, T0 + HOUR, account=None, contact="anna"))
    assert await tickets(office) == [("open", 2)]


async def test_a_late_answer_under_the_former_id_joins_the_case_of_the_one_who_stays(office: Office) -> None:
    await office.hears(merged("ana", "anna"))
    await office.hears(await office.says.answered("r1", 2, T0, account=None, contact="anna"))
    late = await office.says.answered("r2", 3, T0 + HOUR, account=None, contact="ana")
    await office.hears(late)
    await office.hears(late)
    assert await tickets(office) == [("open", 2)]


async def test_an_answer_at_the_account_that_stays_joins_the_open_case_of_the_merged_one(
    office: Office,
) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, account="old", contact="ana"))
    stays = AccountChanged(
        account_id=str(derive("account", "new")), version=1, name="Kund Group", owner="rita@example.com"
    )
    await office.hears(event(stays, T0), companies_merged("old", "new"))
    await office.hears(await office.says.answered("r2", 1, T0 + HOUR, account="new", contact="bo"))
    assert await tickets(office) == [("open", 2)]
    async with office.db.read() as conn:
        (line,) = await views.lines(conn, views.Query())
        owners = await directory.owners(conn, [derive("account", "old")])
    assert (line.account_id, line.account_name) == (derive("account", "new"), "Kund Group")
    assert owners == {derive("account", "old"): "rita@example.com"}


async def test_two_open_cases_stay_two_and_an_amendment_stays_in_its_own(office: Office) -> None:
    for name in ("ana", "anna"):
        await office.hears(await office.says.answered(name, 2, T0, account=None, contact=name))
    await office.hears(merged("ana", "anna"))
    better = await office.says.answered(
        "ana", 9, T0 + HOUR, account=None, contact="ana", model=ResponseAmended, version=2
    )
    await office.hears(better)
    assert sorted(await tickets(office)) == [("closed", 1), ("open", 1)]
    again = await office.says.answered("r3", 0, T0 + 2 * HOUR, account=None, contact="ana")
    await office.hears(again)
    assert sorted(await tickets(office)) == [("closed", 1), ("open", 2)]


async def test_an_answer_that_joined_is_amended_in_the_case_that_it_joined(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, account=None, contact="ana"))
    await office.hears(merged("ana", "anna"))
    await office.hears(await office.says.answered("r2", 1, T0 + HOUR, account=None, contact="anna"))
    for version, score in ((2, 9), (3, 0)):
        at = T0 + version * HOUR
        told = await office.says.answered(
            "r2", score, at, account=None, contact="anna", model=ResponseAmended, version=version
        )
        await office.hears(told)
    assert await tickets(office) == [("open", 2)]


async def test_history_and_past_cases_are_those_of_all_ids(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, account=None, contact="ana"))
    await office.hears(await office.says.answered("r2", 1, T0 + HOUR, account=None, contact="anna"))
    await office.hears(merged("ana", "anna"))
    ana, anna = derive("contact", "ana"), derive("contact", "anna")
    async with office.db.read() as conn:
        for key in (ana, anna):
            assert len(await views.history(conn, key, [], 9)) == 2
            assert len(await views.past_cases(conn, key, UUID(int=0), 9)) == 2
        for contact in (ana, anna):
            assert len(await views.lines(conn, views.Query(contact=contact))) == 2
        assert await views.lines(conn, views.Query(contact=derive("contact", "nobody"))) == []


async def test_a_person_with_two_ids_is_one_person_in_a_case(office: Office) -> None:
    for number, name in enumerate(("ana", "anna")):
        at = T0 + timedelta(hours=number)
        await office.hears(await office.says.answered(name, 2, at, contact=name))
    async with office.db.read() as conn:
        (before,) = await views.lines(conn, views.Query())
    await office.hears(merged("ana", "anna"))
    async with office.db.read() as conn:
        (after,) = await views.lines(conn, views.Query())
    assert (before.people, after.people) == (2, 1)


async def test_pages_name_the_one_who_stays_and_show_what_was_said_under_the_former_id(
    database: OpenDatabase, sealer: Sealer, clock: FixedClock
) -> None:
    on: Site = site(await database("alerts"), sealer, clock)
    await night(on)
    stays, former = derive("contact", "anna"), derive("contact", "ana")
    async with on.db.begin() as tx:
        (sealed,) = await sealer.seal(tx.conn, [(stays, Person(name="Anna Berg", phone="+46 8 1234567"))])
    await on.hears(event(ContactChanged(contact_id=str(stays), version=1, person=sealed), T0))
    left = ContactChanged(contact_id=str(former), version=99, merged_into=str(stays))
    await on.hears(event(left, T0))
    _, key = await on.access.create_key("crm", frozenset({Scope.TICKETS_READ}), None)
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as web:
        found = await web.get(
            "/v1/tickets", params={"contact": str(stays)}, headers={"authorization": f"Bearer {key}"}
        )
        web.cookies.set("afterword", on.tokens["rita"])
        html = {"accept": "text/html"}
        inbox = (await web.get("/inbox?view=team", headers=html)).text
        case = (await web.get(f"/tickets/{await on.case_of('ana')}", headers=html)).text
    (line,) = found.json()["tickets"]
    assert line["contact_id"] == str(stays)
    for page in (inbox, case):
        assert "Anna Berg" in page
        assert "Ana Díaz" not in page
    assert "the export runs empty" in case
    assert "+46 8 1234567" in case
