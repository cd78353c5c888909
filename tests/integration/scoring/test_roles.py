"""Who sees what of scores: each page and each route by the lowest role that it is open to."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from services.scoring.api import digests, filed
from services.scoring.domain.tables import SHAPES, Needed, Table
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Role
from shared.web.routing import join
from tests.support.customers import account_id, driven, town
from tests.support.score_pages import access_to, application, quarter, signed_in
from tests.support.scoring import Scoring

PAGES: Mapping[str, Role] = {
    "/scores": Role.VIEWER,
    "/scores?programme=renewal-nps": Role.VIEWER,
    "/scores?programme=renewal-nps&split=owner": Role.REP,
    "/scores/comments": Role.VIEWER,
    "/scores/compare": Role.VIEWER,
    "/scores/results": Role.VIEWER,
    "/scores/answers?programme=renewal-nps": Role.REP,
    "/scores/accounts": Role.REP,
    f"/scores/accounts/{account_id(1)}": Role.REP,
    "/scores/crm": Role.REP,
    "/scores/badges": Role.MANAGER,
}
ROUTES: Mapping[str, Role] = {
    "": Role.VIEWER, "/trend": Role.VIEWER, "/summary": Role.VIEWER, "/changes": Role.VIEWER,
    "/definitions?programme=renewal-nps": Role.VIEWER, "/cohorts?programme=renewal-nps": Role.VIEWER,
    "/plan?programme=renewal-nps&metric=nps": Role.VIEWER, "/segments?programme=renewal-nps": Role.VIEWER,
    "/drivers?programme=renewal-nps": Role.VIEWER, "/compare": Role.VIEWER, "/compare/file": Role.VIEWER,
    "/goals": Role.VIEWER, "/fixes": Role.VIEWER, "/outcomes": Role.VIEWER,
    "/outcomes/programmes": Role.VIEWER, "/churn": Role.VIEWER, "/references": Role.VIEWER,
    "/themes": Role.VIEWER, "/badges": Role.VIEWER,
    "/comments": Role.REP, "/accounts": Role.REP, f"/accounts/{account_id(1)}": Role.REP,
    "/crm": Role.REP, "/crm/records": Role.REP, "/digests": Role.REP,
    "/facts": Role.MANAGER, "/files": Role.MANAGER,
}  # fmt: skip
LOWEST = {Needed.NOTHING: Role.VIEWER, Needed.ACCOUNTS: Role.REP, Needed.ANSWERS: Role.MANAGER}
TABLES = {table: LOWEST[shape.needed] for table, shape in SHAPES.items()}
NAMES_SOMEBODY = {"words", "contact_id", "response_id", "account_id", "account_name", "owner"}
NOT_HERE = {"/v1/scores/stream", "/v1/scores/badges/{badge}/quotes", "/v1/scores/tables/{table}"}
"""A stream does not end, quotes are of a badge, and tables have a list of their own."""


@pytest.fixture
async def asked_by(
    db: Database, clock: FixedClock, scoring: Scoring
) -> Mapping[Role, tuple[httpx.AsyncClient, set[str]]]:
    """People of each role in a town, with the addresses that there are."""
    await quarter(scoring, clock.now())
    await scoring.take(*town(clock.now()), *driven(clock.now()))
    access = access_to(db, clock)
    app = application(db, clock, access)
    join(app, digests.routes(db, clock))
    join(app, filed.routes(db, clock))
    gets = {path for path, operations in app.openapi()["paths"].items() if "get" in operations}
    return {
        role: (
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://127.0.0.1",
                headers={"Accept": "text/html"}, cookies={"afterword": await signed_in(access, role)},
            ),
            gets,
        )
        for role in (Role.VIEWER, Role.REP, Role.MANAGER)
    }  # fmt: skip


@pytest.mark.requirement("R58", "R59", "R61", "R70", "R84")
async def test_each_page_and_route_is_open_from_its_role_on_and_to_nobody_below(
    asked_by: Mapping[Role, tuple[httpx.AsyncClient, set[str]]],
) -> None:
    wanted = {
        **PAGES,
        **{f"/v1/scores{path}": role for path, role in ROUTES.items()},
        **{f"/v1/scores/tables/{table}?programme=renewal-nps": role for table, role in TABLES.items()},
    }
    for role, (client, _) in asked_by.items():
        for address, lowest in wanted.items():
            found = await client.get(address)
            assert found.status_code == (200 if role.includes(lowest) else 403), (role, address, found.text)


async def test_no_route_is_forgotten(
    asked_by: Mapping[Role, tuple[httpx.AsyncClient, set[str]]],
) -> None:
    _, gets = asked_by[Role.VIEWER]
    listed = {f"/v1/scores{path.partition('?')[0]}".replace(account_id(1), "{account_id}") for path in ROUTES}
    assert {path for path in gets if path.startswith("/v1/scores")} - NOT_HERE == listed


@pytest.mark.requirement("R58", "R61")
def test_a_table_that_names_somebody_is_for_no_viewer() -> None:
    for table, shape in SHAPES.items():
        if NAMES_SOMEBODY & {column.name for column in shape.columns}:
            assert TABLES[table] is not Role.VIEWER, table
    assert TABLES[Table.COMMENTS] is TABLES[Table.ANSWERS] is TABLES[Table.FACTS] is Role.MANAGER
