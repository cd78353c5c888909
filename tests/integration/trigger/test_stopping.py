"""Programmes that end, change, or only run in shadow, with the plans that were made before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.trigger.handlers.replanning import NothingToReplanError, replan_page
from services.trigger.handlers.stopping import stop_ended
from services.trigger.store import plans as plan_store
from services.trigger.store import shadow
from services.trigger.worker.stopping import EndedProgrammes
from shared.contracts.surveys import SurveyReminderRequested, SurveyRequested
from shared.security.roles import Role, Scope
from tests.support.trigger import Site, World

ORDER = {"kind": "order", "id": "o1"}


async def deliver(world: World, number: int = 1, **more: Any) -> str:
    """An order arrives at somebody."""
    person = {"id": f"c{number}", "email": f"p{number}@kund.example", "zone": "Europe/Stockholm"}
    return await world.tell(
        "order.delivered", contact=person, subject={"kind": "order", "id": f"o{number}"}, **more
    )


async def edited(world: World, programmes: Path, old: str, new: str, name: str = "delivery") -> None:
    """An operator edits a file, and the service takes it up."""
    file = programmes / f"{name}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    await world.publisher.run()


async def put(world: World, programmes: Path, state: str) -> None:
    """The delivery programme gets a state."""
    file = programmes / "delivery.yaml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("state:")]
    at = next(n for n, line in enumerate(kept) if line.startswith("key:"))
    kept.insert(at + 1, f"state: {state}")
    file.write_text("\n".join(kept) + "\n")
    await world.publisher.run()


async def stopped(world: World) -> int:
    """Call off all there is to call off."""
    done = 0
    while more := await EndedProgrammes(world.db).run():
        done += more
    return done


async def test_what_waits_of_an_archived_programme_is_called_off_with_its_reason(
    world: World, programmes: Path
) -> None:
    for number in (1, 2, 3):
        await deliver(world, number)
    await put(world, programmes, "archived")
    assert await stopped(world) == 3
    lines = [e for e in await world.ledger() if e.decision.outcome == "cancelled"]
    assert {(e.decision.reason, e.decision.inputs["file"]) for e in lines} == {
        ("programme_archived", "archived")
    }
    assert {e.event_id for e in lines} == {"e1", "e2", "e3"}, "each names the event that made its plan"
    assert (await world.books()).cancelled == 3
    await world.later(days=3)
    assert await world.said(SurveyRequested) == []


async def test_a_programme_whose_file_is_gone_ends_the_same_way(world: World, programmes: Path) -> None:
    await deliver(world)
    (programmes / "delivery.yaml").unlink()
    await world.publisher.run()
    assert await stopped(world) == 1
    assert (await world.ledger())[-1].decision.inputs == {"file": "gone"}


async def test_many_plans_are_called_off_page_by_page(world: World, programmes: Path) -> None:
    for number in range(5):
        await deliver(world, number)
    await put(world, programmes, "archived")
    pages = []
    while True:
        async with world.db.begin() as tx:
            pages.append(await stop_ended(tx, limit=2))
        if not pages[-1]:
            break
    assert pages == [2, 2, 1, 0]


async def test_what_was_not_yet_called_off_does_not_pass_the_gate(world: World, programmes: Path) -> None:
    await deliver(world)
    await put(world, programmes, "archived")
    await world.later(days=2)
    assert (await world.reasons())[-1] == ("cancelled", "programme_archived")
    assert await world.said(SurveyRequested) == []


async def test_what_was_sent_takes_answers_and_nobody_is_reminded(world: World, programmes: Path) -> None:
    await deliver(world)
    await world.later(days=2)
    (survey,) = await world.said(SurveyRequested)
    await put(world, programmes, "archived")
    assert await stopped(world) == 0
    await world.until(survey.closes_at)
    assert await world.said(SurveyReminderRequested) == []
    assert ("suppressed", "programme_archived") in await world.reasons()


async def test_a_programme_that_runs_again_asks_again(world: World, programmes: Path) -> None:
    await deliver(world)
    await put(world, programmes, "archived")
    await stopped(world)
    await put(world, programmes, "active")
    world.clock.advance(timedelta(seconds=1))
    await deliver(world)
    await world.later(days=2)
    assert len(await world.said(SurveyRequested)) == 1


async def test_shadow_decides_and_sends_nothing(world: World, programmes: Path) -> None:
    await put(world, programmes, "shadow")
    await deliver(world, 1)
    await deliver(world, 2)
    await world.tell("order.delivered", contact={"id": "c3"}, subject={"kind": "order", "id": "o3"})
    await world.later(days=2)
    assert await world.said(SurveyRequested) == []
    said = [
        (str(e.decision.outcome), str(e.decision.reason or ""), e.decision.shadow)
        for e in await world.ledger()
    ]
    assert said.count(("shadow", "shadow", True)) == 2
    assert all(in_shadow for _, _, in_shadow in said)
    async with world.db.read() as conn:
        now = world.clock.now()
        found = (await shadow.rehearsals(conn, ["delivery-csat"], now.replace(year=2000), now))[
            "delivery-csat"
        ]
    assert (found.asks, found.people, dict(found.left_out)) == (2, 2, {"no_channel": 1})


async def test_a_rehearsal_says_what_is_planned_before_anything_is_due(
    blank_site: Site, world: World, programmes: Path
) -> None:
    await put(world, programmes, "shadow")
    await deliver(world, 1)
    world.clock.advance(timedelta(minutes=1))
    await deliver(world, 2)
    async with await blank_site.with_key(Scope.PROGRAMMES_READ) as client:
        found = (await client.get("/v1/programmes/delivery-csat/rehearsal")).json()
    due = world.clock.now() + timedelta(hours=2, minutes=-1)
    assert (found["asks"], found["ahead"], found["next_at"]) == (0, 2, f"{due:%Y-%m-%dT%H:%M:%SZ}")
    async with await blank_site.signed_in(Role.REP) as browser:
        page = (await browser.get("/programmes/delivery-csat")).text
    assert "2 more are planned; the next 3 Mar 2026, 11:00" in page
    await world.later(days=2)
    async with await blank_site.with_key(Scope.PROGRAMMES_READ) as client:
        found = (await client.get("/v1/programmes/delivery-csat/rehearsal")).json()
    assert (found["asks"], found["ahead"], found["next_at"]) == (2, 0, None)


async def test_what_shadow_would_ask_counts_for_itself_alone(world: World, programmes: Path) -> None:
    """Twice the same person: shadow keeps its own quarantine, and takes no place of the others."""
    await put(world, programmes, "shadow")
    person = {"id": "c1", "email": "p1@kund.example", "zone": "Europe/Stockholm"}
    await world.tell("order.delivered", contact=person, subject=ORDER)
    await world.later(days=1)
    await world.tell("order.delivered", contact=person, subject={"kind": "order", "id": "o2"})
    await world.tell("support_ticket.resolved", contact=person, subject={"kind": "ticket", "id": "t1"})
    await world.later(days=2)
    assert [s.snapshot.programme for s in await world.said(SurveyRequested)] == ["support-csat"]
    said = [(e.decision.programme, e.decision.outcome, e.decision.reason) for e in await world.ledger()]
    assert ("support-csat", "suppressed", "quarantined") not in said
    assert ("support-csat", "deferred", "quarantined") not in said
    assert ("delivery-csat", "suppressed", "quarantined") in said, (
        "the second order is within its own quarantine"
    )


async def test_what_was_planned_in_shadow_is_not_sent_when_it_goes_live(
    world: World, programmes: Path
) -> None:
    await put(world, programmes, "shadow")
    await deliver(world)
    await put(world, programmes, "active")
    assert await stopped(world) == 1
    (line,) = [e for e in await world.ledger() if e.decision.outcome == "cancelled"]
    assert (line.decision.reason, line.decision.inputs["why"]) == (
        "shadow", "it was planned in shadow, and the programme runs now",
    )  # fmt: skip
    await world.later(days=2)
    assert await world.said(SurveyRequested) == []
    await deliver(world)
    await world.later(days=2)
    assert len(await world.said(SurveyRequested)) == 1, "to the programme that runs the person is new"


async def test_a_programme_that_goes_into_shadow_sends_nothing_more(world: World, programmes: Path) -> None:
    await deliver(world)
    await put(world, programmes, "shadow")
    await world.later(days=2)
    assert (await world.reasons())[-1] == ("cancelled", "shadow")
    assert await world.said(SurveyRequested) == []


async def test_plans_are_made_anew_with_the_mended_edition(world: World, programmes: Path) -> None:
    await deliver(world, 1)
    await deliver(world, 2)
    await edited(world, programmes, "delay: 2h", "delay: 5h")
    async with world.db.begin() as tx:
        dry = await replan_page(tx, "delivery-csat", None, dry=True)
    assert dict(dry.counts) == {"moved": 2}
    async with world.db.read() as conn:
        assert await plan_store.waiting_of_old(conn) == {"delivery-csat": 2}, "a dry run changes nothing"
    async with world.db.begin() as tx:
        first = await replan_page(tx, "delivery-csat", None, dry=False, limit=1)
    assert first.after is not None
    async with world.db.begin() as tx:
        await replan_page(tx, "delivery-csat", first.after, dry=False, limit=1)
    async with world.db.read() as conn:
        assert await plan_store.waiting_of_old(conn) == {}
    assert (await world.reasons())[-2:] == [("planned", "replanned")] * 2
    await world.books()
    await world.later(days=2)
    assert len(await world.said(SurveyRequested)) == 2


async def test_only_a_programme_that_runs_is_replanned(world: World, programmes: Path) -> None:
    await put(world, programmes, "archived")
    for key, why in (("delivery-csat", "archived"), ("nonsense", "no programme")):
        with pytest.raises(NothingToReplanError, match=why):
            async with world.db.begin() as tx:
                await replan_page(tx, key, None, dry=True)


async def test_editions_and_shadow_by_api(blank_site: Site, world: World, programmes: Path) -> None:
    await deliver(world)
    await edited(world, programmes, "delay: 2h", "delay: 5h")
    async with await blank_site.with_key(Scope.PROGRAMMES_READ) as client:
        newest, old = (await client.get("/v1/programmes/delivery-csat/plans")).json()
        assert (newest["plans"], newest["current"], old["plans"], old["current"]) == (0, True, 1, False)
        found = (await client.get("/v1/programmes/delivery-csat/rehearsal")).json()
        assert (found["asks"], found["left_out"]) == (0, {})
        for bad in ("/v1/programmes/nonsense/plans", "/v1/programmes/nonsense/rehearsal"):
            assert (await client.get(bad)).status_code == 404
        assert (await client.get("/v1/programmes/delivery-csat/rehearsal?days=0")).status_code == 422
    async with blank_site.client() as nobody:
        assert (await nobody.get("/v1/programmes/delivery-csat/plans")).status_code == 401
