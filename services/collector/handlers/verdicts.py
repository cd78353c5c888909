"""Say why each answer was judged so, and what today's rules would make of answers that were judged before.

Everything that decides is stored: observations, hand-overs, how each answer was sent. So a verdict can be
explained at any time, and made anew when the rules have changed. What that changes reaches scores and
tickets by the ordinary events: the surveys are queued, and the settling loop does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.collector.domain.evidence import MEANINGS, WEIGHTS, Evidence
from services.collector.domain.settling import Say, settle
from services.collector.domain.verdict import RULES, Judgement
from services.collector.handlers.answering import Forms
from services.collector.handlers.judging import JudgedCase, judged
from services.collector.store import settling as store
from services.collector.store.settling import Case, StoredAnswer
from services.collector.store.surveys import load_forms
from shared.contracts.responses import Verdict
from shared.db.database import Connection, Database
from shared.security.access_store import audit

PAGE = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """One version whose verdict would be another today."""

    version: int
    before: Verdict
    after: Verdict
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What today's rules change about one survey; `says` are the events that follow from it, in order."""

    survey_id: UUID
    turns: tuple[Turn, ...]
    says: tuple[Say, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """One page of judged surveys: how many there were, up to which id, and what would change."""

    surveys: int
    last: UUID | None
    changes: tuple[Change, ...]


class Verdicts:
    """Explains verdicts and makes them anew."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._forms = Forms()

    async def explain(self, survey_id: UUID) -> dict[str, Any] | None:
        """All that was seen of a survey, and why each version was judged so; None: nothing was answered."""
        async with self._db.read() as conn:
            cases = [case for case in await self._cases(conn, [survey_id]) if case.case.answers]
        return _explained(cases[0]) if cases else None

    async def look(self, after: UUID, only: UUID | None = None) -> Looked:
        """What today's rules would change of the next `PAGE` judged surveys; changes nothing."""
        async with self._db.read() as conn:
            return await self._look(conn, after, only)

    async def apply(self, after: UUID, actor: str, only: UUID | None = None) -> Looked:
        """Do it: queue what would change and leave a line in the audit log; once more changes nothing more.

        Args:
            after: Id of the last survey of the page before.
            actor: Who wants it, for the audit log.
            only: One survey alone.
        """
        async with self._db.begin() as tx:
            looked = await self._look(tx.conn, after, only)
            if looked.changes:
                ids = [change.survey_id for change in looked.changes]
                await store.judge_again(tx.conn, ids, tx.now)
                await audit(
                    tx.conn, tx.now, actor, "answers.rejudged", "collector",
                    rules=RULES, surveys=[str(survey_id) for survey_id in ids],
                )  # fmt: skip
            return looked

    async def _look(self, conn: Connection, after: UUID, only: UUID | None) -> Looked:
        ids = await store.judged_before(conn, after, only, PAGE)
        changes = [_change(case) for case in await self._cases(conn, ids)]
        return Looked(len(ids), ids[-1] if ids else None, tuple(one for one in changes if one.turns))

    async def _cases(self, conn: Connection, ids: Sequence[UUID]) -> list[JudgedCase]:
        cases = await store.load_cases(conn, ids)
        if missing := self._forms.missing({case.questionnaire for case in cases}):
            self._forms.add(await load_forms(conn, missing))
        return [judged(case, self._forms[case.questionnaire]) for case in cases]


def _change(one: JudgedCase) -> Change:
    turns = tuple(
        Turn(answer.version, answer.judged.verdict, now.judgement.verdict, now.judgement.evidence)
        for answer, now in zip(one.case.answers, one.judged, strict=True)
        if answer.judged is not None and answer.judged.verdict is not now.judgement.verdict
    )
    says, _ = settle(one.case.announced, one.judged, superseded=one.case.superseded)
    return Change(one.case.survey_id, turns, says)


def _explained(one: JudgedCase) -> dict[str, Any]:
    case = one.case
    visitors = _visitors(case)
    return {
        "survey_id": str(case.survey_id),
        "state": case.announced.state.value,
        "counts": case.announced.version or None,
        "rules": RULES,
        "handed_over": [at.isoformat() for at in case.handed_over],
        "observations": [
            {
                "at": seen.at.isoformat(), "kind": seen.kind.value, "agent": seen.agent.value,
                "score": seen.score, "visitor": visitors[seen.address],
            }
            for seen in case.observations
        ],
        "answers": [
            _answer(answer, now.judgement, visitors)
            for answer, now in zip(case.answers, one.judged, strict=True)
        ],
    }  # fmt: skip


def _visitors(case: Case) -> dict[str, int]:
    """Addresses by the order in which they came: a number says who is who, and nothing else."""
    moments = [(seen.at, seen.address) for seen in case.observations]
    moments += [(answer.sent.at, answer.sent.address) for answer in case.answers]
    return {address: number for number, address in enumerate(dict.fromkeys(a for _, a in sorted(moments)), 1)}


def _answer(answer: StoredAnswer, now: Judgement, visitors: dict[str, int]) -> dict[str, Any]:
    sent = answer.sent
    return {
        "version": answer.version,
        "received_at": sent.at.isoformat(),
        "page_opened_at": sent.rendered_at.isoformat() if sent.rendered_at else None,
        "visitor": visitors[sent.address],
        "agent": sent.agent.value,
        "mood": answer.mood.value,
        "complete": answer.complete,
        "released_by": answer.released_by or None,
        "taken_back": _taken_back(answer),
        "judged": _judged(answer.judged) | {"rules": answer.rules} if answer.judged else None,
        "today": _judged(now),
    }


def _taken_back(answer: StoredAnswer) -> dict[str, str] | None:
    if answer.taken_back is None:
        return None
    by, at, why = answer.taken_back
    return {"by": by, "at": at.isoformat(), "reason": why}


def _judged(judgement: Judgement) -> dict[str, Any]:
    return {
        "verdict": judgement.verdict.value,
        "points": sum(WEIGHTS[reason] for reason in judgement.evidence),
        "evidence": [
            {"name": reason.value, "points": WEIGHTS[reason], "meaning": MEANINGS[reason]}
            for reason in judgement.evidence
        ],
    }
