"""`afterword import`: files of contacts, accounts and events, taken once, every bad line named."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.text import Text
from typer.testing import CliRunner
from typing_extensions import override

from services.cli import imports
from services.cli.imports import Layout, Source, run
from services.cli.main import app
from services.cli.tables import AT_ONCE, Outcome
from services.trigger.handlers import people
from services.trigger.sources.table import COLUMNS, Kind, unknown_columns
from services.trigger.store import directory, sent_ids
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.service import Platform
from shared.security.tokens import Tokens
from tests.support.assembled import platform as assembled
from tests.support.trigger import World

CONTACTS = """\ufeffid;email;name;locale;persona;consent;account;account_name;Favourite colour
c1;anna@kund.example;"Berg, Anna";sv;Decision maker;ja;a1;Kund AB;blue
c2;bo@kund.example;Bo Ek;;user;no;a1;Kund AB;
"""
ACCOUNTS = "id,name,tier,annual_value,renewal_on,size\na1,Kund AB,key,12000.5,2026-10-01,40\n"
EVENTS = "\n".join(
    json.dumps(row)
    for row in (
        {
            "type": "order.delivered",
            "occurred_at": "2026-03-03T08:00:00Z",
            "contact": "c1",
            "subject_kind": "order",
            "subject_id": "o1",
        },
        {
            "type": "order.delivered",
            "occurred_at": "2024-03-03T08:00:00Z",
            "contact": "c1",
            "subject_kind": "order",
            "subject_id": "o0",
        },
        {
            "type": "product.used",
            "occurred_at": "2026-03-03T08:00:00Z",
            "data": {"product": "press", "account": {"id": "a1"}},
        },
    )
)


@pytest.fixture
def platform(world: World, tokens: Tokens) -> Platform:
    made = assembled("trigger")
    return Platform(
        made.settings, world.db, made.bus, world.clock, made.machine, world.sealer, tokens, made.access
    )


def written(tmp_path: Path, text: str | bytes, name: str = "file.csv") -> Path:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


async def read(
    platform: Platform, kind: Kind, file: Path, layout: Layout = Layout.CSV, **names: str
) -> Outcome:
    source = Source(file, layout, {header: field for field, header in names.items()})
    return await run(source.rows(lambda _: None), kind, platform, lambda _: None)


async def happen(world: World) -> list[str]:
    """What was announced happens, in one batch each."""
    before = len(world.heard)
    await world.said(Touchpoint)
    fresh = [(kind, told) for kind, told in world.heard[before:] if isinstance(told, Touchpoint)]
    for kind, told in fresh:
        await world.tell(kind, **told.model_dump())
    return [kind for kind, _ in fresh]


async def test_contacts_come_into_the_directory(world: World, platform: Platform, tmp_path: Path) -> None:
    file = written(tmp_path, CONTACTS)
    outcome = await read(platform, Kind.CONTACTS, file)
    assert (outcome.taken, outcome.problems) == (Counter(accepted=2), [])
    await happen(world)
    async with world.db.read() as conn:
        contact_id = await people.find_contact(conn, world.sealer, "c1")
        assert contact_id is not None
        contact = (await directory.get_contacts(conn, [contact_id]))[contact_id]
        (person,) = await world.sealer.open(conn, [(contact.id, contact.person)], Person)
    assert person == Person(name="Berg, Anna", email="anna@kund.example")
    assert (contact.persona, contact.consent, contact.locale) == ("decision_maker", "given", "sv")


async def test_again_changes_nothing_until_the_row_does(
    world: World, platform: Platform, tmp_path: Path
) -> None:
    await read(platform, Kind.CONTACTS, written(tmp_path, CONTACTS))
    again = await read(platform, Kind.CONTACTS, written(tmp_path, CONTACTS))
    assert again.taken == Counter(duplicate=2)
    changed = await read(platform, Kind.CONTACTS, written(tmp_path, CONTACTS.replace("Bo Ek", "Bo Ask")))
    assert changed.taken == Counter(duplicate=1, accepted=1)
    world.clock.set(datetime(2026, 3, 4, 9, tzinfo=UTC))
    tomorrow = await read(platform, Kind.CONTACTS, written(tmp_path, CONTACTS))
    assert tomorrow.taken == Counter(accepted=2)


async def test_accounts_come_in_with_their_renewal(world: World, platform: Platform, tmp_path: Path) -> None:
    await read(platform, Kind.ACCOUNTS, written(tmp_path, ACCOUNTS))
    await happen(world)
    async with world.db.read() as conn:
        account_id = await people.find_account(conn, "a1")
        assert account_id is not None
        account = (await directory.get_accounts(conn, [account_id]))[account_id]
    assert (account.tier, account.annual_value, str(account.renewal_on)) == ("key", 12000.5, "2026-10-01")


async def test_old_events_are_recorded_and_not_acted_on(
    world: World, platform: Platform, tmp_path: Path
) -> None:
    await read(platform, Kind.CONTACTS, written(tmp_path, CONTACTS))
    outcome = await read(platform, Kind.EVENTS, written(tmp_path, EVENTS), Layout.NDJSON)
    assert outcome.taken == Counter(accepted=3)
    await happen(world)
    books = await world.books()
    assert books.pending == 1


async def test_columns_may_have_other_names(world: World, platform: Platform, tmp_path: Path) -> None:
    file = written(tmp_path, "E-mail\tFull name\nanna@kund.example\tAnna Berg\n")
    outcome = await read(platform, Kind.CONTACTS, file, email="E-mail", name="Full name")
    assert outcome.taken == Counter(accepted=1)
    assert unknown_columns(Kind.CONTACTS, ["email", "E-mail", "x"]) == ["E-mail (did you mean email?)", "x"]


BAD_ROWS = [
    pytest.param(
        Kind.CONTACTS,
        "id,email\nc1,a@b.se\n,\n,,\nc2\n",
        (5, "", "1 values in 2 columns"),
        id="too few values",
    ),
    pytest.param(
        Kind.CONTACTS,
        "id,name\n,Anna\n",
        (2, "id", "missing, and there is neither email nor phone"),
        id="nobody",
    ),
    pytest.param(
        Kind.CONTACTS, "id,consent\nc1,perhaps\n", (2, "consent", "must be yes or no"), id="consent"
    ),
    pytest.param(
        Kind.CONTACTS,
        "id,persona\nc1,boss\n",
        (2, "body", "contact.persona: Input should be 'user' or 'decision_maker'"),
        id="persona",
    ),
    pytest.param(
        Kind.CONTACTS, "id,email\nc1,anna.kund.example\n", (2, "email", "not an e-mail address"), id="address"
    ),
    pytest.param(
        Kind.EVENTS,
        "type,occurred_at,email\norder.delivered,2026-01-01,anna@@kund.example\n",
        (2, "email", "not an e-mail address"),
        id="address of an event",
    ),
    pytest.param(
        Kind.CONTACTS, "id,updated_at\nc1,yesterday\n", (2, "updated_at", "not an ISO 8601 time"), id="time"
    ),
    pytest.param(Kind.CONTACTS, b"id,name\nc1,\xff\nc2,Bo\n", (2, "", "not UTF-8"), id="no UTF-8"),
    pytest.param(
        Kind.CONTACTS,
        'id,name\nc1,"Anna\nBerg"\n,x\n',
        (4, "id", "missing, and there is neither email nor phone"),
        id="a line in quotes",
    ),
    pytest.param(
        Kind.ACCOUNTS,
        "id,tier\na1,huge\n",
        (2, "body", "account.tier: Input should be 'small', 'key' or 'premium'"),
        id="tier",
    ),
    pytest.param(Kind.ACCOUNTS, "name\nKund\n", (2, "id", "missing"), id="no id"),
    pytest.param(
        Kind.EVENTS,
        "type,occurred_at\nDelivered,2026-01-01\n",
        (2, "type", "must be lower-case words joined by dots, as order.delivered"),
        id="type",
    ),
    pytest.param(Kind.EVENTS, "type,product\na.b,x\n", (2, "occurred_at", "missing"), id="no time"),
]


@pytest.mark.parametrize(("kind", "text", "expected"), BAD_ROWS)
async def test_a_bad_row_is_named_by_its_line(
    platform: Platform, tmp_path: Path, kind: Kind, text: str | bytes, expected: tuple[int, str, str]
) -> None:
    outcome = await read(platform, kind, written(tmp_path, text))
    assert expected in [(p.line, p.field, p.reason) for p in outcome.problems]


async def test_addresses_inside_of_an_event_are_looked_at_too(platform: Platform, tmp_path: Path) -> None:
    people = [{"email": "bo@kund.example"}, {"email": "no address"}]
    data = {"contacts": people, "account": {"id": "a1"}}
    row = {"type": "project.completed", "occurred_at": "2026-03-03T08:00:00Z", "data": data}
    outcome = await read(platform, Kind.EVENTS, written(tmp_path, json.dumps(row)), Layout.NDJSON)
    (problem,) = outcome.problems
    assert (problem.field, problem.reason) == ("data.contacts[1].email", "not an e-mail address")
    assert problem.what_to_do.startswith("Correct the address")
    assert outcome.taken == Counter()


async def test_a_bad_address_costs_its_row_alone(platform: Platform, tmp_path: Path) -> None:
    file = written(tmp_path, "id,email\nc1,anna@kund.example\nc2,bo(at)kund.example\nc3,\n")
    outcome = await read(platform, Kind.CONTACTS, file)
    assert outcome.taken == Counter(accepted=2)
    assert [problem.line for problem in outcome.problems] == [3]


async def test_bad_lines_cost_nobody_else(platform: Platform, tmp_path: Path) -> None:
    text = 'no JSON\n[1]\n\n{"type": "product.used", "occurred_at": "2026-03-03T08:00:00Z", "product": "x"}\n'
    outcome = await read(platform, Kind.EVENTS, written(tmp_path, text), Layout.NDJSON)
    assert [(p.line, p.reason) for p in outcome.problems] == [
        (1, "not readable as JSON in UTF-8"),
        (2, "must be a JSON object"),
    ]
    assert outcome.taken == Counter(accepted=1)


async def test_many_rows_go_in_few_transactions(platform: Platform, tmp_path: Path) -> None:
    rows = "\n".join(f"c{n},c{n}@kund.example" for n in range(2 * AT_ONCE + 1))
    seen: list[int] = []
    source = Source(written(tmp_path, f"id,email\n{rows}\n"), Layout.CSV, {})
    outcome = await run(source.rows(lambda _: None), Kind.CONTACTS, platform, seen.append)
    assert seen == [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1]
    assert outcome.taken == Counter(accepted=2 * AT_ONCE + 1)


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["import", *arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_a_dry_run_reports_and_takes_nothing(tmp_path: Path) -> None:
    wrong = "c3;x@kund.example;;;boss;;;;\nc4;no-address;;;;;;;\n"
    file = written(tmp_path, CONTACTS + wrong, "contacts.csv")
    code, text = invoke("contacts", str(file), "--dry-run")
    assert code == 1
    assert "Passed over: column Favourite colour" in text
    assert "Checked: 2 fit, 2 cannot be used." in text
    assert "line 5, email: not an e-mail address. Correct the address, or leave it out" in text
    with (tmp_path / "contacts.errors.csv").open(newline="") as report:
        row, address = csv.DictReader(report)
    assert (row["line"], row["reason"].startswith("contact.persona: ")) == ("4", True)
    assert (address["line"], address["field"]) == ("5", "email")
    assert address["what_to_do"].startswith("Correct the address")
    assert invoke("contacts", str(written(tmp_path, CONTACTS)), "--dry-run")[0] == 0


def test_an_unknown_field_to_rename_is_refused(tmp_path: Path) -> None:
    code, text = invoke("contacts", str(written(tmp_path, CONTACTS)), "--dry-run", "--column", "mail=E-mail")
    assert code == 2
    assert all(name in text for name in COLUMNS[Kind.CONTACTS][:3])


class NotedBar(Progress):
    """A progress bar that notes what it shows after each step: the share of the file, and rows."""

    shown: ClassVar[list[tuple[float, int]]]

    @override
    def update(self, task_id: TaskID, **changes: Any) -> None:
        super().update(task_id, **changes)
        (task,) = self.tasks
        self.shown.append((task.percentage / 100, task.fields["rows"]))


@pytest.mark.parametrize("layout", ["csv", "ndjson"])
@pytest.mark.parametrize("kind", list(Kind))
def test_the_progress_bar_goes_with_the_rows_to_the_end_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind, layout: str
) -> None:
    row = {"id": "x1"}
    if kind is Kind.EVENTS:
        row = {"type": "product.used", "occurred_at": "2026-03-03T08:00:00Z", "product": "press"}
    many = 2 * AT_ONCE + 1
    header, line = ",".join(row) + "\n", ",".join(row.values()) + "\n"
    text = header + line * many if layout == "csv" else f"{json.dumps(row)}\n" * many
    file = written(tmp_path, text, f"rows.{layout}")
    drawn = StringIO()
    NotedBar.shown = []
    monkeypatch.setattr(imports, "Progress", NotedBar)
    monkeypatch.setattr(imports, "console", Console(file=drawn, force_terminal=True, width=120))
    assert invoke(kind.value, str(file), "--dry-run")[0] == 0
    shares, rows = zip(*NotedBar.shown, strict=True)
    assert rows == (AT_ONCE, 2 * AT_ONCE, many)
    assert shares == (pytest.approx(0.5, abs=0.05), pytest.approx(1, abs=0.05), 1)
    *_, last = (part for part in Text.from_ansi(drawn.getvalue()).plain.splitlines() if part.strip())
    assert "rows." in last
    assert f"{many} rows" in last


async def test_an_imported_event_is_found_by_its_own_id_and_rows_without_one_leave_no_name(
    world: World, platform: Platform, tmp_path: Path
) -> None:
    row = {"type": "order.delivered", "occurred_at": "2026-03-03T08:00:00Z", "id": "ship-5", "contact": "c1"}
    await read(platform, Kind.CONTACTS, written(tmp_path, CONTACTS))
    await read(platform, Kind.EVENTS, written(tmp_path, json.dumps(row)), Layout.NDJSON)
    async with world.db.read() as conn:
        (found,) = await sent_ids.find(conn, "ship-5")
        names = await conn.fetchval("select count(*) from sent_ids")
    assert (found.source, found.type, names) == ("/import", "order.delivered", 1)
