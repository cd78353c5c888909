"""Limits kept by several instances: who waits is found with the reason, and goes in the order of asking."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from prometheus_client import REGISTRY

from services.dispatch.domain.pace import Limits
from services.dispatch.worker.minding import reap, weigh
from services.dispatch.worker.pacing import let_out
from shared.contracts.model import Channel
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.clock import FixedClock
from tests.support.dispatch import NOW, MailRoom, survey_id

IN_LINE = "select delivery_id from messages where state = 'planned' and not_before = 'infinity'"


async def asked(room: MailRoom, *names: str) -> None:
    """Request surveys one after the other, so that it is known who came first."""
    for name in names:
        await room.ask(name)


async def pass_time(room: MailRoom, seconds: float) -> None:
    """Let machine time pass for the limits."""
    await room.run("update paces set next_at = next_at - make_interval(secs => $1)", seconds)


def written_to(room: MailRoom) -> list[str]:
    """Whom mails went to, in order."""
    return [mail.recipients[0].partition("@")[0] for mail in room.mails]


@pytest.fixture
def limited(room: MailRoom) -> MailRoom:
    room.postman = replace(room.postman, limits=Limits(domains={"customer.example": 60}))
    return room


async def test_a_limit_holds_for_two_instances_together(limited: MailRoom) -> None:
    await asked(limited, *[f"person{n}" for n in range(30)])
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(limited.work())
    assert 1 <= len(limited.mails) < 6, "sixty a minute are one a second"
    for _ in range(40):
        await pass_time(limited, 2.1)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(let_out(limited.db))
        before = len(limited.mails)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(limited.work())
        assert len(limited.mails) - before <= 4
        if not await limited.fetch(IN_LINE):
            break
    assert len(limited.mails) == 30
    assert len({mail.recipients for mail in limited.mails}) == 30
    assert await limited.fetch("select * from paces where occupied") == []


async def test_who_waits_is_found_with_the_reason_and_goes_in_turn(
    limited: MailRoom, api: httpx.AsyncClient
) -> None:
    limited.postman = replace(limited.postman, limits=Limits(each_domain=1))
    await asked(limited, "anna", "bert", "carl")
    await limited.work()
    assert written_to(limited) == ["anna"]
    found = (await api.get("/v1/messages", params={"survey": survey_id("bert")})).json()["messages"][0]
    assert (found["state"], found["limited_by"]) == ("planned", "limit: 1 a minute to one domain")
    assert found["attempts"] == []
    assert "customer.example" not in str(await limited.fetch("select key from paces"))
    assert await let_out(limited.db) == 0
    await limited.work()
    assert written_to(limited) == ["anna"]
    await asked(limited, "dora")
    await pass_time(limited, 62)
    await limited.work()
    assert written_to(limited) == ["anna"], "dora came later than those in line"
    assert await let_out(limited.db) == 1
    assert await let_out(limited.db) == 0, "who was called keeps the place until it is used"
    await limited.work()
    assert written_to(limited) == ["anna", "bert"]
    late = (await api.get("/v1/messages", params={"survey": survey_id("bert")})).json()["messages"][0]
    assert late["state"] == "handed_over"
    assert late["limited_at"] is not None
    books = (await api.get("/v1/messages/books")).json()
    assert (books["balanced"], books["open"], books["handed_over"]) == (True, 2, 2)


async def test_who_waits_in_line_is_told_of_by_a_gauge_and_lines_without_use_are_forgotten(
    limited: MailRoom,
) -> None:
    await asked(limited, *[f"person{n}" for n in range(4)])
    await limited.work()
    await weigh(limited.db)
    waiting = REGISTRY.get_sample_value("afterword_dispatch_limited_messages")
    assert waiting == 4 - len(limited.mails)
    assert waiting > 0
    await pass_time(limited, 3600)
    await reap(limited.db)
    assert len(await limited.fetch("select * from paces")) == 1, "somebody stands in it"
    while await let_out(limited.db):
        await limited.work()
        await pass_time(limited, 3600)
    await reap(limited.db)
    assert await limited.fetch("select * from paces") == []
    assert len(limited.mails) == 4


async def test_whose_moment_passes_in_line_is_suppressed_with_the_reason_and_takes_no_place(
    limited: MailRoom, clock: FixedClock
) -> None:
    limited.postman = replace(limited.postman, limits=Limits({Channel.EMAIL: 1}))
    await limited.ask("anna")
    await limited.ask("bert", fresh_until=NOW + timedelta(hours=1))
    await limited.ask("carl")
    await limited.work()
    clock.advance(timedelta(hours=1))
    await pass_time(limited, 62)
    await let_out(limited.db)
    await limited.work()
    assert await limited.state("bert") == ("suppressed", "expired")
    await let_out(limited.db)
    await limited.work()
    assert written_to(limited) == ["anna", "carl"]


async def test_a_refusal_for_now_waits_its_own_time_and_then_stands_in_line_again(limited: MailRoom) -> None:
    limited.postman = replace(limited.postman, limits=Limits(each_domain=1))
    limited.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "450 4.2.1 later", times=1))
    await asked(limited, "anna", "bert")
    await limited.work()
    [anna] = await limited.fetch("select not_before < 'infinity' as soon from messages where attempts = 1")
    assert anna["soon"]
    await limited.run("update messages set not_before = clock.machine_now() where attempts = 1")
    await limited.work()
    assert limited.mails == [], "a repeated call is a call"
    await pass_time(limited, 62)
    await let_out(limited.db)
    await limited.work()
    assert written_to(limited) == ["anna"], "who was asked for first goes first"


async def test_without_limits_those_in_line_go_at_the_old_pace(limited: MailRoom) -> None:
    limited.postman = replace(limited.postman, limits=Limits(domains={"customer.example": 1}))
    await asked(limited, "anna", "bert")
    await limited.work()
    limited.postman = replace(limited.postman, limits=Limits())
    await pass_time(limited, 62)
    await let_out(limited.db)
    await limited.work()
    assert written_to(limited) == ["anna", "bert"]
