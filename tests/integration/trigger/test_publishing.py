"""Programmes are taken up from their folder while the service runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.trigger.handlers.republish import republish
from services.trigger.store import programmes as store
from services.trigger.worker.publisher import Publisher
from shared.contracts.directory import AccountChanged, ContactChanged, OrganisationChanged
from shared.contracts.programmes import ProgrammePublished
from shared.contracts.surveys import SurveyRequested
from tests.support.trigger import DEFAULTS, World


async def test_all_are_published_once(world: World) -> None:
    assert await world.publisher.run() == 0
    told = await world.said(ProgrammePublished)
    assert sorted(p.programme for p in told) == [
        "delivery-csat",
        "onboarding-ces",
        "recovery",
        "renewal-nps",
        "support-csat",
    ]
    assert {p.revision for p in told} == {1}


async def test_a_changed_file_is_taken_up_and_plans_keep_their_edition(
    world: World, programmes: Path
) -> None:
    await world.tell(
        "order.delivered",
        contact={"id": "c1", "email": "a@kund.example"},
        subject={"kind": "order", "id": "o"},
    )
    text = (programmes / "delivery.yaml").read_text()
    (programmes / "delivery.yaml").write_text(text.replace("priority: 45", "priority: 46"))
    assert await world.publisher.run() == 1
    newest = (await world.said(ProgrammePublished))[-1]
    assert (newest.programme, newest.revision) == ("delivery-csat", 2)
    await world.later(hours=2)
    (asked,) = await world.said(SurveyRequested)
    assert asked.snapshot.version != newest.version


async def test_a_broken_file_changes_nothing_and_says_why(world: World, programmes: Path) -> None:
    before = len(await world.said(ProgrammePublished))
    text = (programmes / "delivery.yaml").read_text()
    (programmes / "delivery.yaml").write_text(text.replace("priority: 45", "priorty: 45"))
    assert await world.publisher.run() == 0
    assert len(await world.said(ProgrammePublished)) == before
    async with world.db.read() as conn:
        (finding,) = [f for f in await store.findings(conn) if f.severity == "error"]
    assert (finding.file, finding.path) == ("delivery.yaml", "priorty")
    assert "Did you mean 'priority'?" in finding.what_to_do


@pytest.mark.parametrize(
    ("was", "now"),
    [
        pytest.param("window: .*", "window: always", id="no window"),
        pytest.param("hold_while: .*", "hold_while: [5]", id="no hold"),
        pytest.param("delay: 2h", "delay: 9000y", id="for ever"),
        pytest.param("priority: 45", "priority: .inf", id="no number"),
        pytest.param("priority: 45", f"priority: {'[' * 900}{']' * 900}", id="deep"),
        pytest.param("key: delivery-csat", 'key: delivery-csat\npurpose: {en: "\\0"}', id="not to be kept"),
    ],
)
async def test_whatever_is_wrong_the_programme_and_its_plans_go_on(
    world: World, programmes: Path, was: str, now: str
) -> None:
    await world.tell(
        "order.delivered",
        contact={"id": "c1", "email": "a@kund.example"},
        subject={"kind": "order", "id": "o"},
    )
    text = (programmes / "delivery.yaml").read_text()
    changed, count = re.subn(was, lambda _: now, text)
    assert count == 1
    (programmes / "delivery.yaml").write_text(changed)
    assert await world.publisher.run() == 0
    async with world.db.read() as conn:
        assert {one.state for one in await store.standings(conn)} == {"active"}
        assert [f.file for f in await store.findings(conn) if f.severity == "error"]
    await world.later(hours=2)
    assert len(await world.said(SurveyRequested)) == 1


@pytest.mark.parametrize("name", ["a-copy", "delivery-copy", "z-copy"])
async def test_a_copy_with_the_same_key_changes_nothing_wherever_it_stands_in_the_alphabet(
    world: World, programmes: Path, name: str
) -> None:
    before = len(await world.said(ProgrammePublished))
    text = (programmes / "delivery.yaml").read_text()
    (programmes / f"{name}.yaml").write_text(text.replace("priority: 45", "priority: 99"))
    assert await world.publisher.run() == 0
    assert len(await world.said(ProgrammePublished)) == before
    async with world.db.read() as conn:
        wrong = [f for f in await store.findings(conn) if f.severity == "error"]
        assert {f.file for f in wrong} == {"delivery.yaml", f"{name}.yaml"}
    (programmes / "delivery.yaml").unlink()
    assert await world.publisher.run() == 1, "once one of them is left, it is that one"
    assert (await world.said(ProgrammePublished))[-1].definition["priority"] == 99


async def test_a_removed_file_is_archived_but_an_empty_folder_is_not_believed(
    world: World, programmes: Path
) -> None:
    (programmes / "delivery.yaml").unlink()
    assert await world.publisher.run() == 1
    assert (await world.said(ProgrammePublished))[-1].state == "archived"
    for name in ("onboarding", "recovery", "renewal", "support"):
        (programmes / f"{name}.yaml").unlink()
    assert await world.publisher.run() == 0
    async with world.db.read() as conn:
        assert sum(one.state == "active" for one in await store.standings(conn)) == 4


async def test_only_one_of_two_publishers_publishes(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert await Publisher(world.db, tmp_path / "other", DEFAULTS).run() == 0
    async with world.db.read() as conn:
        assert await store.findings(conn) != []


async def test_republication_tells_everything_again_under_the_same_ids(world: World) -> None:
    await world.tell("contact.updated", contact={"id": "c1", "email": "a@kund.example"}, account={"id": "a1"})
    async with world.db.begin() as tx:
        await republish(tx)
    for kind, count in (
        (ContactChanged, 1),
        (AccountChanged, 1),
        (OrganisationChanged, 1),
        (ProgrammePublished, 5),
    ):
        told = await world.said(kind)
        assert len(told) == 2 * count
    async with world.db.read() as conn:
        repeated = await conn.fetchval(
            "select count(*) from (select event_id from outbox group by 1 having count(*) = 2) x"
        )
    assert repeated == 8
