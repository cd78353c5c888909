"""Take answers in: read them against their forms, seal the words, store them as one group."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from services.collector import metrics
from services.collector.domain.amend import Door, Same, content_of, door, next_version
from services.collector.domain.answers import Given, Problem, Reading, read
from services.collector.domain.settling import Due, Patience, Waiting, due
from services.collector.domain.verdict import Sent
from services.collector.handlers.group import GroupCommit
from services.collector.store import answers as store
from services.collector.store.answers import AnswerRow, Ground
from services.collector.store.surveys import load_forms
from shared.contracts.forms import Form
from shared.contracts.model import Snapshot
from shared.contracts.responses import Mood, ResponseStarted, Words
from shared.db.database import Database, Tx
from shared.db.errors import is_transient
from shared.errors import Unavailable
from shared.runtime.clock import Machine
from shared.runtime.ids import derive
from shared.security.sealing import Sealer

PATIENCE_SECONDS = 10.0
"""How long an answer waits for a database that is away, machine time."""

PAUSE_SECONDS = 0.2
FORMS_KEPT = 500


@dataclass(frozen=True, slots=True)
class Submission:
    """An answer as it came in; `key` is the sender's idempotency key, None for a page."""

    survey_id: UUID
    given: Given
    sent: Sent
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer is durable, as far as it could be read. `repeated`: it was there before."""

    version: int
    mood: Mood
    complete: bool
    repeated: bool
    problems: dict[str, Problem]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Not even the primary question could be read; nothing was stored."""

    problems: dict[str, Problem]


@dataclass(frozen=True, slots=True)
class Refused:
    """The survey is over or gone."""

    door: Door


@dataclass(frozen=True, slots=True)
class Unknown:
    """A good link whose survey has not arrived here yet."""


@dataclass(frozen=True, slots=True)
class _Again:
    """Lost a race, or came twice in one group: to be tried with what is there now."""


Outcome: TypeAlias = Stored | Unreadable | Refused | Unknown
_Raw: TypeAlias = Outcome | _Again


@dataclass(frozen=True, slots=True)
class _Draft:
    submission: Submission
    ground: Ground
    reading: Reading
    content: str
    version: int


def response_id(survey_id: UUID) -> UUID:
    """A survey has one response, however often it is amended."""
    return derive("response", survey_id)


class Forms:
    """Questionnaires by digest; a handful is in use at a time, so they are parsed once."""

    def __init__(self) -> None:
        self._known: dict[str, Form] = {}

    def missing(self, digests: set[str]) -> list[str]:
        """Those that must be loaded first."""
        return [digest for digest in digests if digest not in self._known]

    def add(self, loaded: dict[str, str]) -> None:
        """Parse and keep; the oldest make room."""
        for digest, form in loaded.items():
            self._known[digest] = Form.model_validate_json(form)
        while len(self._known) > FORMS_KEPT:
            del self._known[next(iter(self._known))]

    def __getitem__(self, digest: str) -> Form:
        return self._known[digest]


class Answering:
    """Stores answers durably, in groups."""

    def __init__(self, db: Database, sealer: Sealer, machine: Machine, patience: Patience) -> None:
        self._db = db
        self._sealer = sealer
        self._machine = machine
        self._patience = patience
        self._forms = Forms()
        self._group: GroupCommit[Submission, _Raw] = GroupCommit(self._flush)

    @property
    def depth(self) -> int:
        """Answers that wait for the flush under way."""
        return self._group.depth

    async def answer(self, submission: Submission) -> Outcome:
        """Store one answer; returns after the commit.

        Raises:
            Unavailable: Postgres was away for `PATIENCE_SECONDS`; nothing was acknowledged.
        """
        until = self._machine.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                async with asyncio.timeout(max(0.01, until - self._machine.monotonic())):
                    outcome = await self._group.write(submission)
            except Exception as error:
                if not is_transient(error):
                    raise
                if self._machine.monotonic() + PAUSE_SECONDS >= until:
                    raise Unavailable("the answer could not be stored in time") from error
                await self._machine.sleep(PAUSE_SECONDS)
                continue
            if not isinstance(outcome, _Again):
                _count(outcome)
                return outcome

    async def _flush(self, group: Sequence[Submission]) -> list[_Raw]:
        """One unit of work for a whole group."""
        metrics.GROUP_SIZE.observe(len(group))
        async with self._db.begin() as tx:
            grounds = await store.load_grounds(tx.conn, [one.survey_id for one in group])
            await self._learn(tx, {ground.questionnaire for ground in grounds.values()})
            outcomes: list[_Raw] = []
            drafts: list[_Draft] = []
            for submission in group:
                outcome = self._decide(submission, grounds.get(submission.survey_id), tx)
                taken = isinstance(outcome, _Draft) and any(
                    d.submission.survey_id == submission.survey_id for d in drafts
                )
                if isinstance(outcome, _Draft) and not taken:
                    drafts.append(outcome)
                outcomes.append(_Again() if isinstance(outcome, _Draft) else outcome)
            if drafts:
                stored = await self._store(tx, drafts)
                outcomes = _merge(group, outcomes, stored)
        return outcomes

    async def _learn(self, tx: Tx, digests: set[str]) -> None:
        if missing := self._forms.missing(digests):
            self._forms.add(await load_forms(tx.conn, missing))

    def _decide(self, submission: Submission, ground: Ground | None, tx: Tx) -> _Draft | Outcome:
        if ground is None:
            return Unknown()
        opened = door(ground.state, ground.closes_at, tx.now)
        if opened is not Door.OPEN:
            return Refused(opened)
        reading = read(self._forms[ground.questionnaire], submission.given)
        if reading.mood is None:
            return Unreadable(dict(reading.problems))
        content = content_of(reading)
        step = next_version(ground.latest, content)
        if isinstance(step, Same):
            return Stored(
                step.version, reading.mood, reading.complete, repeated=True, problems=dict(reading.problems)
            )
        return _Draft(submission, ground, reading, content, step.version)

    async def _store(self, tx: Tx, drafts: list[_Draft]) -> dict[UUID, _Raw]:
        """Write drafts, at most one per survey; what became of each."""
        wordy = [one for one in drafts if one.reading.texts]
        sealed = await self._sealer.seal(
            tx.conn, [(one.ground.contact_id, Words(texts=dict(one.reading.texts))) for one in wordy]
        )
        words = {one.submission.survey_id: text for one, text in zip(wordy, sealed, strict=True)}
        rows = [_row(one, words.get(one.submission.survey_id, ""), self._patience) for one in drafts]
        written = await store.write(tx.conn, rows)
        await _say_started(tx, [one for one in drafts if one.submission.survey_id in written])
        lost = [one for one in drafts if one.submission.survey_id not in written]
        outcomes: dict[UUID, _Raw] = {one.submission.survey_id: _stored(one) for one in drafts}
        return outcomes | await _of_lost(tx, lost)


def _row(draft: _Draft, words: str, patience: Patience) -> AnswerRow:
    reading, sent = draft.reading, draft.submission.sent
    assert reading.mood is not None  # noqa: S101 - drafts are made of readings with a mood
    waiting = Waiting(
        first_seen_at=draft.ground.first_seen_at or sent.at,
        received_at=sent.at,
        complete=reading.complete,
        mood=reading.mood,
        closes_at=draft.ground.closes_at,
    )
    leaves: Due = due(waiting, patience)
    return AnswerRow(
        survey_id=draft.submission.survey_id,
        version=draft.version,
        key=draft.submission.key,
        content=draft.content,
        complete=reading.complete,
        mood=reading.mood,
        scores=store.dump_scores(reading.scores),
        choices=store.dump_choices(reading.choices),
        words=words,
        sent=sent,
        due=leaves,
    )


def _stored(draft: _Draft) -> Stored:
    reading = draft.reading
    assert reading.mood is not None  # noqa: S101 - as in _row
    return Stored(
        draft.version, reading.mood, reading.complete, repeated=False, problems=dict(reading.problems)
    )


async def _of_lost(tx: Tx, lost: list[_Draft]) -> dict[UUID, _Raw]:
    """Versions that were not written: their key was used before (the first result stands), or a race lost."""
    keyed = [(one.submission.survey_id, one.submission.key) for one in lost if one.submission.key is not None]
    known = await store.load_by_key(tx.conn, keyed) if keyed else {}
    outcomes: dict[UUID, _Raw] = {}
    for one in lost:
        survey_id = one.submission.survey_id
        before = known.get((survey_id, one.submission.key or ""))
        outcomes[survey_id] = _Again() if before is None else Stored(*before, repeated=True, problems={})
    return outcomes


async def _say_started(tx: Tx, drafts: list[_Draft]) -> None:
    """Announce people who began and did not finish; once per survey (R49)."""
    begun = {one.submission.survey_id: one for one in drafts if not one.reading.complete and one.version == 1}
    if not begun:
        return
    fresh = await store.start(tx.conn, list(begun))
    for survey_id, snapshot in (await store.load_snapshots(tx.conn, list(fresh))).items():
        held = Snapshot.model_validate_json(snapshot)
        answer = response_id(survey_id)
        event = ResponseStarted(
            response_id=str(answer), survey_id=str(survey_id), version=1, snapshot=held, at=tx.now
        )
        tx.emit(event, identity=f"{answer}/1", key=held.key)


def _merge(group: Sequence[Submission], outcomes: list[_Raw], stored: dict[UUID, _Raw]) -> list[_Raw]:
    """Give each survey's first draft its result; a second one of the same group stays to be tried again."""
    left = dict(stored)
    return [
        left.pop(submission.survey_id, outcome) if isinstance(outcome, _Again) else outcome
        for submission, outcome in zip(group, outcomes, strict=True)
    ]


def _count(outcome: Outcome) -> None:
    match outcome:
        case Stored(repeated=True):
            metrics.SUBMISSIONS.labels("repeated").inc()
        case Stored(complete=True):
            metrics.SUBMISSIONS.labels("stored").inc()
        case Stored():
            metrics.SUBMISSIONS.labels("incomplete").inc()
        case Unreadable():
            metrics.SUBMISSIONS.labels("unreadable").inc()
        case Refused():
            metrics.SUBMISSIONS.labels("refused").inc()
        case Unknown():
            metrics.SUBMISSIONS.labels("unknown").inc()
