"""Programme files: what is read, what is refused and where, and the shipped programmes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.programmes import app
from services.trigger.domain.findings import Finding
from services.trigger.domain.lint import check, longest_path
from services.trigger.domain.programme import edition_of, version_of
from services.trigger.domain.reading import read_file
from shared.config.documents import UnreadableError, read_documents
from tests.unit.trigger.support import TEXT, definition, edition

ROOT = Path(__file__).parents[3]
SHIPPED = [(path.name, path.read_text()) for path in sorted((ROOT / "programmes").glob("*.yaml"))]
LOCALES = ("en", "es", "sv")


def findings(text: str, locales: tuple[str, ...] = ("en",)) -> list[Finding]:
    return list(check([("p.yaml", text)], locales).findings)


def of(**changes: Any) -> list[Finding]:
    return findings(json.dumps(definition(**changes)))


def paths(found: list[Finding], severity: str = "error") -> list[str]:
    return [f.path for f in found if f.severity == severity]


@pytest.mark.requirement("R10", "R37", "R39")
def test_the_shipped_programmes_have_no_errors_in_three_languages() -> None:
    report = check(SHIPPED, LOCALES)
    assert report.errors == ()
    assert [c.edition.key for c in report.programmes] == [
        "delivery-csat", "onboarding-ces", "recovery", "renewal-nps", "support-csat",
    ]  # fmt: skip


@pytest.mark.requirement("R38")
def test_the_shipped_programmes_ask_each_group_its_own_why() -> None:
    for checked in check(SHIPPED, LOCALES).programmes:
        rules = checked.edition.programme
        assert longest_path(rules.questions, rules.core) == 2
        groups = 2 if rules.core.type == "yes_no" else 3
        assert sum(q.type == "text" for q in rules.questions) == groups


@pytest.mark.requirement("R11", "R12", "R15", "R26", "R35")
def test_the_shipped_programmes_stand_where_the_catalogue_says() -> None:
    rules = {c.edition.key: c.edition.programme for c in check(SHIPPED, LOCALES).programmes}
    onboarding, support = rules["onboarding-ces"], rules["support-csat"]
    assert (onboarding.when.touchpoint, onboarding.when.delay.text) == (("customer.signed_up",), "14d")
    assert (onboarding.core.type, onboarding.low_mark) == ("ces", 3)
    assert (support.when.touchpoint, support.core.type) == (("support_ticket.resolved",), "csat")
    assert rules["delivery-csat"].when.touchpoint == ("order.delivered",)
    assert (rules["renewal-nps"].when.by.text, rules["renewal-nps"].core.type) == ("60d", "nps")


def test_the_small_programme_is_fine() -> None:
    assert paths(findings(TEXT)) == []


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("key: a\nkey: b\n", 2, "'key' is there twice", id="a key twice"),
        pytest.param("a: &x 1\nb: *x\n", 2, "aliases", id="alias"),
        pytest.param("a: !!python/none x\n", 1, "tag", id="tag"),
        pytest.param("a: [1,\nb: }\n", 2, "", id="no YAML"),
        pytest.param("? [a]\n: b\n", 1, "plain word", id="a list as key"),
        pytest.param("\x00", 1, "", id="control character"),
    ],
)
def test_unreadable_yaml_says_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(UnreadableError) as error:
        read_documents(text)
    assert error.value.line == line
    assert reason in error.value.reason


def test_words_stay_words() -> None:
    (document,) = read_documents(
        "on: no\nat: 12:30\nday: 2026-01-02\nyes: 007\nflag: true\nn: 1\nf: .5\nz: ~\n"
    )
    assert document.data == {
        "on": "no",
        "at": "12:30",
        "day": "2026-01-02",
        "yes": "007",
        "flag": True,
        "n": 1,
        "f": 0.5,
        "z": None,
    }


def test_several_documents_and_an_empty_one() -> None:
    read, complaints = read_file("p.yaml", f"{TEXT}---\n---\n{TEXT.replace('delivery-csat', 'other')}")
    assert ([c.edition.key for c in read], complaints) == (["delivery-csat", "other"], [])


def test_an_unknown_key_is_named_with_line_and_what_was_meant() -> None:
    (found,) = findings(TEXT.replace("delay: 2h", "dealy: 2h"))
    assert (found.path, found.line, found.what_to_do) == ("when.dealy", 5, "Did you mean 'delay'?")
    assert "unknown key" in found.text
    (found,) = findings(TEXT + "xyzzy: 1\n")
    assert found.what_to_do.startswith("Known are: ")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"title": None}, "title"),
        ({"key": "Not A Key"}, "key"),
        ({"family": "tribal"}, "family"),
        ({"when__delay": "soon"}, "when.delay"),
        ({"when__before": "contract.renewal_date"}, "when"),
        ({"when": {"before": "contract.renewal_date", "fresh_for": "1d"}}, "when"),
        ({"when__by": "3d"}, "when"),
        ({"send__window": {"hours": "16-9"}}, "send.window"),
        ({"send__window": {"days": []}}, "send.window"),
        ({"primary": "nps"}, ""),
        ({"primary": "why"}, ""),
        ({"audience": {"sample": 0}}, "audience.sample"),
        ({"breakdown": ["a", "b", "c", "d", "e", "f"]}, "breakdown"),
        ({"breakdown": "tier+carrier"}, "breakdown"),
        ({"questions": [definition()["questions"][0]] * 2}, ""),
        (
            {"questions": [{**definition()["questions"][0], "optional": True}, definition()["questions"][1]]},
            "",
        ),
    ],
)
def test_what_cannot_run_is_refused(changes: dict[str, Any], path: str) -> None:
    assert any(found.startswith(path) for found in paths(of(**changes)))


def question(**changes: Any) -> list[dict[str, Any]]:
    core, why = definition()["questions"]
    return [{**core, **changes}, why]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"questions": question()[:1]}, "questions", id="no open question (R10)"),
        pytest.param({"send__open_for": "46d"}, "send.open_for", id="open too long (R48)"),
        pytest.param({"send__from": "No-Reply <noreply@x.example>"}, "send.from", id="no-reply (R51)"),
        pytest.param({"send__reminders": [{"after": "9d"}, {"after": "4d"}]}, "send.reminders", id="order"),
        pytest.param({"send__reminders": [{"after": "30d"}]}, "send.reminders", id="reminder after the end"),
        pytest.param({"letter__reminder": None}, "letter", id="reminder without a text"),
        pytest.param({"title": {"es": "Entrega"}}, "title", id="missing translation"),
        pytest.param({"letter__intro": {"en": "Dear {nmae}"}}, "letter.intro.en", id="unknown placeholder"),
        pytest.param({"letter__intro": {"en": "Dear {name"}}, "letter.intro.en", id="stray brace"),
        pytest.param(
            {"letter__subjects": [{"id": "short", "text": {"en": "{nmae}?"}}]},
            "letter.subjects.0.text.en",
            id="unknown placeholder of a further subject",
        ),
        pytest.param(
            {"letter__subjects": [{"id": "short", "text": {"sv": "Kort?"}}]},
            "letter.subjects.0.text",
            id="further subject without a language",
        ),
        pytest.param(
            {"letter__subjects": [{"id": "first", "text": {"en": "S"}}]}, "letter.subjects", id="first twice"
        ),
        pytest.param(
            {"letter__subject_part": 0, "letter__subjects": [{"id": "b", "text": {"en": "S"}, "part": 0}]},
            "letter.subjects",
            id="subjects for nobody",
        ),
        pytest.param({"questions": question(low_label={})}, "questions.0", id="scale without words"),
        pytest.param({"low": 5}, "low", id="everybody unhappy"),
        pytest.param({"low": 0}, "low", id="outside the scale"),
        pytest.param({"when__fresh_for": "0d"}, "when.fresh_for", id="over at once"),
        pytest.param(
            {"questions": [*question(), {"id": "m", "type": "matrix", "text": {"en": "x"}}]},
            "questions.2", id="no items",
        ),
        pytest.param(
            {"questions": [*question(), *({**question()[1], "id": f"q{n}"} for n in range(2))]},
            "questions", id="too long (R39)",
        ),
    ],
)  # fmt: skip
@pytest.mark.requirement("R39", "R48", "R51")
def test_what_is_no_good_idea_is_an_error(changes: dict[str, Any], path: str) -> None:
    assert path in paths(of(**changes))


@pytest.mark.parametrize(("open_for", "errors"), [("45d", []), ("46d", ["send.open_for"])])
def test_expiry_at_its_edge(open_for: str, errors: list[str]) -> None:
    assert paths(of(send__open_for=open_for)) == errors


def test_warnings_leave_it_running() -> None:
    monday = of(send__window={"days": ["mon"]}, when__fresh_for="14d")
    assert paths(monday) == []
    assert "send.window.days" in paths(monday, "warning")
    silent = of(questions=[question()[0], {**question()[1], "when": {"csat": {"lte": 2}}}])
    assert "questions" in paths(silent, "warning")
    assert "questions" in paths(of(family="relationship"), "warning")


def test_longest_path_counts_conditions() -> None:
    why = [
        {"id": f"w{n}", "type": "text", "text": {"en": "x"}, "when": {"csat": {"eq": n}}} for n in range(1, 6)
    ]
    rules = edition_of(definition(questions=[question()[0], *why])).programme
    assert longest_path(rules.questions, rules.core) == 2


def test_conditions_only_look_back() -> None:
    core, why = question()
    assert paths(of(questions=[{**core, "when": {"why": {"eq": 1}}}, why])) != []
    (found,) = of(questions=[core, {**why, "when": {"later": {"eq": 1}}}])
    assert "is no earlier question" in found.reason


def test_two_programmes_of_one_key_or_one_place() -> None:
    report = check([("a.yaml", TEXT), ("b.yaml", TEXT)], ("en",))
    assert [(f.file, f.path) for f in report.errors] == [("a.yaml", "key"), ("b.yaml", "key")]
    assert "also in b.yaml, line 2." in report.errors[0].reason
    assert report.broken_files() == {"a.yaml", "b.yaml"}, "nobody knows which of them is meant"
    other = TEXT.replace("delivery-csat", "other")
    fights = check([("a.yaml", TEXT), ("b.yaml", other)], ("en",)).findings
    assert [f.path for f in fights if "fights" in f.reason] == ["priority"]


def test_the_version_is_the_contents() -> None:
    assert version_of({"a": 1, "b": 2}) == version_of({"b": 2, "a": 1})
    assert version_of({"a": 1}) != version_of({"a": 2})


@pytest.mark.requirement("R55")
def test_an_incentive_is_an_option_that_needs_every_language() -> None:
    thanks = {"en": "Our report, as a thank-you."}
    assert edition(send__incentive=thanks).programme.wording.incentive == thanks
    assert edition().programme.wording.incentive == {}
    two = findings(json.dumps(definition(send__incentive=thanks)), ("en", "sv"))
    assert "send.incentive" in {found.path for found in two}


def test_a_file_that_is_no_yaml_is_one_finding() -> None:
    (found,) = findings("a: [1,\nb: }\n")
    assert (found.severity, found.line) == ("error", 2)


def test_items_of_a_choice_need_their_translations() -> None:
    item = {"id": "bugs", "text": {"es": "Errores"}}
    choice = {"id": "m", "type": "single", "optional": True, "text": {"en": "Which?"}, "items": [item]}
    assert paths(of(questions=[*question(), choice])) == ["questions.2.items.0.text"]


def test_a_file_that_is_no_mapping() -> None:
    (found,) = findings("- a\n- b\n")
    assert "mapping" in found.reason


def test_check_command(tmp_path: Path) -> None:
    runner = CliRunner()
    good = runner.invoke(app, ["check", str(ROOT / "programmes")])
    assert (good.exit_code, "0 errors" in good.output) == (0, True)
    (tmp_path / "p.yaml").write_text(TEXT.replace("delay: 2h", "dealy: 2h"))
    for place, said in (
        (tmp_path / "p.yaml", "is a file. Give the folder"),
        (tmp_path / "q", "no folder or file"),
    ):
        missed = runner.invoke(app, ["check", str(place)])
        assert (missed.exit_code, said in " ".join(missed.output.split())) == (1, True)
    bad = runner.invoke(app, ["check", str(tmp_path), "--locale", "en"])
    assert bad.exit_code == 1
    assert "p.yaml:5" in bad.output
    assert "Did you mean 'delay'?" in bad.output
    assert runner.invoke(app, ["check", str(tmp_path / "nowhere")]).exit_code == 1


def test_square_brackets_in_what_is_wrong_are_shown_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "[bold]p.yaml").write_text(TEXT.replace("delay: 2h", "delay: '[red]2h'"))
    shown = CliRunner().invoke(app, ["check", str(tmp_path), "--locale", "en"]).output
    assert "[bold]p.yaml:" in shown
    assert "[red]2h" in shown


def test_show_command() -> None:
    runner = CliRunner()
    shown = runner.invoke(app, ["show", "renewal-nps", "--folder", str(ROOT / "programmes")])
    assert shown.exit_code == 0
    assert "60d before contract.renewal_date" in shown.output
    assert runner.invoke(app, ["show", "nope", "--folder", str(ROOT / "programmes")]).exit_code == 1


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("renewal", "Did you mean renewal-nps?"),
        ("Delivery_CSAT", "Did you mean delivery-csat"),
        ("saas-support", "It is a preset: --folder "),
        ("saas-relationship-user", "Did you mean the preset saas-relationship-users"),
        ("zzz", "There are delivery-csat, "),
    ],
)
def test_an_unknown_programme_is_refused_with_names_like_it(key: str, said: str) -> None:
    folder = str(ROOT / "programmes")
    shown = CliRunner().invoke(app, ["show", key, "--folder", folder], env={"COLUMNS": "200"})
    assert shown.exit_code == 1
    assert f"There is no readable programme '{key}'" in shown.output
    assert said in shown.output


@pytest.mark.requirement("R45", "R74")
def test_a_programme_says_where_thanks_lead_on_to_and_what_a_tick_allows() -> None:
    texts = {"en": "Write a review"}
    rules = edition(
        questions=[
            *definition()["questions"],
            {"id": "call_me", "type": "consent", "text": {"en": "Call?"}},
            {"id": "quote", "type": "consent", "text": {"en": "Quote?"}, "permission": "quote"},
        ],
        close_the_loop={
            "happy": {"links": [{"text": texts, "url": "https://reviews.example/us"}]},
            "neutral": {"task": "improvement"},
            "booking": "https://calendar.example/us",
        },
    ).programme
    permissions = {question.id: question.permission for question in rules.form.questions}
    assert (permissions["call_me"], permissions["quote"]) == ("contact", "quote")
    assert permissions[rules.primary] is None
    assert [(link.text, link.url) for link in rules.loop.happy_links] == [
        (texts, "https://reviews.example/us")
    ]
    assert rules.loop.booking_url == "https://calendar.example/us"


@pytest.mark.parametrize(
    ("loop", "path"),
    [
        (
            {"happy": {"links": [{"text": {"en": "x"}, "url": "http://x.example"}]}},
            "close_the_loop.happy.links",
        ),
        ({"happy": {}}, "close_the_loop.happy"),
        ({"booking": "javascript:alert(1)"}, "close_the_loop.booking"),
    ],
)
def test_a_link_is_https_and_a_group_without_anything_is_refused(loop: dict[str, Any], path: str) -> None:
    assert [place for place in paths(of(close_the_loop=loop)) if place.startswith(path)] != []


def test_a_missing_translation_of_a_link_is_named() -> None:
    loop = {"happy": {"links": [{"text": {"en": "Review"}, "url": "https://x.example"}]}}
    found = findings(json.dumps(definition(close_the_loop=loop)), ("en", "sv"))
    assert "close_the_loop.happy.links.0.text" in paths(found)
