"""How much a sample tells: the database adds up by account as one does by hand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest

from services.scoring.domain.asking import Span
from services.scoring.domain.design import Sums, Voices, summed
from services.scoring.domain.histogram import Metric
from services.scoring.store.voices import sums
from shared.contracts.forms import QuestionType
from shared.contracts.responses import Answered
from shared.db.database import Database
from shared.runtime.ids import derive
from tests.support.scoring import Scoring, answer, snapshot

ACME, GLOBEX, NOBODY = str(derive("account", 1)), str(derive("account", 2)), None


async def _sums(db: Database, most: int = 1000) -> dict[tuple[Metric, str, str], Sums]:
    async with db.read() as conn:
        return await sums(conn, Span(date(2020, 1, 1), date(2030, 1, 1)), "", None, most)


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


async def test_only_the_newest_answers_are_learned_from(db: Database, scoring: Scoring) -> None:
    await scoring.take(*(_said(number, ACME, 10) for number in range(5)))
    assert (await _sums(db, most=3))[Metric.NPS, "transactional", "renewal"].n == 3
