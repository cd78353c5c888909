from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from services.scoring.domain.reading import PERSONAL
from services.scoring.handlers import SUBSCRIPTIONS
from services.scoring.handlers.answers import on_responses
from shared.contracts.directory import ContactErased
from shared.contracts.forms import QuestionType
from shared.contracts.model import Channel, Family
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.responses import ResponseAmended, ResponseHeld, ResponseReleased, Score
from shared.runtime.ids import derive
from tests.support.scoring import (
    AT,
    Cells,
    Scoring,
    answer,
    event,
    handed_over,
    requested,
    snapshot,
    withdrawn,
)

DAY = AT.date()


def total(cells: Cells, metric: str = "nps") -> tuple[int, ...] | None:
    return cells.get((metric, "transactional", "total", "", DAY))


async def test_an_answer_lands_in_its_fact_and_its_cells(scoring: Scoring) -> None:
    assert await scoring.take(answer(1, 9), answer(2, 3)) == 0
    cells = await scoring.cells()
    assert total(cells) == (0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0)
    assert cells["nps", "transactional", "programme+tier", "renewal\x1fkey", DAY] == total(cells)
    rows = await scoring.rows(
        "select state, nps, csat, snapshot->>'programme', snapshot->>'account_name',"
        " snapshot->'context'->>'agent', answer->'scores'->0->>'value' from answer_facts order by nps"
    )
    assert rows == [
        ("counted", 3, None, "renewal", "Northwind", "Bo", "3"),
        ("counted", 9, None, "renewal", "Northwind", "Bo", "9"),
    ]


async def test_names_with_awkward_characters_are_kept_as_they_are(scoring: Scoring) -> None:
    name = 'Tab\there, a "quote", a back\\slash,\na line and \\N'
    await scoring.take(answer(1, 9, snapshot=snapshot(account_name=name)))
    assert await scoring.rows("select snapshot->>'account_name' from answer_facts") == [(name,)]


async def test_a_repetition_changes_nothing(scoring: Scoring) -> None:
    await scoring.take(answer(1, 9), answer(1, 9))
    before = await scoring.cells(), await scoring.rates()
    await scoring.take(answer(1, 9))
    assert (await scoring.cells(), await scoring.rates()) == before


async def test_even_a_repetition_under_another_event_id_changes_nothing(scoring: Scoring) -> None:
    async with scoring.db.begin() as tx:
        await on_responses([event(answer(1, 9), "a")], tx)
        await on_responses([event(answer(1, 9), "b")], tx)
    assert sum(total(await scoring.cells()) or ()) == 1


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
async def test_an_amendment_retracts_what_it_replaces(scoring: Scoring, *, together: bool) -> None:
    first, second = answer(1, 3), answer(1, 10, version=2, kind=ResponseAmended, at=AT + timedelta(days=2))
    second = second.model_copy(update={"first_at": AT})
    if together:
        await scoring.take(first, second)
    else:
        await scoring.take(first)
        await scoring.take(second)
    cells = await scoring.cells()
    assert total(cells) == (0,) * 10 + (1,)
    assert {key[-1] for key in cells} == {DAY}, "an amended answer stays on the day of the first"


async def test_a_late_older_version_is_dropped(scoring: Scoring) -> None:
    await scoring.take(answer(1, 10, version=2, kind=ResponseAmended))
    await scoring.take(answer(1, 3))
    assert total(await scoring.cells()) == (0,) * 10 + (1,)


async def test_a_held_answer_counts_only_once_it_is_released(scoring: Scoring) -> None:
    await scoring.take(answer(1, 0, kind=ResponseHeld))
    assert await scoring.cells() == {}
    assert (await scoring.rates())["transactional", "total", "", DAY - timedelta(days=1)] == (0, 0, 0, 1)
    await scoring.take(answer(1, 0, version=2, kind=ResponseReleased))
    assert sum(total(await scoring.cells()) or ()) == 1
    assert (await scoring.rates())["transactional", "total", "", DAY - timedelta(days=1)] == (0, 0, 1, 0)


async def test_a_withdrawn_answer_leaves_the_cells_and_stays_on_record(scoring: Scoring) -> None:
    await scoring.take(answer(1, 2))
    await scoring.take(withdrawn(1, 2))
    assert await scoring.cells() == {}
    assert await scoring.rates() == {}
    assert await scoring.rows("select state, version, nps from answer_facts") == [("withdrawn", 2, 2)]


async def test_a_withdrawal_that_overtakes_the_answer_still_wins(scoring: Scoring) -> None:
    await scoring.take(withdrawn(1, 2))
    await scoring.take(answer(1, 2))
    assert await scoring.cells() == {}


@pytest.mark.requirement("R2", "R6")
async def test_families_and_scales_stay_apart(scoring: Scoring) -> None:
    await scoring.take(
        answer(1, 9),
        answer(2, 9, snapshot=snapshot("pulse", family=Family.RELATIONSHIP)),
        answer(3, 5, type_=QuestionType.NPS5),
    )
    totals = {key[:2]: sum(counts) for key, counts in (await scoring.cells()).items() if key[2] == "total"}
    assert totals == {("nps", "transactional"): 1, ("nps", "relationship"): 1, ("nps5", "transactional"): 1}


async def test_an_answer_off_its_scale_is_put_aside_and_the_others_count(scoring: Scoring) -> None:
    bad = answer(2, 9).model_copy(update={"scores": (Score(question="q", type=QuestionType.NPS, value=12),)})
    assert await scoring.take(answer(1, 9), bad, answer(3, 9)) == 1
    assert sum(total(await scoring.cells()) or ()) == 2
    (reason,) = await scoring.rows("select reason from dead_letters")
    assert "scores.q: 12 is not on the scale of nps" in reason[0]


@pytest.mark.requirement("R57", "R58")
async def test_who_was_asked_is_counted_once_whatever_comes_first(scoring: Scoring) -> None:
    await scoring.take(handed_over(1, AT + timedelta(days=1)))
    await scoring.take(requested(1), handed_over(1, AT + timedelta(days=5), step=1))
    await scoring.take(handed_over(1, AT + timedelta(days=1), channel=Channel.SMS))
    rates = await scoring.rates()
    assert rates["transactional", "owner", "anna@example.com", DAY] == (1, 0, 0, 0)
    assert rates["transactional", "owner", "anna@example.com", DAY + timedelta(days=1)] == (0, 1, 0, 0)
    assert sum(counts[1] for key, counts in rates.items() if key[1] == "total") == 1


async def test_an_answer_belongs_to_the_cohort_of_its_invitation(scoring: Scoring) -> None:
    asked = AT - timedelta(days=9)
    await scoring.take(requested(1, asked), handed_over(1, asked), answer(1, 9, asked_at=asked))
    assert (await scoring.rates())["transactional", "total", "", asked.date()] == (1, 1, 1, 0)


async def test_titles_of_programmes_follow_the_newest_revision(scoring: Scoring) -> None:
    def published(revision: int, title: str) -> ProgrammePublished:
        return ProgrammePublished(
            programme="renewal", version=f"v{revision}", revision=revision, state=ProgrammeState.ACTIVE,
            family=Family.TRANSACTIONAL, definition={"title": {"en": title}},
        )  # fmt: skip

    await scoring.take(published(2, "Renewal"), published(1, "Old"))
    await scoring.take(published(1, "Older"))
    assert await scoring.rows("select revision, title->>'en' from programmes") == [(2, "Renewal")]


@pytest.mark.parametrize("erased_first", [True, False])
async def test_an_erased_person_cannot_be_found_and_still_counts(
    scoring: Scoring, *, erased_first: bool
) -> None:
    gone = ContactErased(contact_id=str(derive("contact", 1)), version=9, erased_at=AT)
    for payload in (gone, answer(1, 9)) if erased_first else (answer(1, 9), gone):
        await scoring.take(payload)
    await scoring.take(answer(1, 4, version=2, kind=ResponseAmended))
    ((contact, account, kept),) = await scoring.rows(
        "select contact_id, account_id, snapshot from answer_facts"
    )
    assert (contact, account) == (None, derive("account", 1))
    assert not set(PERSONAL) & set(json.loads(kept))
    assert total(await scoring.cells()) == (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)


async def test_instances_that_write_the_same_responses_at_once_count_each_once(scoring: Scoring) -> None:
    """Eight zombies write eight versions of the same twenty answers, each in an order of its own."""

    async def write(version: int) -> None:
        batch = [answer(n, version, version=version, kind=ResponseAmended) for n in range(20)]
        await scoring.take(*batch[version:], *batch[:version])

    async with asyncio.TaskGroup() as tasks:
        for version in (3, 8, 1, 5, 2, 7, 4, 6):
            tasks.create_task(write(version))
    assert total(await scoring.cells()) == (0,) * 8 + (20, 0, 0)
    assert sum(counts[2] for key, counts in (await scoring.rates()).items() if key[1] == "total") == 20


def test_each_event_type_has_one_route() -> None:
    types = {name for route in SUBSCRIPTIONS[0].routes for name in route.types}
    assert len(types) == sum(len(route.types) for route in SUBSCRIPTIONS[0].routes)
