"""Sign-in on a fresh database."""

from collections.abc import AsyncIterator

import pytest

from shared.db.database import Connection, Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.access import Access
from tests.support.visitors import cheap_passwords


@pytest.fixture
async def conn(access_db: Database) -> AsyncIterator[Connection]:
    async with access_db.read() as lent:
        yield lent


@pytest.fixture
def access(access_db: Database, clock: FixedClock, machine: FakeMachine) -> Access:
    return Access(access_db, clock, machine, passwords=cheap_passwords(), secure=False)
