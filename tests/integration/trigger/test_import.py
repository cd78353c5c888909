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
from services.cli.imports import run
from services.cli.main import app
from services.cli.rows import Layout, Source
from services.cli.tables import AT_ONCE, LONGEST, Outcome
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
ACCOUNTS = (
    "id,name,tier,annual_value,acquisition_cost,renewal_on,size\na1,Kund AB,key,12000.5,900,2026-10-01,40\n"
)
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
    source = Source(file, kind, layout, {header: field for field, header in names.items()})
    return await run(source.rows(), source, platform, lambda _: None)


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
    assert account.acquisition_cost == 900


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
        (5, "", "1 value in 2 columns"),
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
        (2, "persona", "must be user or decision_maker"),
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
        (2, "tier", "must be small, key or premium"),
        id="tier",
    ),
    pytest.param(Kind.ACCOUNTS, "id,name\n,Kund\n", (2, "id", "missing"), id="no id"),
    pytest.param(
        Kind.EVENTS,
        "type,occurred_at\nDelivered,2026-01-01\n",
        (2, "type", "must be lower-case words joined by dots, as order.delivered"),
        id="type",
    ),
    pytest.param(
        Kind.EVENTS, "type,product,occurred_at\na.b,x,\n", (2, "occurred_at", "missing"), id="no time"
    ),
    pytest.param(Kind.CONTACTS, "id,locale\nc1,Svenska\n", (2, "locale", "not a language"), id="locale"),
    pytest.param(Kind.CONTACTS, "id,zone\nc1,CEST/Sweden\n", (2, "zone", "not a time zone"), id="zone"),
    pytest.param(
        Kind.CONTACTS, "id,phone\nc1,4.67E+10\n", (2, "phone", "not a phone number"), id="phone of Excel"
    ),
    pytest.param(
        Kind.CONTACTS,
        "id,account_name\nc1,Kund AB\n",
        (2, "account", "missing, and something of the company is given"),
        id="a company without its key",
    ),
    pytest.param(
        Kind.CONTACTS,
        f"id,account\nc1,{'a' * 201}\n",
        (2, "account", "longer than 200 characters"),
        id="key of an account",
    ),
    pytest.param(
        Kind.CONTACTS, f"id\n{'c' * 201}\n", (2, "id", "longer than 200 characters"), id="key of a contact"
    ),
    pytest.param(
        Kind.CONTACTS,
        "id,account,account_tier\nc1,a1,big\n",
        (2, "account_tier", "must be small, key or premium"),
        id="tier of a contact's account",
    ),
    pytest.param(
        Kind.ACCOUNTS, "id,annual_value\na1,12 000\n", (2, "annual_value", "not a number"), id="amount"
    ),
    pytest.param(
        Kind.ACCOUNTS, "id,annual_value\na1,nan\n", (2, "annual_value", "not a number"), id="no amount"
    ),
    pytest.param(
        Kind.ACCOUNTS, "id,renewal_on\na1,01.10.2026\n", (2, "renewal_on", "not a date"), id="day, German"
    ),
    pytest.param(
        Kind.ACCOUNTS, "id,started_on\na1,46082\n", (2, "started_on", "not a date"), id="day of Excel"
    ),
    pytest.param(
        Kind.ACCOUNTS, "id,started_on\na1,20261332\n", (2, "started_on", "not a date"), id="no such day"
    ),
    pytest.param(
        Kind.EVENTS,
        "type,occurred_at\na.b,2026-01-01\n",
        (2, "contact", "names nobody: contact, email, phone, account or product is needed"),
        id="about nobody",
    ),
    pytest.param(
        Kind.EVENTS,
        "type,occurred_at,contact,subject_id\na.b,2026-01-01,c1,o1\n",
        (2, "subject_kind", "missing"),
        id="a subject without its kind",
    ),
    pytest.param(
        Kind.EVENTS,
        f"type,occurred_at,contact,subject_id,subject_kind\na.b,2026-01-01,c1,o1,{'k' * 61}\n",
        (2, "subject_kind", "longer than 60 characters"),
        id="a long kind",
    ),
    pytest.param(
        Kind.CONTACTS, "id,email\nc1,a@b.se,Berg\n", (2, "", "3 values in 2 columns"), id="too many values"
    ),
    pytest.param(
        Kind.CONTACTS,
        'id,name\nc1,"Anna" Berg\n',
        (2, "", "a quote that is opened here is not closed as it should be"),
        id="text behind a quote",
    ),
    pytest.param(
        Kind.CONTACTS,
        f"id,name\nc1,{'x' * 200_000}\n",
        (2, "", "a value is longer than 131,072 characters"),
        id="a long value",
    ),
    pytest.param(
        Kind.CONTACTS,
        f"id,name\nc1,{'x' * LONGEST}\nc2,Bo\n",
        (2, "", f"longer than {LONGEST:,} characters"),
        id="a long line",
    ),
]


@pytest.mark.parametrize(("kind", "text", "expected"), BAD_ROWS)
async def test_a_bad_row_is_named_by_its_line(
    platform: Platform, tmp_path: Path, kind: Kind, text: str | bytes, expected: tuple[int, str, str]
) -> None:
    outcome = await read(platform, kind, written(tmp_path, text))
    assert expected in [(p.line, p.field, p.reason) for p in outcome.problems]
    assert all(problem.what_to_do for problem in outcome.problems)


async def test_a_column_is_named_as_the_file_has_it(platform: Platform, tmp_path: Path) -> None:
    text = "Nummer,Rolle,Sprache\nc1,boss,de\n"
    outcome = await read(platform, Kind.CONTACTS, written(tmp_path, text), id="Nummer", persona="Rolle")
    (problem,) = outcome.problems
    assert (problem.field, problem.reason) == ("Rolle", "must be user or decision_maker")
    assert problem.what_to_do == "Write user or decision_maker, or leave it out."
    assert list(outcome.passed_over) == ["Sprache"]
    row = json.dumps({"key": "a1", "tier": "huge", "annual_value": True})
    file = written(tmp_path, row, "accounts.ndjson")
    outcome = await read(platform, Kind.ACCOUNTS, file, Layout.NDJSON, id="key")
    assert [(p.field, p.reason) for p in outcome.problems] == [("annual_value", "not a number")]


async def test_everything_that_is_wrong_with_a_row_is_named_at_once(
    platform: Platform, tmp_path: Path
) -> None:
    row = "id,persona,account,account_tier\nc1,boss,a1,big\n"
    outcome = await read(platform, Kind.CONTACTS, written(tmp_path, row))
    assert {(p.line, p.field) for p in outcome.problems} == {(2, "persona"), (2, "account_tier")}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "begin"), [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-8-sig", "sep={}\n")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_a_file_is_read_however_a_spreadsheet_wrote_it(
    platform: Platform, tmp_path: Path, delimiter: str, encoding: str, begin: str, end: str
) -> None:
    rows = [
        ["ID", "E mail", "Name"],
        ["c1", "anna@kund.example", '"Berg,; ""Änna"""'],
        ["c2", "bo", "Bo"],
        [],
    ]
    text = begin.format(delimiter) + "\n".join(delimiter.join(row) for row in rows)
    file = written(tmp_path, text.replace("\n", end).encode(encoding))
    outcome = await read(platform, Kind.CONTACTS, file, email="E mail")
    assert outcome.taken == Counter(accepted=1)
    (problem,) = outcome.problems
    assert (problem.line, problem.field, problem.reason) == (
        4 if begin else 3,
        "E mail",
        "not an e-mail address",
    )


BAD_HEADS = [
    pytest.param("", "", "the file is empty", id="empty"),
    pytest.param(
        "id,email,Email\nc1,a@b.se,c@d.se\n",
        "email, Email",
        "stands 2 times in the head, as columns 2 and 3",
        id="a column twice",
    ),
    pytest.param(
        "Kundnummer,Adresse\nc1,a@b.se\n",
        "",
        "the head has no column id, email or phone; it has Kundnummer, Adresse",
        id="nothing known",
    ),
    pytest.param(
        "c1,a@b.se\nc2,b@b.se\n",
        "",
        "the head has no column id, email or phone; it has c1, a@b.se",
        id="no head",
    ),
    pytest.param(
        "id,email\nc1,a@b.se\n".encode("utf-16-le"),
        "",
        "not UTF-8; it looks like UTF-16 without its mark",
        id="UTF-16 without a mark",
    ),
    pytest.param(b"id,Stra\xdfe\nc1,x\n", "", "not UTF-8", id="Latin-1"),
]


@pytest.mark.parametrize(("text", "column", "reason"), BAD_HEADS)
async def test_a_head_that_cannot_be_used_is_named_once_and_nothing_is_taken(
    platform: Platform, tmp_path: Path, text: str | bytes, column: str, reason: str
) -> None:
    outcome = await read(platform, Kind.CONTACTS, written(tmp_path, text))
    (problem,) = outcome.problems
    assert (problem.line, problem.field, problem.reason) == (1, column, reason)
    assert problem.what_to_do
    assert outcome.taken == Counter()


@pytest.mark.parametrize(
    ("kind", "missing"), [(Kind.ACCOUNTS, "id"), (Kind.EVENTS, "occurred_at")], ids=["accounts", "events"]
)
async def test_a_column_without_which_no_row_can_be_used_is_asked_for(
    platform: Platform, tmp_path: Path, kind: Kind, missing: str
) -> None:
    outcome = await read(platform, kind, written(tmp_path, "type,name,product\na.b,x,y\n" * 3))
    (problem,) = outcome.problems
    assert problem.reason.startswith(f"the head has no column {missing}; ")
    assert f'--column {missing}="Its header"' in problem.what_to_do


async def test_a_quote_that_is_not_closed_costs_its_line_alone(platform: Platform, tmp_path: Path) -> None:
    text = 'id,name\nc1,"Anna\nc2,Bo 24" screens\nc3,"Cy, ""the"" third"\nc4,"two\nlines"\nc5,"Ed\nc6,Flo\n'
    outcome = await read(platform, Kind.CONTACTS, written(tmp_path, text))
    reason = "a quote that is opened here is not closed as it should be"
    assert [(p.line, p.reason) for p in outcome.problems] == [(2, reason), (7, reason)]
    assert outcome.taken == Counter(accepted=4)


async def test_a_line_of_json_is_read_as_strictly_as_a_webhook(platform: Platform, tmp_path: Path) -> None:
    lines = [
        b'{"id": "c1", "id": "c2"}', b'{"id": "c3", "annual_value": NaN}', b'{"id": "\xff"}', b"[", b"",
        b'{"id": "c4", "name": ["x"]}', b'{"id": "c5", "x_new": 1}', b'{"id": "' + b"c" * LONGEST + b'"}',
    ]  # fmt: skip
    file = written(tmp_path, b"\n".join(lines))
    outcome = await read(platform, Kind.CONTACTS, file, Layout.NDJSON)
    assert [(p.line, p.field, p.reason) for p in outcome.problems] == [
        (1, "", "an object holds a key twice"), (2, "", "NaN is no JSON number"), (3, "", "not UTF-8"),
        (4, "", "not readable as JSON in UTF-8"), (6, "name", "must be a text"),
        (8, "", f"longer than {LONGEST:,} characters"),
    ]  # fmt: skip
    assert (outcome.taken, list(outcome.passed_over)) == (Counter(accepted=1), ["x_new"])


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
    source = Source(written(tmp_path, f"id,email\n{rows}\n"), Kind.CONTACTS, Layout.CSV)
    outcome = await run(source.rows(), source, platform, seen.append)
    assert seen == [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1]
    assert outcome.taken == Counter(accepted=2 * AT_ONCE + 1)


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["import", *arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_an_event_in_data_is_read_and_not_said_to_be_passed_over(tmp_path: Path) -> None:
    data = {"occurred_at": "2026-03-01T12:00:00Z", "contact": {"id": "c1", "email": "a@kund.example"}}
    row = {"type": "order.delivered", "source": "/app", "data": data}
    code, text = invoke("events", str(written(tmp_path, json.dumps(row), "events.ndjson")), "--dry-run")
    assert (code, "column source" in text, "column data" in text) == (0, True, False)


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
    assert (row["line"], row["field"], row["reason"]) == ("4", "persona", "must be user or decision_maker")
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
