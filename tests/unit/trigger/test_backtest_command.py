"""`afterword backtest` as somebody uses it: what it writes, and what it says to wrong input."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from tests.support.histories import BEGINS, PROGRAMMES, history, write_history, write_programmes

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "schemas" / "backtest.schema.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_programmes(tmp_path / "ours")


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return write_history(tmp_path / "history.ndjson", history(2))


def _write(file: Path, lines: Iterable[str]) -> Path:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def backtest(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["backtest", *map(str, arguments)], env={"COLUMNS": "160"})


def report(*arguments: object, into: Path) -> dict[str, Any]:
    found = backtest(*arguments, "--json", into)
    assert found.exit_code == 0, found.output
    read: dict[str, Any] = json.loads(into.read_text())
    return read


def test_it_says_what_the_programmes_would_have_done(events: Path, folder: Path) -> None:
    found = backtest("--events", events, "--programmes", folder)
    assert found.exit_code == 0, found.output
    for words in ("invitations", "people asked", "tickets expected", "the person was asked too recently",
                  "What this cannot know", "delivery CSAT", "shadow", "accounts asked most",
                  "the rota takes 10", "How exact the scores would be", "premium"):  # fmt: skip
        assert words in found.output


def test_a_short_time_is_drawn_by_day_and_a_long_one_by_week(events: Path, folder: Path) -> None:
    given = ("--events", events, "--programmes", folder, "--from", f"{BEGINS:%Y-%m-%d}", "--to")
    days = backtest(*given, f"{BEGINS + timedelta(days=69):%Y-%m-%d}").output
    assert "invitations by day" in days
    weeks = backtest(*given, f"{BEGINS + timedelta(days=70):%Y-%m-%d}").output
    assert "invitations by week" in weeks
    assert "each week's busiest day" in weeks


def test_a_programme_that_asks_nobody_says_why(events: Path, folder: Path, tmp_path: Path) -> None:
    never = {"key": "never", "when": {"touchpoint": "never.happens", "fresh_for": "9d"}}
    nobody = {
        "key": "nobody",
        "audience": {"persona": ["decision_maker"], "tier": []},
        "when__where": {"x": 1},
    }
    other = write_programmes(tmp_path / "other", [never, nobody])
    found = backtest("--events", events, "--programmes", folder, "--against", other)
    told = " ".join(found.output.split())  # however wide the terminal is, and where lines break in it
    assert re.search(r"never \S+ 0 0 0 0 no event called for it", told)
    assert re.search(r"nobody \S+ 0 0 0 0 the event does not meet the programme's conditions", told)
    assert "never: invitations" not in found.output, "nobody in either set"


def test_brackets_in_names_are_shown_as_they_are(events: Path, folder: Path, tmp_path: Path) -> None:
    odd = events.rename(tmp_path / "[red]history.ndjson")
    found = backtest("--events", odd, "--programmes", folder)
    assert found.exit_code == 0, found.output
    assert "[red]history.ndjson" in found.output


def test_its_json_keeps_to_the_schema(events: Path, folder: Path, tmp_path: Path) -> None:
    read = report("--events", events, "--programmes", folder, "--against", folder, into=tmp_path / "r.json")
    jsonschema.validate(read, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)
    assert read["format"] == 1
    assert {one["change"] for one in read["differences"]} == {0}


def test_two_folders_are_set_side_by_side(events: Path, folder: Path, tmp_path: Path) -> None:
    changed = [{**one, "when__delay": "9d"} if one["key"] == "delivery" else one for one in PROGRAMMES[:-1]]
    other = write_programmes(tmp_path / "theirs", changed)
    page = tmp_path / "page.html"
    found = backtest("--events", events, "--programmes", folder, "--against", other, "--html", page)
    assert found.exit_code == 0, found.output
    assert "What is different" in found.output
    assert "delivery: invitations" in found.output
    text = page.read_text()
    assert "<script" not in text
    assert "ours" in text
    assert "theirs" in text


def test_folders_of_one_name_are_told_apart_by_their_path(events: Path, folder: Path, tmp_path: Path) -> None:
    other = write_programmes(tmp_path / "main" / "ours")
    read = report("--events", events, "--programmes", folder, "--against", other, into=tmp_path / "r.json")
    assert [one["name"] for one in read["sets"]] == [str(folder), str(other)]


def test_a_directory_is_known_before_the_first_event(folder: Path, tmp_path: Path) -> None:
    at = BEGINS.isoformat()
    event = {"type": "order.delivered", "occurred_at": at, "contact": "c1", "subject_kind": "order",
             "subject_id": "o1"}  # fmt: skip
    events = _write(tmp_path / "events.ndjson", [json.dumps(event)])
    given = ("--events", events, "--programmes", folder, "--to", f"{BEGINS + timedelta(days=5):%Y-%m-%d}")
    alone = report(*given, into=tmp_path / "r.json")
    assert [one["reason"] for one in alone["sets"][0]["reasons"]] == ["no_channel"]
    contacts = _write(
        tmp_path / "contacts.csv", ["id,email,account,updated_at", "c1,anna@kund.example,a1,2027-01-01"]
    )
    accounts = _write(tmp_path / "accounts.csv", ["id,tier", "a1,premium"])
    known = report(*given, "--contacts", contacts, "--accounts", accounts, into=tmp_path / "r.json")
    assert known["sets"][0]["invited"] == 1
    whole, tier = known["sets"][0]["precision"]
    assert (whole["cut"], tier["cut"], tier["value"]) == (None, "tier", "premium")


def subject(kind: str) -> dict[str, Any]:
    return {"subject": {"kind": kind, "id": kind}}


def test_the_programmes_of_the_demo_and_a_preset_ask_whom_they_should(tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.mkdir()
    for file in (*(ROOT / "programmes").glob("*.yaml"), ROOT / "programmes" / "presets" / "fintech.yaml"):
        shutil.copy(file, both)
    boss, user = (
        {"id": who, "email": f"{who}@kund.example", "persona": who, "job_function": work, "role": "reporter"}
        for who, work in (("decision_maker", "engineering"), ("user", "finance"))
    )
    told = [
        (0, "customer.signed_up", user, {"product": "Pay"}),
        (1, "contract.signed", boss, {"renewal_on": "2026-05-20", **subject("contract")}),
        (25, "integration.completed", boss, {"product": "Pay"}),
        (60, "support_ticket.resolved", user, subject("ticket")),
        (120, "order.delivered", user, subject("order")),
    ]
    events = write_history(
        tmp_path / "history.ndjson",
        [
            (BEGINS + timedelta(days=day), f"e{day}", kind, {"contact": who, "account": {"id": "a"}, **more})
            for day, kind, who, more in told
        ],
    )
    found = report("--events", events, "--programmes", both, "--to", "2026-06-30", into=tmp_path / "r.json")
    invited = {one["key"]: one["invited"] for one in found["sets"][0]["programmes"] if one["invited"]}
    demo = dict.fromkeys(("delivery-csat", "onboarding-ces", "renewal-nps", "support-csat"), 1)
    assert invited == demo | dict.fromkeys(("fintech-onboarding", "fintech-relationship", "fintech-usage"), 1)


def test_broken_lines_are_named_and_the_rest_is_told_all_the_same(
    events: Path, folder: Path, tmp_path: Path
) -> None:
    lines = events.read_text().splitlines()
    broken = _write(tmp_path / "broken.ndjson", [*lines[:7], "{", *lines[7:]])
    contacts = _write(tmp_path / "contacts.csv", ["id,consent", "c1,perhaps"])
    into = tmp_path / "r.json"
    found = backtest("--events", broken, "--programmes", folder, "--contacts", contacts, "--json", into)
    assert found.exit_code == 1
    assert "line 8: not readable as JSON" in found.output
    read = json.loads(into.read_text())
    fields = [(one["line"], one["field"]) for one in read["problems"]]
    assert fields == [(2, "contacts.csv consent"), (8, "")]
    assert read["sets"][0]["invited"] > 0


TIMED_ONLY = json.dumps(
    {"specversion": "1.0", "id": "e", "source": "/s", "type": "order.delivered",
     "data": {"occurred_at": "2026-03-01T12:00:00Z"}}
)  # fmt: skip
"""It tells when and not of whom."""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "There is no usable event"),
        ("{\n[]\n", "line 2: must be a JSON object"),
        (TIMED_ONLY, "There is no usable event"),
        (TIMED_ONLY, "line 1: data: at least one of contact"),
    ],
    ids=["empty", "all broken", "times alone", "why"],
)
def test_a_file_without_events_is_said(folder: Path, tmp_path: Path, content: str, said: str) -> None:
    empty = tmp_path / "empty.ndjson"
    empty.write_text(content)
    found = backtest("--events", empty, "--programmes", folder)
    assert found.exit_code == 1
    assert said in found.output
    assert "Programmes" not in found.output, "there is nothing to tell of them"


def test_a_missing_folder_is_said(events: Path, tmp_path: Path) -> None:
    found = backtest("--events", events, "--programmes", tmp_path / "nowhere")
    assert found.exit_code == 1
    assert "There is no folder or file" in " ".join(found.output.split())


def test_a_broken_programme_is_said_with_its_place(events: Path, folder: Path) -> None:
    (folder / "broken.yaml").write_text("key: broken\ntitle: {en: x}\n")
    found = backtest("--events", events, "--programmes", folder)
    assert found.exit_code == 1
    assert "broken.yaml:1" in found.output
    assert "programmes check" in found.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--zone", "Mars/Olympus"), "is no zone"),
        (("--from", "2031-01-01"), "the events are of 2026-01-05"),
        (("--unhappy", "60", "--happy", "50"), "more than all"),
        (("--response-rate", "0"), "response-rate"),
        (("--events", "nowhere.ndjson"), "does not exist"),
        (("--html", "nowhere/page.html"), "there is no folder"),
    ],
)
def test_wrong_options_are_said(events: Path, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    found = backtest("--events", events, "--programmes", folder, *arguments)
    assert found.exit_code == 2
    assert said in found.output
