"""Somebody let a held answer count, and it is taken back: by whom and why is kept, and all is as before."""

from __future__ import annotations

import json
from random import Random  # noqa: TID251 - seeded: the same story each time
from typing import Any
from uuid import UUID

import pytest

from services.collector.domain.review import TakenBack, Why
from services.collector.handlers.review import Review
from services.collector.handlers.verdicts import Verdicts
from services.scoring.store.recount import check_cells
from shared.contracts.directory import ContactErased
from shared.contracts.responses import ResponseHeld, ResponseReleased, ResponseSubmitted, ResponseWithdrawn
from shared.security.roles import Role
from tests.support.collector import Collector, contact_id, send, survey_id
from tests.support.databases import OpenDatabase
from tests.support.scoring import Scoring

EVA, BO = "eva", "bo"


async def audited(collector: Collector, subject: UUID) -> list[tuple[str, str, dict[str, Any]]]:
    async with collector.db.read() as conn:
        rows = await conn.fetch(
            "select actor, action, detail from access.audit where subject = $1 order by id", str(subject)
        )
    return [(row["actor"], row["action"], json.loads(row["detail"])) for row in rows]


async def state_of(collector: Collector, number: int) -> str:
    async with collector.db.read() as conn:
        return str(await conn.fetchval("select state from responses where survey_id = $1", survey_id(number)))


async def test_what_was_taken_back_is_held_as_before_and_who_did_it_is_kept(collector: Collector) -> None:
    review = Review(collector.db)
    await collector.held(1)
    assert await review.release(survey_id(1), EVA)
    (released,) = await collector.settle()
    assert isinstance(released, ResponseReleased)
    collector.wait(60)
    assert await review.take_back(survey_id(1), BO, Why.MACHINE) is TakenBack.HELD
    withdrawn, held = await collector.settle()
    assert isinstance(withdrawn, ResponseWithdrawn)
    assert isinstance(held, ResponseHeld)
    assert (withdrawn.version, held.version) == (released.version + 1, released.version + 2)
    assert (withdrawn.reason, held.verdict, held.scores) == (
        "honeypot_filled", "machine", released.scores,
    )  # fmt: skip
    assert await audited(collector, survey_id(1)) == [
        ("user:eva", "answer.released", {}),
        ("user:bo", "answer.taken_back", {"reason": "machine"}),
    ]
    told = await Verdicts(collector.db).explain(survey_id(1))
    assert told is not None
    (version,) = told["answers"]
    assert version["released_by"] is None
    assert version["taken_back"] == {
        "by": "bo", "at": collector.clock.now().isoformat(), "reason": "machine",
    }  # fmt: skip


async def test_taking_back_twice_changes_nothing_more(collector: Collector) -> None:
    review = Review(collector.db)
    await collector.held(1)
    await review.release(survey_id(1), EVA)
    await collector.settle()
    became = [await review.take_back(survey_id(1), who, Why.MISTAKE) for who in (EVA, BO)]
    assert len(await collector.settle()) == 2
    became.append(await review.take_back(survey_id(1), BO, Why.UNSURE))
    assert became == [TakenBack.HELD] * 3
    assert await collector.settle() == []
    assert len(await audited(collector, survey_id(1))) == 2


async def test_what_is_taken_back_on_its_way_was_never_counted_and_nobody_hears_of_it(
    collector: Collector,
) -> None:
    review = Review(collector.db)
    await collector.held(1)
    await review.release(survey_id(1), EVA)
    assert await review.take_back(survey_id(1), EVA, Why.MISTAKE) is TakenBack.HELD
    assert await review.released() == 0
    assert await collector.settle() == []
    assert await state_of(collector, 1) == "held"


async def test_it_may_be_counted_again_after_it_was_taken_back(collector: Collector) -> None:
    review = Review(collector.db)
    await collector.held(1)
    for _ in range(2):
        assert await review.release(survey_id(1), EVA)
        assert [type(one) for one in await collector.settle()] == [ResponseReleased]
        await review.take_back(survey_id(1), EVA, Why.UNSURE)
        assert [type(one) for one in await collector.settle()] == [ResponseWithdrawn, ResponseHeld]
    await review.release(survey_id(1), BO)
    await collector.settle()
    assert await state_of(collector, 1) == "counted"


async def test_only_what_counts_by_somebody_s_word_can_be_taken_back(collector: Collector) -> None:
    review = Review(collector.db)
    await collector.held(1)
    path = await collector.asked(2)
    await collector.handed_over(2)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        await send(browser, page, path, {"q.ces": "6"})
    collector.wait(60)
    (submitted,) = await collector.settle()
    assert isinstance(submitted, ResponseSubmitted)
    for number in (1, 2, 3):
        assert await review.take_back(survey_id(number), EVA, Why.MISTAKE) is TakenBack.NOTHING
    assert await collector.settle() == []


async def test_an_answer_that_a_person_gave_meanwhile_goes_on_counting(collector: Collector) -> None:
    """The gateway's answer was let count by mistake; then the person answers, too."""
    review = Review(collector.db)
    await collector.held(1)
    await review.release(survey_id(1), EVA)
    await collector.settle()
    collector.wait(3600)
    async with collector.client() as browser:
        path = collector.path(1)
        page = await browser.get(f"{path}?edit")
        collector.wait(30)
        assert (await send(browser, page, path, {"q.ces": "6"})).status_code == 303
    collector.wait(60)
    await collector.settle()
    assert await review.take_back(survey_id(1), EVA, Why.MISTAKE) is TakenBack.NOTHING
    assert await state_of(collector, 1) == "counted"


async def test_what_was_seen_since_may_say_itself_that_a_person_answered(collector: Collector) -> None:
    """The rules have changed since it was held: taking the word back leaves it counted, and says so."""
    review = Review(collector.db)
    await collector.held(1)
    async with collector.db.begin() as tx:
        await tx.conn.execute("update answers set honeypot = false, styled = false")
    await review.release(survey_id(1), EVA)
    await collector.settle()
    assert await review.take_back(survey_id(1), EVA, Why.UNSURE) is TakenBack.COUNTED
    assert await collector.settle() == []
    assert await state_of(collector, 1) == "counted"


async def test_an_answer_of_somebody_erased_is_counted_and_taken_back_too(collector: Collector) -> None:
    """What erasure blurred is not judged anew, but a person's word for it counts, and can be taken back."""
    review = Review(collector.db)
    await collector.held(1)
    await collector.feed(
        ContactErased(contact_id=str(contact_id(1)), version=2, erased_at=collector.clock.now())
    )
    assert await review.release(survey_id(1), EVA)
    assert [type(one) for one in await collector.settle()] == [ResponseReleased]
    assert await review.take_back(survey_id(1), EVA, Why.MACHINE) is TakenBack.HELD
    assert [type(one) for one in await collector.settle()] == [ResponseWithdrawn, ResponseHeld]


async def test_a_program_takes_back_by_the_api_and_hears_why_not(collector: Collector) -> None:
    await collector.held(1)
    path = f"/v1/responses/{survey_id(1)}"
    async with collector.client() as manager:
        user = await collector.sign_in(manager)
        assert (await manager.post(f"{path}/release")).status_code == 202
        await collector.settle()
        wrong = await manager.post(f"{path}/take-back", json={"reason": "because"})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "reason")
        for _ in range(2):
            done = await manager.post(f"{path}/take-back", json={"reason": "unsure"})
            assert (done.status_code, done.json()) == (202, {"status": "held"})
        nothing = await manager.post(f"/v1/responses/{survey_id(2)}/take-back", json={"reason": "unsure"})
        assert (nothing.status_code, nothing.json()["detail"]) == (
            404, "No answer to this survey counts by somebody's word.",
        )  # fmt: skip
    assert (await audited(collector, survey_id(1)))[-1] == (
        f"user:{user}", "answer.taken_back", {"reason": "unsure"},
    )  # fmt: skip


async def test_who_may_only_read_takes_nothing_back(collector: Collector) -> None:
    await collector.held(1)
    await Review(collector.db).release(survey_id(1), EVA)
    await collector.settle()
    async with collector.client() as rep:
        await collector.sign_in(rep, Role.REP)
        page = await rep.get("/answers/held?counted=true")
        assert "Take it back</button>" not in page.text
        refused = await rep.post(f"/answers/held/{survey_id(1)}/take-back", data={"reason": "mistake"})
    assert refused.status_code == 403
    assert await state_of(collector, 1) == "counted"


async def test_many_words_are_listed_page_after_page(collector: Collector) -> None:
    review = Review(collector.db)
    for number in range(1, 23):
        await collector.held(number)
        await review.release(survey_id(number), EVA)
        await collector.settle()
    async with collector.client() as manager:
        await collector.sign_in(manager)
        first = (await manager.get("/answers/held?counted=true")).text
        following = first.partition("/answers/held?counted=true&amp;before=")[2].partition('"')[0]
        second = (await manager.get("/answers/held", params={"counted": "true", "before": following})).text
        wrong = await manager.get("/answers/held", params={"counted": "true", "before": "x"})
    assert (first.count("<article"), second.count("<article")) == (20, 2)
    assert "Earlier ones" not in second
    assert str(survey_id(22)) in first
    assert str(survey_id(1)) in second
    assert wrong.status_code == 422


@pytest.mark.requirement("R57")
@pytest.mark.parametrize("seed", range(4))
async def test_scores_count_what_the_collector_counts_whatever_was_released_and_taken_back(
    collector: Collector, database: OpenDatabase, seed: int
) -> None:
    """Words given and taken at any moment, before and after they are announced; batches come twice."""
    draw = Random(seed)
    review, scoring = Review(collector.db), Scoring(await database("scoring"))
    for number in range(1, 7):
        await collector.held(number)
    await scoring.take(*await collector.events())
    for _ in range(60):
        number = draw.randint(1, 6)
        if draw.random() < 0.5:
            await review.release(survey_id(number), EVA)
        else:
            await review.take_back(survey_id(number), BO, draw.choice(list(Why)))
        if draw.random() < 0.4:
            fresh = await collector.settle()
            for batch in (fresh, fresh) if draw.random() < 0.3 else (fresh,):
                if batch:
                    assert await scoring.take(*batch) == 0
    if fresh := await collector.settle():
        await scoring.take(*fresh)
    async with collector.db.read() as conn:
        counted = await conn.fetchval("select count(*) from responses where state = 'counted'")
        held = await conn.fetchval("select count(*) from responses where state = 'held'")
    async with scoring.db.read() as conn:
        total = await conn.fetchval("select coalesce(sum(b0), 0) from score_cells where rollup = 'total'")
    assert (total, held) == (counted, 6 - counted)
    async with scoring.db.begin() as tx:
        assert (await check_cells(tx)).wrong == []
