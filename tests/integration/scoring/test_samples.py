"""How much a sample tells: the database adds up by account as one does by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pytest

from services.scoring.domain.asking import Span
from services.scoring.domain.design import Sums, Voices, summed
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group, group
from services.scoring.domain.parts import Pairs
from services.scoring.store.bindings import measured
from services.scoring.store.voices import readings, sums, sums_together
from shared.contracts.forms import QuestionType
from shared.contracts.model import Family, Persona
from shared.contracts.responses import Answered
from shared.db.database import Connection, Database
from shared.runtime.ids import derive
from tests.support.customers import account
from tests.support.readings import Voice, told_by
from tests.support.scoring import Scoring, answer, snapshot

EVERY = tuple(Metric)
ACME, GLOBEX, NOBODY = str(derive("account", 1)), str(derive("account", 2)), None


async def _sums(db: Database, most: int = 1000) -> dict[tuple[Metric, str, str], Sums]:
    async with db.read() as conn:
        return await sums(conn, Span(date(2020, 1, 1), date(2030, 1, 1)), (), None, most)


def _said(number: int, account: str | None, value: int, kind: QuestionType = QuestionType.NPS) -> Answered:
    return answer(number, value, type_=kind, snapshot=snapshot(account_id=account))


@pytest.mark.requirement("R62", "R63")
async def test_colleagues_are_added_up_and_people_of_no_account_stand_alone(
    db: Database, scoring: Scoring
) -> None:
    said = [
        (ACME, 10),
        (ACME, 9),
        (ACME, 3),
        (GLOBEX, 0),
        (GLOBEX, 8),
        (NOBODY, 10),
        (NOBODY, 2),
        (NOBODY, 7),
    ]
    await scoring.take(*(_said(number, *one) for number, one in enumerate(said)))
    alone = [Voices(1, 1, 0), Voices(1, 0, 1), Voices(1, 0, 0)]
    accounts = [Voices(3, 2, 1), Voices(2, 0, 1), *alone]
    (found,) = (await _sums(db)).values()
    assert asdict(found) == pytest.approx(asdict(summed(accounts, difference=True)))


@pytest.mark.requirement("R63")
async def test_a_share_counts_its_high_answers_alone(db: Database, scoring: Scoring) -> None:
    said = [(ACME, 5), (ACME, 1), (GLOBEX, 4), (GLOBEX, 4)]
    await scoring.take(*(_said(number, *one, QuestionType.CSAT) for number, one in enumerate(said)))
    expected = summed([Voices(2, 1, 1), Voices(2, 2, 0)], difference=False)
    assert await _sums(db) == {(Metric.CSAT, "transactional", "renewal"): expected}


@pytest.mark.requirement("R63")
async def test_programmes_of_a_family_are_added_up_together_and_no_other_family(
    db: Database, scoring: Scoring
) -> None:
    told = [
        answer(1, 10, snapshot=snapshot("renewal", account_id=ACME)),
        answer(2, 9, snapshot=snapshot("delivery", account_id=ACME)),
        answer(3, 2, snapshot=snapshot("delivery", account_id=GLOBEX)),
        answer(4, 2, snapshot=snapshot("pulse", account_id=GLOBEX, family=Family.RELATIONSHIP)),
    ]
    await scoring.take(*told)
    async with db.read() as conn:
        found = await sums_together(conn, "transactional", 1000)
        assert found == {
            (Metric.NPS, "transactional", ""): summed([Voices(2, 2, 0), Voices(1, 0, 1)], difference=True)
        }
        assert await sums_together(conn, "progress", 1000) == {}
        (newest,) = (await sums_together(conn, "transactional", 2)).values()
        assert newest.n == 2


@pytest.mark.requirement("R63")
async def test_pairs_of_colleagues_in_one_part_are_counted_as_one_does_by_hand(
    db: Database, scoring: Scoring
) -> None:
    said = [(ACME, "A"), (ACME, "A"), (ACME, "B"), (GLOBEX, "B"), (GLOBEX, "B"), (NOBODY, "A"), (ACME, "")]
    await scoring.take(
        *(
            answer(number, 9, snapshot=snapshot(account_id=account, product=product))
            for number, (account, product) in enumerate(said)
        )
    )
    async with db.read() as conn:
        # Ordered pairs: 6 + 2 of colleagues, 2 + 2 of them alike; of all 20, 2 of A and 6 of B.
        assert await measured(conn, "transactional", ("product",)) == Pairs(8, 4, 12, 4)
        # Of all seven but one an account is known: four of ACME, two of GLOBEX, all of one tier.
        assert await measured(conn, "transactional", ("tier",)) == Pairs(14, 14, 16, 16)
        assert await measured(conn, "transactional", ("tier", "product")) == Pairs(8, 4, 12, 4)
        assert await measured(conn, "relationship", ("product",)) == Pairs()


class Planner:
    """In place of a connection: says how PostgreSQL would find what is asked for, were the table large."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.plans: list[str] = []

    async def fetch(self, statement: str, *given: object) -> list[Any]:
        """Explain, and find nothing."""
        for way in ("seqscan", "bitmapscan", "sort"):
            await self._conn.execute(f"set local enable_{way} = off")
        rows = await self._conn.fetch(f"explain (costs off) {statement}", *given)
        self.plans += ["\n".join(row[0].strip() for row in rows)]
        return []

    async def fetchrow(self, statement: str, *given: object) -> None:
        """Explain, and find nothing."""
        await self.fetch(statement, *given)


async def test_answers_of_a_rare_family_are_looked_up_and_not_searched_for(db: Database) -> None:
    """Else the page of a programme that is seldom answered reads all answers to all others."""
    async with db.begin() as tx:
        planner = Planner(tx.conn)
        asked: Any = planner
        await sums_together(asked, "progress", 1000)
        await measured(asked, "progress", ("persona",))
    assert len(planner.plans) == 2
    for plan in planner.plans:
        _, _, of_facts = plan.partition("on answer_facts")
        assert "programme = ANY" in of_facts.splitlines()[1], plan


async def test_only_the_newest_answers_are_learned_from(db: Database, scoring: Scoring) -> None:
    await scoring.take(*(_said(number, ACME, 10) for number in range(5)))
    assert (await _sums(db, most=3))[Metric.NPS, "transactional", "renewal"].n == 3


def _flat(told: object) -> Mapping[str, Any]:
    """Every number in it, under a name of its own."""
    found: dict[str, Any] = {}
    for name, value in told.items() if isinstance(told, Mapping) else ():
        within = {f"{name}.{key}": one for key, one in _flat(value).items()}
        found |= within or {name: value}
    return found


@pytest.mark.requirement("R59", "R62")
@pytest.mark.parametrize("metric", [Metric.NPS, Metric.CSAT])
async def test_what_four_readings_are_made_of_is_what_one_adds_up_by_hand(
    db: Database, scoring: Scoring, metric: Metric
) -> None:
    """Accounts with and without value, merged ones, people of none, all personas; by chance, seed fixed."""
    draw = np.random.default_rng(62)
    await scoring.take(*(account(number, annual_value=100.0 * (number % 4)) for number in range(1, 9)))
    gone = account(8).model_copy(update={"version": 9, "merged_into": str(derive("account", 3))})
    await scoring.take(gone)
    counted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    said = []
    for number in range(120):
        of, place = int(draw.integers(9)), int(draw.integers(3))
        persona = [None, *Persona][place]
        value = int(draw.integers(metric.lowest, metric.highest + 1))
        snap = snapshot(account_id=str(derive("account", of)) if of else None, persona=persona)
        said.append(answer(number, value, type_=QuestionType(metric.value), snapshot=snap))
        counts = counted[str(3 if of == 8 else of or ""), persona.value if persona else ""]
        told = group(metric, value)
        for column, hit in enumerate((True, told is Group.HIGH, told is Group.LOW)):
            counts[column] += hit
    await scoring.take(*said)
    voices = [Voice(*key, Voices(*counts)) for key, counts in sorted(counted.items())]
    values = {str(number): 100.0 * (number % 4) for number in range(1, 8)}
    async with db.read() as conn:
        found, complete = await readings(conn, Span(date(2020, 1, 1), date(2030, 1, 1)), "renewal", EVERY)
        alone, _ = await readings(conn, Span(), "renewal", (metric,))
        nothing = await readings(conn, Span(), "renewal", ())
        _, newest = await readings(conn, Span(date(2020, 1, 1), date(2030, 1, 1)), "renewal", EVERY, most=100)
    assert (complete, newest) == (True, False)
    (one,) = found.values()
    assert _flat(asdict(alone[metric, "transactional"])) == pytest.approx(_flat(asdict(one)))
    assert nothing == ({}, True)
    by_hand = asdict(told_by(metric, voices, values))
    assert _flat(asdict(one)) == pytest.approx(_flat(by_hand))


async def test_an_answer_to_two_questions_is_read_once(db: Database, scoring: Scoring) -> None:
    both = ({"question": "q", "type": "nps", "value": 9}, {"question": "r", "type": "csat", "value": 4})
    await scoring.take(*(answer(number, 9, scores=both) for number in range(3)))
    async with db.read() as conn:
        found, complete = await readings(conn, Span(), "renewal", EVERY, most=4)
    assert {metric for metric, _ in found} == {Metric.NPS, Metric.CSAT}
    assert complete
