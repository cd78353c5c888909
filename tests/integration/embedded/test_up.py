"""`afterword up` that cannot start: what is wrong, where, and nothing else."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


async def up(data_dir: Path) -> tuple[int | None, str]:
    """How it ended, and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "up", "--data", str(data_dir),
        cwd=ROOT, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    return process.returncode, " ".join(said.decode().split())


async def test_wrong_settings_are_named_in_words_before_it_says_where_anything_is(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setenv("AFTERWORD_SCORING_EXPORT_HOUR", "99")
        wrong.setenv("AFTERWORD_SCORING_DIGEST_DAY", "someday")
        code, said = await up(data_dir)
    assert code == 2, said
    assert "AFTERWORD_SCORING_EXPORT_HOUR: Input should be less than or equal to 23" in said
    assert "AFTERWORD_SCORING_DIGEST_DAY: Input should be 'monday'" in said

    monkeypatch.setenv("AFTERWORD_SCORING_REFERENCES", "nowhere.yaml")
    code, other = await up(data_dir)
    assert code == 2, other
    assert "scoring cannot start: AFTERWORD_SCORING_REFERENCES: nowhere.yaml cannot be read" in other
    assert "No such file or directory" in other

    for each in (said, other):
        assert "Traceback" not in each
        assert "Afterword at" not in each
