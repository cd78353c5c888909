"""The auditor finds nothing wrong with a sound story, and names each wrong that is planted in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.embedded.postgres import PostgresAddress
from tests.chaos.audit import examine
from tests.chaos.evidence import Evidence
from tests.chaos.spoiling import Scene, lived, scene

_story: list[Evidence] = []


@pytest.fixture
async def story(
    postgres_server: PostgresAddress, run_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Evidence:
    """The end of the story, lived once a process."""
    if not _story:
        _story.append(await lived(postgres_server, run_folder, tmp_path_factory.mktemp("audit")))
    return _story[0]


@pytest.fixture
async def spoiled(story: Evidence) -> AsyncIterator[Scene]:
    """The story's end, to be spoiled; forgotten afterwards."""
    async with scene(story) as one:
        yield one


async def test_a_sound_story_has_no_anomaly(story: Evidence) -> None:
    report = await examine(story)
    assert report.anomalies == ()
    assert {one.name for one in report.unchecked} == set()
