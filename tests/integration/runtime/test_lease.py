"""A lease has one holder, until it ends or the clock makes nonsense of it."""

from __future__ import annotations

from shared.runtime.ids import derive
from shared.runtime.lease import drop_lease, take_lease
from tests.integration.runtime.conftest import Probe

ONE, TWO = derive("holder", "one"), derive("holder", "two")


async def test_a_lease_has_one_holder_until_it_is_given_back(probe: Probe) -> None:
    async with probe.db.read() as conn:
        assert await take_lease(conn, "relay", ONE)
        assert await take_lease(conn, "relay", ONE)
        assert not await take_lease(conn, "relay", TWO)
        await drop_lease(conn, "relay", ONE)
        assert await take_lease(conn, "relay", TWO)


async def test_a_lease_from_before_the_clock_was_put_back_holds_nobody_up(probe: Probe) -> None:
    async with probe.db.read() as conn:
        await take_lease(conn, "relay", ONE)
        await conn.execute("update leases set until_at = until_at + interval '2 hours'")
        assert await take_lease(conn, "relay", TWO)
        assert not await take_lease(conn, "relay", ONE)
