"""Programmes on a map, in words, and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from services.cli.programmes import app
from services.trigger.domain.changes import changes
from services.trigger.domain.groups import Group
from services.trigger.domain.journey import STAGES, journey
from shared.config.documents import read_documents
from tests.unit.trigger.support import TEXT, definition, edition

ROOT = Path(__file__).parents[3]
GOAL = {"metric": "cancellations", "change": "-30%", "baseline": "6mo", "by": "2027-06-30"}


@pytest.mark.requirement("R85", "R86", "R87")
def test_the_map_follows_the_customers_life_and_shows_objective_and_goal() -> None:
    keep = Group.model_validate({"title": {"en": "Keep"}, "objective": "churn", "goal": GOAL})
    editions = [
        edition(key="renewal", stage="renewal", group="keep"),
        edition(key="odd", stage="a-stage-of-ones-own"),
        edition(key="start", stage="onboarding", when__nth=2),
    ]
    found = journey(editions, {"keep": keep})
    assert [stage.name for stage in found] == ["onboarding", "renewal", "a-stage-of-ones-own"]
    assert found[0].stops[0].moment == "2h after number 2 of order.delivered"
    assert found[1].stops[0].goal == "cancellations -30% by 2027-06-30"
    assert "onboarding" in STAGES


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"on": "manual", "fresh_for": "3d"}, "when somebody asks for it"),
        ({"touchpoint": ["a.b", "c.d"], "fresh_for": "3d"}, "at once after a.b or c.d"),
        ({"every": "1mo", "anchor": "p.q", "until": "r.s", "fresh_for": "3d"},
         "every 1mo from p.q until r.s"),
        ({"before": "contract.renewal_date", "by": "60d", "fresh_for": "3d"},
         "60d before contract.renewal_date"),
    ],
)  # fmt: skip
def test_each_kind_of_moment_in_words(when: dict[str, object], words: str) -> None:
    ((stage),) = journey([edition(when=when)], {})
    assert stage.stops[0].moment == words


def test_differences_are_named_by_place() -> None:
    old, new = definition(), definition(priority=60, purpose={"en": "Why"}, quarantine=None)
    found = {(c.path, c.before, c.after) for c in changes({"a": old, "gone": old}, {"a": new, "fresh": new})}
    assert ("priority", "50", "60") in found
    assert ("purpose", None, '{"en": "Why"}') in found
    assert ("", "there", None) in found
    assert ("", None, "there") in found
    assert list(changes({"a": old}, {"a": definition()})) == []


def test_the_schema_for_editors_takes_every_shipped_programme_and_refuses_an_unknown_key() -> None:
    schema = Draft202012Validator(json.loads((ROOT / "schemas" / "programme.schema.json").read_text()))
    groups = Draft202012Validator(json.loads((ROOT / "schemas" / "groups.schema.json").read_text()))
    files = sorted((ROOT / "programmes").rglob("*.yaml"))
    assert len(files) >= 15
    for path in files:
        for document in read_documents(path.read_text("utf-8")):
            validator = groups if path.name == "groups.yaml" else schema
            assert list(validator.iter_errors(document.data)) == [], path
    assert list(schema.iter_errors(definition(priorty=4)))


def test_the_commands_show_map_and_difference(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(TEXT)
    run = CliRunner().invoke
    assert "delivery-csat" in run(app, ["journey", str(tmp_path)]).output
    assert "No difference" in run(app, ["diff", str(tmp_path), "--folder", str(tmp_path)]).output
    checked = run(app, ["check", str(ROOT / "programmes" / "presets")])
    assert checked.exit_code == 0, checked.output
    assert "0 errors" in checked.output


def test_questions_are_compared_by_their_ids() -> None:
    asked = definition()["questions"]
    more = [{"id": "more", "type": "text", "text": {"en": "More?"}}]
    old, new = definition(questions=asked + more), definition(questions=more + asked)
    (order,) = changes({"a": old}, {"a": new})
    ids = [str(one["id"]) for one in asked]
    assert (order.path, order.before, order.after) == (
        "questions.order", ", ".join([*ids, "more"]), ", ".join(["more", *ids])
    )  # fmt: skip
    (gone,) = changes({"a": old}, {"a": definition(questions=asked)})
    assert (gone.path, gone.after) == ("questions.more", None)


def diff(*arguments: str | Path) -> tuple[int, str]:
    """What the command says of two files or folders."""
    told = CliRunner().invoke(app, ["diff", *map(str, arguments)])
    return told.exit_code, told.output


def test_two_files_or_folders_are_compared_as_plain_text(tmp_path: Path) -> None:
    was, now = tmp_path / "was", tmp_path / "now"
    for folder, text in ((was, TEXT), (now, TEXT.replace("priority: 50", "priority: 60"))):
        folder.mkdir()
        (folder / "p.yaml").write_text(text)
    (now / "more.yaml").write_text(TEXT.replace("key: delivery-csat", "key: delivery-ces"))
    assert diff(was / "p.yaml", now / "p.yaml") == (0, "delivery-csat\n  ~ priority: 50 -> 60\n")
    code, told = diff(was, now)
    assert code == 0
    assert told.replace("\n", " ").strip() == (
        f"delivery-ces: only in {now}  delivery-csat   ~ priority: 50 -> 60"
    )
    assert diff(was / "p.yaml", now) == (0, "delivery-csat\n  ~ priority: 50 -> 60\n")
    assert diff(now, was / "p.yaml") == (0, "delivery-csat\n  ~ priority: 60 -> 50\n")
    assert "No difference" in diff(was, was / "p.yaml")[1]


def test_a_group_of_two_folders_is_compared_too(tmp_path: Path) -> None:
    was, now = tmp_path / "was", tmp_path / "now"
    for folder, goal in ((was, "churn"), (now, "referral")):
        folder.mkdir()
        (folder / "p.yaml").write_text(TEXT)
        (folder / "groups.yaml").write_text(
            f"groups:\n  keep:\n    title: {{en: Keep}}\n    objective: {goal}\n"
        )
    assert diff(was, now) == (0, "group keep\n  ~ objective: churn -> referral\n")


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(TEXT)
    (tmp_path / "broken.yaml").write_text("key: [")
    assert diff(tmp_path / "gone", tmp_path)[0] == 1
    assert "There is no" in diff(tmp_path / "gone.yaml", tmp_path)[1]
    code, told = diff(tmp_path, tmp_path)
    assert code == 0
    assert "Left out: broken.yaml:" in told
    assert diff()[0] == diff(tmp_path, tmp_path, "--running")[0] == 2


def test_presets_are_compared_although_they_share_keys() -> None:
    folder = ROOT / "programmes" / "presets"
    assert "No difference" in diff(folder, folder)[1]
