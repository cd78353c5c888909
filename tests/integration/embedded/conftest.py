"""A directory for an embedded set of its own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.embedded.stack import stop_all


@pytest.fixture
async def data_dir() -> AsyncIterator[Path]:
    # Not under pytest's own folder: for root, each new run of pytest closes that to PostgreSQL's user.
    with tempfile.TemporaryDirectory(prefix="afterword-") as folder:
        yield Path(folder) / "data"
        await stop_all(Path(folder) / "data")
