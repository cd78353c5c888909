"""Broken programmes: each file is refused, with the messages that lie beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.trigger.domain.lint import check

FILES = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


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
