"""Messages whose hand-over breaks off, so that nobody knows whether they left."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest

from services.dispatch.worker.minding import reap
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime import failpoints
from shared.runtime.failpoints import FailpointHit
from tests.support.dispatch import MailRoom

EXPIRE = (
    "update messages set lease_until = clock.machine_now() - interval '1 s' where lease_until is not null"
)
"""The leases of a worker that died are over."""


async def die_at(room: MailRoom, name: str) -> None:
    """Run a round of a worker that dies at a failpoint."""
    failpoints.disarm()  # forgets what was counted so far
    failpoints.arm(f"{name}:1:raise")
    with pytest.raises((FailpointHit, ExceptionGroup)) as caught:
        await room.postman.round()
    error: BaseException = caught.value
    if isinstance(error, BaseExceptionGroup):
        assert error.subgroup(FailpointHit) is not None
    failpoints.disarm()


async def break_off(room: MailRoom, *names: str) -> None:
    """Ask people by mail; the server takes each mail and hangs up instead of saying so."""
    for name in names:
        room.faults.rules.append(Fault(f"{name}@*", FaultKind.DROP_AFTER_ACCEPT))
        await room.ask(name)
    await room.work()
    room.faults.rules.clear()
    for name in names:
        assert (await room.state(name))[0] == "uncertain"


async def prove(room: MailRoom) -> None:
    """What is known of answers is current, for all that waits for that."""
    await room.run("update messages set view_current = true")


async def deliver(room: MailRoom) -> None:
    """Send what is due, and what a person had sent again."""
    await prove(room)
    await room.wake()
    await room.work()


async def give_up(room: MailRoom) -> None:
    """The worker died; its leases end."""
    await room.run(EXPIRE)
    await reap(room.db)


async def since(room: MailRoom, delivery_id: UUID, at: datetime) -> None:
    """It broke off at another time."""
    await room.run("update messages set finished_at = $2 where delivery_id = $1", delivery_id, at)
