"""Tables that are written into a folder by themselves: whole, once, and again where the folder was away."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from services.scoring.api import filed as api_of_files
from services.scoring.app import references_of
from services.scoring.domain.digest import Day
from services.scoring.domain.filing import FILEABLE, Schedule
from services.scoring.domain.health import WEIGHTS
from services.scoring.domain.tables import SHAPES, Table
from services.scoring.domain.windows import Window
from services.scoring.handlers.tables import Shelf
from services.scoring.worker.filing import HOLD, Cabinet, filing
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.access import Scope
from shared.web.exports import Format
from shared.web.routing import join
from tests.support.customers import driven, town
from tests.support.score_pages import access_to, application, library_of, quarter
from tests.support.scoring import Scoring

pytestmark = pytest.mark.requirement("R71")
Round = Callable[[], Awaitable[int]]
MONDAY = "2026-03-02"


def rounds(db: Database, clock: FixedClock, folder: Path, *tables: Table, kind: Format = Format.CSV) -> Round:
    """Each Monday at five; the clock of tests stands on a Tuesday."""
    shelf = Shelf(db, library_of(clock), references_of(None), WEIGHTS)
    cabinet = Cabinet(folder, tables, kind, Schedule(Day.MONDAY, 5), Window.DAYS_90)
    return filing(db, shelf, cabinet)


async def asks(db: Database, clock: FixedClock, path: str, **params: str) -> httpx.Response:
    access = access_to(db, clock)
    _, key = await access.create_key("bi", frozenset(Scope), None)
    app = application(db, clock, access)
    join(app, api_of_files.routes(db, clock))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as api:  # fmt: skip
        found = await api.get(f"/v1/scores/{path}", params=params)
    assert found.status_code == 200, found.text
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


async def test_each_monday_tables_lie_in_the_folder_as_the_api_has_them_and_once(
    db: Database, clock: FixedClock, scoring: Scoring, tmp_path: Path
) -> None:
    await quarter(scoring, clock.now())
    run = rounds(db, clock, tmp_path, Table.PROGRAMMES, Table.RATES)
    await run()
    first = tmp_path / MONDAY / "scores-programmes.csv"
    days = {"from": "2025-12-02", "to": "2026-03-01"}
    for name in ("programmes", "rates"):
        same = (await asks(db, clock, f"tables/{name}", **days)).content
        file = (tmp_path / MONDAY / f"scores-{name}.csv").read_bytes()
        if name == "rates":
            assert file == same
        assert (tmp_path / "latest" / f"scores-{name}.csv").read_bytes() == file
        assert len(list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))) > 1
    assert len(names_in(tmp_path)) == 4, "nothing half written is left"
    written_at = first.stat().st_mtime_ns
    clock.advance(timedelta(days=5))
    await run()
    assert first.stat().st_mtime_ns == written_at
    clock.advance(timedelta(days=1))
    await run()
    assert (tmp_path / "2026-03-09" / "scores-programmes.csv").exists()
    files = (await asks(db, clock, "files")).json()
    told = [(one["day"], one["name"], one["state"], one["attempts"]) for one in files["files"]]
    assert told == [
        (day, name, "written", 1) for day in ("2026-03-09", MONDAY) for name in ("programmes", "rates")
    ]
    assert all(one["bytes"] > 10 for one in files["files"])
    page = (await asks(db, clock, "files", limit="3")).json()
    rest = (await asks(db, clock, "files", limit="3", cursor=page["next"])).json()
    assert page["files"] + rest["files"] == files["files"]


async def test_every_table_that_may_lie_there_is_written(
    db: Database, clock: FixedClock, scoring: Scoring, tmp_path: Path
) -> None:
    await quarter(scoring, clock.now())
    await scoring.take(*town(clock.now()), *driven(clock.now() - timedelta(days=1)))
    await rounds(db, clock, tmp_path, *FILEABLE)()
    for table in FILEABLE:
        text = (tmp_path / MONDAY / f"scores-{table}.csv").read_text("utf-8-sig")
        assert text.splitlines()[0] == ",".join(column.name for column in SHAPES[table].columns)
    await rounds(db, clock, tmp_path, Table.TREND, kind=Format.PARQUET)()
    assert not (tmp_path / MONDAY / "scores-trend.parquet").exists(), "it was written as csv"


async def test_a_folder_that_is_away_is_tried_until_it_is_back_and_it_is_said_why(
    db: Database, clock: FixedClock, scoring: Scoring, tmp_path: Path, machine: FakeMachine
) -> None:
    await quarter(scoring, clock.now())
    drive = tmp_path / "drive"
    run = rounds(db, clock, drive, Table.RATES)
    with capture_logs() as logs:
        await run()
        await run()
        machine.advance(30)
        await run()
    assert not drive.exists(), "where a drive is not mounted nothing is put in its place"
    (one,) = (await asks(db, clock, "files")).json()["files"]
    assert (one["state"], one["attempts"]) == ("pending", 2)
    assert "No such file or directory" in one["detail"]
    assert [(log["why"], log["exc_info"]) for log in logs] == [(one["detail"], None)] * 2
    drive.mkdir()
    machine.advance(60)
    await run()
    (one,) = (await asks(db, clock, "files")).json()["files"]
    assert (one["state"], one["detail"]) == ("written", "")
    assert names_in(drive) == [f"{MONDAY}/scores-rates.csv", "latest/scores-rates.csv"]


async def test_what_was_not_written_until_the_next_was_due_is_given_up(
    db: Database, clock: FixedClock, scoring: Scoring, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    run = rounds(db, clock, drive, Table.RATES)
    with capture_logs():
        await run()
    drive.mkdir()
    clock.advance(timedelta(days=7))
    await run()
    newer, older = (await asks(db, clock, "files")).json()["files"]
    assert (newer["state"], older["state"]) == ("written", "failed")
    assert "No such file" in older["detail"]
    assert names_in(drive) == ["2026-03-09/scores-rates.csv", "latest/scores-rates.csv"]


async def test_whoever_took_a_file_and_died_is_followed_by_another(
    db: Database, clock: FixedClock, scoring: Scoring, tmp_path: Path, machine: FakeMachine
) -> None:
    run = rounds(db, clock, tmp_path, Table.RATES)
    await run()
    async with db.begin() as tx:
        until = db.machine.wall() + HOLD
        await tx.conn.execute("update filed set state = 'pending', next_at = $1", until)
    (tmp_path / MONDAY / "scores-rates.csv").unlink()
    await run()
    assert names_in(tmp_path) == ["latest/scores-rates.csv"], "it is still held"
    machine.advance(HOLD.total_seconds())
    await run()
    assert f"{MONDAY}/scores-rates.csv" in names_in(tmp_path)
