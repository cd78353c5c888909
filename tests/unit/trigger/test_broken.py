"""Broken programmes: each file is refused, with the messages that lie beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.programmes import app
from services.trigger.domain.lint import check

FOLDER = Path(__file__).parent / "broken"
FILES = sorted(FOLDER.glob("*.yaml"))


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 30
    assert len({path.with_suffix(".txt").read_text("utf-8") for path in FILES}) >= 30


@pytest.mark.requirement("R39", "R48", "R51", "R54")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_programme_is_refused_with_its_place_and_what_to_do(path: Path) -> None:
    report = check([(path.name, path.read_text("utf-8"))], ("en",))
    said = [f"{f.line}: {f.path or 'file'}: {f.reason} {f.what_to_do}" for f in report.errors]
    assert said == path.with_suffix(".txt").read_text("utf-8").splitlines()
    assert report.broken_files() == {path.name}


def test_the_command_refuses_the_folder_and_says_of_each_file_what_is_wrong_where() -> None:
    found = CliRunner().invoke(app, ["check", str(FOLDER), "--locale", "en"])
    assert found.exit_code == 1
    said = _squeezed(found.output)
    for path in FILES:
        for one in check([(path.name, path.read_text("utf-8"))], ("en",)).errors:
            assert f"{path.name}:{one.line}" in said
            # In which other file a key stands depends on what lies beside it.
            reason, _, _ = one.reason.partition(" is also in ")
            assert _squeezed(reason) in said, path.name
            assert _squeezed(one.what_to_do) in said, path.name


def _squeezed(text: str) -> str:
    """Without the spaces at which a narrow terminal breaks lines."""
    return "".join(text.split())
