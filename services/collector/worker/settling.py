"""The settling loop: judges answers whose time has come and announces what they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector import metrics
from services.collector.domain.incentives import Standing
from services.collector.domain.permissions import allowed, allowed_since
from services.collector.domain.settling import Due, Judged, Patience, Say, State, current, settle
from services.collector.domain.verdict import RULES
from services.collector.domain.webhooks import Topic
from services.collector.handlers.answering import Forms, response_id
from services.collector.handlers.judging import JudgedCase, judged, leaves, moment
from services.collector.store import incentives, webhooks
from services.collector.store import settling as store
from services.collector.store.settling import Case, Settled
from services.collector.store.surveys import load_forms
from services.collector.store.webhooks import Told
from shared.contracts.model import Snapshot
from shared.contracts.responses import (
    Answered,
    Response,
    ResponseAmended,
    ResponseHeld,
    ResponseReleased,
    ResponseSubmitted,
    ResponseWithdrawn,
)
from shared.contracts.surveys import CloseTheLoop
from shared.db.database import Database, Tx
from shared.runtime.failpoints import failpoint

BATCH = 200

_ANSWERED: dict[Say, type[Answered]] = {
    Say.SUBMITTED: ResponseSubmitted,
    Say.AMENDED: ResponseAmended,
    Say.HELD: ResponseHeld,
    Say.RELEASED: ResponseReleased,
}


class Settling:
    """Claims due answers, judges, announces; safe to run in several processes."""

    def __init__(self, db: Database, patience: Patience) -> None:
        self._db = db
        self._patience = patience
        self._forms = Forms()

    async def run(self) -> int:
        """Settle one batch; how many surveys were looked at."""
        async with self._db.begin() as tx:
            claimed = await store.claim(tx.conn, tx.now, BATCH)
            if not claimed:
                return 0
            failpoint("collector.after_settling_claim")
            cases = await store.load_cases(tx.conn, claimed)
            await self._learn(tx, cases)
            waiting, ready = self._sort(cases, tx.now)
            if waiting:
                await store.postpone(tx.conn, waiting)
            await store.leave(
                tx.conn, [one for one in claimed if one not in {survey for survey, _ in waiting}]
            )
            await self._announce(tx, ready)
        return len(claimed)

    async def gauge(self) -> int:
        """Refresh the gauges."""
        async with self._db.read() as conn:
            waiting, held = await store.depths(conn)
            metrics.WEBHOOKS_WAITING.set(await webhooks.waiting(conn))
        metrics.SETTLING.set(waiting)
        metrics.HELD.set(held)
        return 0

    async def _learn(self, tx: Tx, cases: Sequence[Case]) -> None:
        if missing := self._forms.missing({case.questionnaire for case in cases}):
            self._forms.add(await load_forms(tx.conn, missing))

    def _sort(self, cases: Sequence[Case], now: datetime) -> tuple[list[tuple[UUID, Due]], list[JudgedCase]]:
        """Those whose time has not come after all (the survey was extended), and those to be judged."""
        waiting: list[tuple[UUID, Due]] = []
        ready: list[JudgedCase] = []
        for case in cases:
            if not case.answers:
                continue
            at = leaves(case, self._patience)
            if case.announced.state is State.PENDING and now < moment(at, case):
                waiting.append((case.survey_id, at))
            else:
                ready.append(judged(case, self._forms[case.questionnaire]))
        return waiting, ready

    async def _announce(self, tx: Tx, verdicts: Sequence[JudgedCase]) -> None:
        settled: list[Settled] = []
        told: list[Told] = []
        for one in verdicts:
            says, then = settle(one.case.announced, one.judged, superseded=one.case.superseded)
            for number, say in enumerate(says, start=one.case.events + 1):
                event = _event(say, number, one, tx.now)
                tx.emit(event, identity=f"{event.response_id}/{number}", key=event.snapshot.key)
                metrics.ANNOUNCED.labels(say.value).inc()
                topic = Topic(f"response.{say.value}")
                told.append(Told(one.case.survey_id, topic, number, then.version))
            settled.append(Settled(one.case.survey_id, one.case.events + len(says), then))
        judgements = [(one.case.survey_id, j.version, j.judgement) for one in verdicts for j in one.judged]
        for _, _, judgement in judgements:
            metrics.ANSWERS.labels(judgement.verdict.value).inc()
            for reason in judgement.evidence:
                metrics.EVIDENCE.labels(reason.value).inc()
        await store.save_judgements(tx.conn, judgements, RULES)
        await store.save_settled(tx.conn, settled, tx.now)
        await self._earn(tx, {one.case.survey_id for one in verdicts if one.case.promised}, settled)
        if shared := [one.case.survey_id for one in verdicts if one.case.shared]:
            changed = {one.survey_id for one in told}
            if again := [survey_id for survey_id in shared if survey_id in changed]:
                await store.judge_siblings(tx.conn, again, tx.now)
        if told:
            await webhooks.enqueue(tx.conn, told, tx.now)

    async def _earn(self, tx: Tx, promised: set[UUID], settled: Sequence[Settled]) -> None:
        """Keep who has earned what was promised to whoever answers."""
        if promised:
            found = {
                one.survey_id: _standing(one.announced.state) for one in settled if one.survey_id in promised
            }
            await incentives.stand(tx.conn, found, tx.now)


def _standing(state: State) -> Standing:
    """How an answer stands for what was promised for it."""
    match state:
        case State.COUNTED:
            return Standing.EARNED
        case State.HELD:
            return Standing.HELD
        case State.PENDING | State.WITHDRAWN:
            return Standing.PROMISED


def _event(say: Say, number: int, one: JudgedCase, now: datetime) -> Response:
    case = one.case
    head: dict[str, Any] = {
        "response_id": str(response_id(case.survey_id)),
        "survey_id": str(case.survey_id),
        "version": number,
        "snapshot": Snapshot.model_validate_json(case.snapshot),
        "at": now,
    }
    standing = current(one.judged)
    if say is Say.WITHDRAWN:
        reason = "answered_again" if case.superseded else ",".join(standing.judgement.evidence)
        return ResponseWithdrawn(**head, reason=reason)
    answer = next(stored for stored in case.answers if stored.version == standing.version)
    return _ANSWERED[say](
        **head,
        received_at=answer.sent.at,
        first_at=case.answers[0].sent.at,
        asked_at=min(case.handed_over, default=None),
        primary=one.form.primary,
        mood=answer.mood,
        low=one.form.low,
        scores=answer.scores,
        choices=answer.choices,
        permissions=allowed(one.form, answer.choices),
        permitted_at=allowed_since(one.form, _given(one, standing)),
        words=answer.words,
        person=case.person,
        verdict=standing.judgement.verdict,
        evidence=tuple(standing.judgement.evidence),
        close_the_loop=CloseTheLoop.model_validate_json(case.close_the_loop),
        incentive=case.promised,
    )


def _given(one: JudgedCase, standing: Judged) -> list[tuple[datetime, dict[str, tuple[str, ...]]]]:
    """When a person sent each version up to the one that stands, and what they chose; drafts are none."""
    human = {each.version for each in one.judged if each.human}
    return [
        (answer.sent.at, answer.choices)
        for answer in one.case.answers
        if answer.version == standing.version
        or (answer.version < standing.version and answer.version in human and not answer.draft)
    ]
