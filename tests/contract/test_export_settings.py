"""Whether scoring puts tables into a folder, by its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.scoring.app import build
from services.scoring.settings import Settings
from shared.errors import AfterwordError
from tests.support.assembled import platform

pytestmark = pytest.mark.requirement("R71")


async def files(**given: Any) -> bool:
    built = await build(Settings.model_validate(given), platform("scoring"))
    return "filing" in {loop.name for loop in built.loops}


async def test_tables_are_written_where_there_is_a_folder_for_them(tmp_path: Path) -> None:
    assert not await files()
    assert not await files(export_folder=tmp_path, export_tables=[])
    assert await files(export_folder=tmp_path)
    assert await files(export_folder=tmp_path, export_day="daily", export_period="quarter")


@pytest.mark.parametrize("table", ["comments", "facts", "answers", "breakdown", "colours"])
async def test_what_does_not_belong_into_a_folder_stops_the_start_and_it_is_said_what_does(
    table: str, tmp_path: Path
) -> None:
    with pytest.raises(AfterwordError, match=f"AFTERWORD_SCORING_EXPORT_TABLES: {table}: no table, or"):
        await files(export_folder=tmp_path, export_tables=[table])
