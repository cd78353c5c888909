"""The world of trigger's tests: the shipped programmes on a fresh database."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.databases import OpenDatabase
from tests.support.histories import write_programmes
from tests.support.trigger import Site, World, begin, shipped, site_of


@pytest.fixture
def programmes(tmp_path: Path) -> Path:
    """A folder with the shipped programmes."""
    folder = tmp_path / "programmes"
    folder.mkdir()
    return shipped(folder)


@pytest.fixture
async def world(database: OpenDatabase, clock: FixedClock, sealer: Sealer, programmes: Path) -> World:
    """Trigger with the shipped programmes, published."""
    return await begin(await database("trigger"), clock, sealer, programmes)


@pytest.fixture
async def own_world(
    request: pytest.FixtureRequest, database: OpenDatabase, clock: FixedClock, sealer: Sealer, tmp_path: Path
) -> World:
    """Trigger with the programmes that the test's module lists as PROGRAMMES, in English alone."""
    folder = write_programmes(tmp_path / "programmes", request.module.PROGRAMMES)
    return await begin(await database("trigger"), clock, sealer, folder, locales=("en",))


@pytest.fixture
def blank_site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    """Its routes and pages."""
    return site_of(world, machine, tokens)
