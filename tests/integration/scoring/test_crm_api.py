"""`/v1/scores/crm`: what stands of scores in CRMs, who may see it, and asking again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest

from services.scoring.api import crm as api
from services.scoring.domain.crm import Kind
from services.scoring.store import crm
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.web.app import web_app
from shared.web.routing import join
from tests.support.score_pages import access_to

pytestmark = pytest.mark.requirement("R71")
ANA, ACME = derive("contact", 1), derive("account", 1)


@pytest.fixture
async def client(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A program that may read and write accounts, and two CRMs of which one is no longer connected."""
    access = access_to(db, clock)
    app = web_app(access, "http://test")
    join(app, api.routes(db, ["hubspot"]))
    scopes = frozenset({Scope.ACCOUNTS_READ, Scope.ACCOUNTS_WRITE})
    _, key = await access.create_key("ops", scopes, None)
    async with db.begin() as tx:
        await tx.conn.execute(
            "insert into crm_records (target, kind, id, record, state, reason, attempts, next_at) values "
            "('hubspot', 'account', $2, '8', 'written', '', 0, null), "
            "('hubspot', 'contact', $1, '', 'refused', 'there is no such record', 2, $3), "
            "('salesforce', 'contact', $1, '003', 'written', '', 0, null)",
            ANA, ACME, db.machine.wall() + timedelta(hours=2),
        )  # fmt: skip
        until = db.machine.wall() + timedelta(hours=1)
        await crm.hold(tx.conn, "hubspot", [Kind.ACCOUNT], 3, until, "HTTP 403 MISSING_SCOPES")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers={"authorization": f"Bearer {key}"}
    ) as made:
        yield made


async def test_each_crm_is_shown_with_its_records_and_its_troubles(
    client: httpx.AsyncClient, machine: FakeMachine
) -> None:
    hubspot, salesforce = (await client.get("/v1/scores/crm")).json()
    assert (hubspot["name"], hubspot["connected"]) == ("hubspot", True)
    assert [(one["kind"], one["state"], one["records"]) for one in hubspot["records"]] == [
        ("account", "written", 1), ("contact", "refused", 1)
    ]  # fmt: skip
    (trouble,) = hubspot["troubles"]
    assert datetime.fromisoformat(trouble.pop("held_until")) == machine.wall() + timedelta(hours=1)
    assert trouble == {"kind": "account", "trouble": "HTTP 403 MISSING_SCOPES", "failures": 3}
    assert (salesforce["connected"], salesforce["troubles"]) == (False, [])


async def test_what_was_refused_is_listed_with_its_reason(client: httpx.AsyncClient) -> None:
    (one,) = (await client.get("/v1/scores/crm/records?state=refused")).json()["records"]
    assert (one["crm"], one["kind"], one["id"]) == ("hubspot", "contact", str(ANA))
    assert (one["reason"], one["attempts"]) == ("there is no such record", 2)
    of_ana = (await client.get(f"/v1/scores/crm/records?id={ANA}")).json()["records"]
    assert [one["crm"] for one in of_ana] == ["hubspot", "salesforce"]
    filtered = await client.get("/v1/scores/crm/records?crm=salesforce&kind=contact")
    assert [one["record"] for one in filtered.json()["records"]] == ["003"]


async def test_records_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    seen: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get(f"/v1/scores/crm/records?limit=1&cursor={cursor}")).json()
        seen += [(one["crm"], one["kind"]) for one in page["records"]]
        cursor = page["next"]
    assert seen == [("hubspot", "account"), ("hubspot", "contact"), ("salesforce", "contact")]
    wrong = await client.get("/v1/scores/crm/records?cursor=nonsense")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "cursor")


async def test_after_mending_a_crm_is_asked_again_at_once(
    client: httpx.AsyncClient, db: Database, machine: FakeMachine
) -> None:
    answer = await client.post("/v1/scores/crm/hubspot/again")
    assert answer.json() == {"records": 1}
    async with db.read() as conn:
        assert not await crm.held(conn, "hubspot", Kind.ACCOUNT, db.machine.wall())
        (row,) = await crm.listed(conn, ("hubspot", "", "refused"), None, None, 10)
    assert (row["next_at"], row["attempts"]) == (db.machine.wall(), 0)
    gone = await client.post("/v1/scores/crm/salesforce/again")
    assert (gone.status_code, gone.json()["field"]) == (404, "name")


@pytest.mark.parametrize("scope", [Scope.SCORES_READ, Scope.CONTACTS_READ])
async def test_who_may_not_see_accounts_sees_none_of_it(
    db: Database, clock: FixedClock, scope: Scope
) -> None:
    access = access_to(db, clock)
    app = web_app(access, "http://test")
    join(app, api.routes(db, ["hubspot"]))
    _, key = await access.create_key("bi", frozenset({scope}), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers={"authorization": f"Bearer {key}"}
    ) as stranger:
        for path in ("/v1/scores/crm", "/v1/scores/crm/records"):
            assert (await stranger.get(path)).status_code == 403
        assert (await stranger.post("/v1/scores/crm/hubspot/again")).status_code == 403
