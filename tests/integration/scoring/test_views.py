"""Views for tools that only read: their sums are the API's, their role sees nothing else."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.scoring.worker.clustering import learning
from shared.contracts.model import Persona
from shared.contracts.responses import ResponseHeld, ResponseSubmitted
from shared.db.database import Database
from shared.db.migrations import provision
from shared.embedded.postgres import PostgresAddress
from shared.runtime.clock import FixedClock
from shared.security.access import Scope
from tests.support.customers import (
    account,
    account_id,
    contact,
    contracts,
    driven,
    published,
    ticket,
    town,
)
from tests.support.databases import PASSWORD, cloned, ensure_template, exclusive
from tests.support.score_pages import access_to, application, comments_of, left_more, quarter, spoken
from tests.support.scoring import Scoring, answer, requested, snapshot, withdrawn
from tools.views import MIGRATIONS

VIEWS = [view for name in MIGRATIONS for view in importlib.import_module(name).VIEWS]
pytestmark = pytest.mark.requirement("R71")


@pytest.fixture
async def api(db: Database, clock: FixedClock, scoring: Scoring) -> AsyncIterator[httpx.AsyncClient]:
    """The API over a quarter of answers, one of which was withdrawn."""
    await quarter(scoring, clock.now())
    await scoring.take(*town(clock.now()), *driven(clock.now()), requested(77_000), answer(1, 9))
    await scoring.take(withdrawn(1, 2))
    await spoken(db, clock, comments_of(clock.now()))
    access = access_to(db, clock)
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ, Scope.ACCOUNTS_READ}), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:  # fmt: skip
        yield client


async def _told(api: httpx.AsyncClient, **asked: str) -> set[tuple[Any, ...]]:
    scores = (await api.get("/v1/scores", params=asked)).json()["scores"]
    return {
        (one["metric"], one["family"], "".join(one["values"].values()), one["n"], round(one["score"], 6))
        for one in scores
    }


_SCORE = """
sum(answers)::int, round((100.0 * (sum(high) - case when metric like 'nps%' then sum(low) else 0 end)
    / sum(answers))::numeric, 6)::float8
"""


async def test_sums_of_the_views_are_those_of_the_api(api: httpx.AsyncClient, scoring: Scoring) -> None:
    by_programme = await _told(api)
    assert by_programme
    assert by_programme == set(
        await scoring.rows(
            f"select metric, family, programme, {_SCORE} from afterword_bi.scores_by_day group by 1, 2, 3"
        )
    )
    for dimension in ("tier", "persona", "total", "programme"):
        assert await _told(api, dimension=dimension) == set(
            await scoring.rows(
                f"select metric, family, value, {_SCORE} from afterword_bi.scores_by_dimension"
                f" where dimension = '{dimension}' group by 1, 2, 3"
            )
        )
    summary = (await api.get("/v1/scores/summary")).json()["programmes"]
    counts = ("requested", "handed_over", "answered", "held")
    assert {(one["family"], one["programme"], *(one[name] for name in counts)) for one in summary} == set(
        await scoring.rows(
            f"select family, programme, {', '.join(f'sum({name})::int' for name in counts)}"
            " from afterword_bi.response_rates_by_day group by 1, 2"
        )
    )


async def test_answers_accounts_and_themes_are_those_of_the_api(
    api: httpx.AsyncClient, scoring: Scoring
) -> None:
    for number, kind in ((97_001, ResponseHeld), (97_002, ResponseSubmitted)):
        await scoring.take(answer(number, 0, kind=kind, snapshot=snapshot(account_id=account_id(1))))
    await scoring.take(withdrawn(97_002, 9))
    ((answers, of_accounts),) = await scoring.rows(
        "select (select count(nps) from afterword_bi.answers),"
        " (select sum(answers) from afterword_bi.account_scores_by_day where metric = 'nps')"
    )
    assert answers == sum(n for metric, _, _, n, _ in await _told(api) if metric == "nps")
    ((nobodys,),) = await scoring.rows("select count(nps) from afterword_bi.answers where account_id is null")
    assert of_accounts == answers - nobodys
    told = (await api.get("/v1/scores/accounts")).json()["accounts"]
    for view in ("accounts", "current_accounts"):
        assert {(one["name"], one["open_tickets"]) for one in told} == set(
            await scoring.rows(f"select name, open_tickets from afterword_bi.{view}")
        )
    themes = (await api.get("/v1/scores/themes", params={"window": "all"})).json()
    assert {(one["theme"], one["n"], one["negative"]) for one in themes["themes"]} == set(
        await scoring.rows(
            "select theme, sum(comments)::int,"
            " coalesce(sum(comments) filter (where tone = 'negative'), 0)::int"
            " from afterword_bi.themes_by_day group by 1"
        )
    )
    ((comments,),) = await scoring.rows("select sum(comments)::int from afterword_bi.comments_by_day")
    assert comments == themes["comments"]


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("first", ["merge", "answers"])
async def test_what_was_said_under_a_former_id_is_found_under_the_one_that_stays(
    scoring: Scoring, clock: FixedClock, first: str
) -> None:
    stays, former, other = (account_id(number) for number in (1, 2, 3))
    people = [contact(number, number, Persona.USER) for number in (1, 2, 3)]
    await scoring.take(*(account(number) for number in (1, 2, 3)), *people)
    now = clock.now()
    said = [answer(n, 9, at=now, snapshot=snapshot(account_id=account_id(n))) for n in (1, 2, 3)]
    cases = [ticket(number, number, now) for number in (1, 2)]
    left = account(2).model_copy(update={"version": 9, "merged_into": stays})
    moved = contact(2, 1, Persona.USER, 2)
    for told in (left, moved, *said, *cases) if first == "merge" else (*said, *cases, moved, left):
        await scoring.take(told)
    ids = await scoring.rows(
        "select account_id::text, current_id::text, former from afterword_bi.account_ids"
    )
    assert set(ids) == {(stays, stays, False), (former, stays, True), (other, other, False)}
    joined = (
        "select i.current_id::text, {} from afterword_bi.{} join afterword_bi.account_ids i"
        " using (account_id) group by 1"
    )
    counts = {
        "answers": ("count(*)::int", {stays: 2, other: 1}),
        "account_scores_by_day": ("sum(answers)::int", {stays: 2, other: 1}),
        "tickets": ("count(*)::int", {stays: 2}),
    }
    for view, (sum_, expected) in counts.items():
        assert dict(await scoring.rows(joined.format(sum_, view))) == expected, view
    today = await scoring.rows(
        "select account_id::text, people, open_tickets, last_answer_on from afterword_bi.current_accounts"
    )
    assert set(today) == {(stays, 2, 2, now.date()), (other, 1, 0, now.date())}


@pytest.mark.requirement("R8", "R68")
async def test_rises_of_churn_and_ends_of_contracts_are_those_of_the_api(
    api: httpx.AsyncClient, db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await left_more(db, clock)
    told = (await api.get("/v1/scores/churn")).json()
    columns = (
        "dimension", "value", "left_before", "left_after", "expected", "renewed_before", "renewed_after",
        "accounts_before", "accounts_after", "before", "after", "low", "high",
    )  # fmt: skip
    expected = {tuple(one[name] for name in columns) for one in (told["rising"], *told["parts"])}
    assert len(expected) == 2
    assert expected == set(await scoring.rows(f"select {', '.join(columns)} from afterword_bi.churn_rises"))
    ends = await scoring.rows(
        "select kind, count(*)::int from afterword_bi.contract_ends join afterword_bi.account_ids"
        " using (account_id) group by 1 order by 1"
    )
    assert ends == [("churn", 8), ("renewal", 1)]


@pytest.mark.requirement("R8")
async def test_who_stayed_and_who_left_by_programme_is_what_the_api_tells(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(published("pulse", ticket=False), *contracts(clock.now(), 50))
    await learning(scoring.db)()
    told = (await api.get("/v1/scores/outcomes/programmes")).json()["programmes"]
    assert {one["programme"] for one in told} >= {"pulse", "support"}
    expected = {
        (one["programme"], of["metric"], fate["mood"], fate["accounts"], fate["left"],
         "; ".join(one["touchpoints"]), one["state"], one["follows_up"])
        for one in told for of in one["outcomes"] for fate in of["fates"]
    }  # fmt: skip
    assert expected == set(
        await scoring.rows(
            "select programme, metric, mood, accounts, churned, touchpoints, state, follows_up"
            " from afterword_bi.outcomes_by_programme"
        )
    )
    ((accounts, churned),) = await scoring.rows(
        "select sum(accounts)::int, sum(churned)::int from afterword_bi.outcomes_by_programme"
    )
    assert accounts == sum(one[3] for one in expected) > churned == sum(one[4] for one in expected) > 0


async def test_who_reads_views_reads_nothing_else_and_writes_nothing(db: Database) -> None:
    async with db.read() as conn:
        rights = {
            row[0]: tuple(row)[1:]
            for row in await conn.fetch(
                "select n.nspname || '.' || c.relname,"
                " has_table_privilege('afterword_bi', c.oid, 'select')"
                " and has_schema_privilege('afterword_bi', n.oid, 'usage'),"
                " has_table_privilege('afterword_bi', c.oid, 'insert, update, delete, truncate')"
                " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where c.relkind in ('r', 'p', 'v') and n.nspname !~ '^pg_|^information_schema$'"
            )
        }
        may_make = await conn.fetchval(
            "select has_schema_privilege('afterword_bi', 'afterword_bi', 'create')"
        )
    seen = {name for name, (reads, _) in rights.items() if reads}
    assert seen == {f"afterword_bi.{view.name}" for view in VIEWS}
    assert not any(writes for _, writes in rights.values())
    assert not may_make


async def test_who_reads_views_makes_no_temporary_tables(
    postgres_server: PostgresAddress, run_folder: Path
) -> None:
    template = await ensure_template(postgres_server, ("scoring",), run_folder)
    async with cloned(postgres_server, template) as copy:
        with exclusive(run_folder, "templates"):
            await provision(copy.admin_dsn, ("scoring",), PASSWORD)
        tool = f"tool_{copy.name}"
        async with AsyncExitStack() as stack:
            admin = await _connected(stack, copy.admin_dsn)
            await admin.execute(f"create role {tool} login password '{PASSWORD}' in role afterword_bi")
            stack.push_async_callback(admin.execute, f"drop role {tool}")
            reader = await _connected(stack, postgres_server.dsn(tool, PASSWORD, copy.name))
            assert await reader.fetchval("select count(*) from afterword_bi.outcomes_by_programme") == 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="temporary"):
                await reader.execute("create temporary table mine (n int)")
            service = await _connected(stack, copy.dsn("scoring"))
            assert await service.fetchval("select count(*) from scoring.programme_outcomes") == 0


async def _connected(stack: AsyncExitStack, dsn: str) -> asyncpg.Connection:
    conn = await asyncpg.connect(dsn)
    stack.push_async_callback(conn.close)
    return conn


async def test_every_view_and_column_is_documented_and_none_leads_to_a_person(db: Database) -> None:
    async with db.read() as conn:
        rows: list[asyncpg.Record] = await conn.fetch(
            "select c.relname, a.attname, col_description(c.oid, a.attnum), obj_description(c.oid)"
            " from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0"
            " where c.relnamespace = 'afterword_bi'::regnamespace"
        )
    found = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    assert set(found) == {(view.name, name) for view in VIEWS for name, _, _ in view.columns}
    assert all(meaning and row for meaning, row in found.values())
    personal = {"contact_id", "survey_id", "words", "context", "subject_id", "snapshot", "zone"}
    assert not personal & {name for _, name in found}
