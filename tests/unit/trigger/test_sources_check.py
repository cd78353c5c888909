"""`afterword sources check`: every broken file of a folder is refused with the message in its first line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.trigger.sources.check import read_sources

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "sources_broken").glob("*.yaml"))
EXAMPLE = HERE.parents[2] / "docs/sources.example.yaml"
ORDER = '{"status": "DELIVERED", "order_no": 7, "updated_at": 1, "customer": {"email": "a@kund.example"}}'


def expected(file: Path) -> str:
    return file.read_text().partition("\n")[0].removeprefix("# ")


def test_there_are_many_broken_files() -> None:
    assert len(BROKEN) > 25


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_file_says_where_and_why(file: Path) -> None:
    sources, findings = read_sources(file.name, file.read_text())
    assert sources is None
    place, _, words = expected(file).partition(": ")
    texts = [finding.text for finding in findings]
    assert any(text.startswith(place) and words in text for text in texts), texts
    assert all(finding.what_to_do for finding in findings)


def run(*arguments: str, given: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["sources", *arguments], input=given, env={"COLUMNS": "200"})
    return result.exit_code, " ".join(result.output.split())


def test_the_example_is_fit_to_run() -> None:
    assert run("check", str(EXAMPLE)) == (0, "4 sources, 5 topics, 2 rules, 0 errors.")


def test_the_command_fails_with_every_complaint() -> None:
    code, text = run("check", str(HERE / "sources_broken/mistyped-key.yaml"))
    assert code == 1
    assert "mistyped-key.yaml:5 sources[0].event" in text
    assert "Did you mean 'events'?" in text


def test_no_file_is_said_so(tmp_path: Path) -> None:
    assert run("check", str(tmp_path / "none.yaml"))[0] == 1


@pytest.mark.parametrize(
    ("topic", "record", "code", "says"),
    [
        pytest.param("shop.orders", ORDER, 0, '"type": "order.delivered"', id="a touchpoint"),
        pytest.param("shop.orders", '{"status": "NEW"}', 0, "no rule fits", id="none"),
        pytest.param("shop.orders", "{", 1, "not readable as JSON", id="no JSON"),
        pytest.param("platform.events", "{}", 1, "data: missing", id="no CloudEvent"),
        pytest.param("elsewhere", "{}", 1, "does not read elsewhere", id="another topic"),
    ],
)
def test_a_record_can_be_tried(topic: str, record: str, code: int, says: str) -> None:
    found, text = run("try", topic, "-", "--file", str(EXAMPLE), given=record)
    assert (found, says in text) == (code, True), text
