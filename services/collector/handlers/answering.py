"""Take answers in: read them against their forms, seal the words, store them as one group."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.collector import metrics
from services.collector.domain.amend import Door, Same, content_of, door, next_version
from services.collector.domain.answers import Given, Problem, Reading, read
from services.collector.domain.settling import Patience, Waiting, due
from services.collector.domain.verdict import Sent
from services.collector.handlers.group import GroupCommit
from services.collector.store import answers as store
from services.collector.store.answers import AnswerRow, Ground
from services.collector.store.surveys import load_forms
from shared.contracts.forms import Form
from shared.contracts.model import Snapshot
from shared.contracts.responses import Mood, ResponseStarted, Words
from shared.db.database import Connection, Database, Tx
from shared.db.errors import RAISED, is_transient
from shared.errors import Unavailable
from shared.runtime.clock import Machine
from shared.runtime.failpoints import failpoint
from shared.runtime.ids import derive
from shared.security.sealing import Sealer

PATIENCE_SECONDS = 10.0
"""How long an answer waits for a database that is away, machine time."""

PAUSE_SECONDS = 0.2
LANES = 2
FORMS_KEPT = 500


@dataclass(frozen=True, slots=True)
class Submission:
    """An answer as it came in; `key` is the sender's idempotency key, None for a page.

    `draft`: kept while the person is still at it, so that it can be gone on with on any device (R49).
    """

    survey_id: UUID
    given: Given
    sent: Sent
    key: str | None = None
    draft: bool = False


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

    @property
    def complete(self) -> bool:
        """Sent, with nothing missing."""
        return self.reading.complete and not self.submission.draft


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
        self._group: GroupCommit[Submission, _Raw] = GroupCommit(self._flush, lanes=LANES)

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
                outcome = await self._group.write(submission)
            except RAISED as error:
                if not is_transient(error):
                    raise
                if self._machine.monotonic() + PAUSE_SECONDS >= until:
                    raise Unavailable("the answer could not be stored in time") from error
                await self._machine.sleep(PAUSE_SECONDS)
                continue
            if not isinstance(outcome, _Again):
                _count(outcome)
                return outcome

    async def take_score(self, tx: Tx, survey_id: UUID, score: int, sent: Sent, key: str) -> Outcome:
        """Store an answer to the primary question alone, in a transaction of the caller's.

        Raises:
            Unavailable: somebody else answered at this very moment; the transaction is to be tried again.
        """
        ground = (await store.load_grounds(tx.conn, [survey_id])).get(survey_id)
        if ground is None:
            return Unknown()
        await self._learn(tx.conn, {ground.questionnaire})
        given = {self._forms[ground.questionnaire].primary: score}
        submission = Submission(survey_id, given, sent, key)
        return (await self._take(tx, [submission], {survey_id: ground}))[survey_id]

    async def take(self, tx: Tx, submissions: Sequence[Submission]) -> dict[UUID, Outcome]:
        """Store answers in a transaction of the caller's, one for each survey.

        Raises:
            Unavailable: somebody else answered at this very moment; the transaction is to be tried again.
        """
        grounds = await store.load_grounds(tx.conn, [one.survey_id for one in submissions])
        await self._learn(tx.conn, {ground.questionnaire for ground in grounds.values()})
        return await self._take(tx, submissions, grounds)

    async def _take(
        self, tx: Tx, submissions: Sequence[Submission], grounds: Mapping[UUID, Ground]
    ) -> dict[UUID, Outcome]:
        decided = {
            one.survey_id: self._decide(one, grounds.get(one.survey_id), tx.now) for one in submissions
        }
        drafts = {survey_id: one for survey_id, one in decided.items() if isinstance(one, _Draft)}
        outcomes = {survey_id: one for survey_id, one in decided.items() if not isinstance(one, _Draft)}
        if drafts:
            rows = await self._rows(tx.conn, list(drafts.values()))
            for survey_id, stored in (await self._store(tx.conn, drafts, rows)).items():
                if isinstance(stored, _Again):
                    raise Unavailable("another answer to the survey came at the same moment")
                outcomes[survey_id] = stored
        begun = [
            one
            for survey_id, one in drafts.items()
            if not one.reading.complete and one.version == 1 and _is_new(outcomes[survey_id])
        ]
        if begun:
            await _say_started(tx, begun)
        for outcome in outcomes.values():
            _count(outcome)
        return outcomes

    async def _flush(self, group: Sequence[Submission]) -> list[_Raw]:
        """Read, decide and write for a whole group: three round trips however many they are."""
        metrics.GROUP_SIZE.observe(len(group))
        # One time-out for the group: one per answer would cost more than its validation.
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._write(group)

    async def _write(self, group: Sequence[Submission]) -> list[_Raw]:
        async with self._db.read() as conn:
            grounds = await store.load_grounds(conn, [one.survey_id for one in group])
            await self._learn(conn, {ground.questionnaire for ground in grounds.values()})
            now = self._db.clock.now()
            decided = [self._decide(one, grounds.get(one.survey_id), now) for one in group]
            drafts: dict[UUID, _Draft] = {}
            for one in decided:
                if isinstance(one, _Draft):
                    drafts.setdefault(one.submission.survey_id, one)
            if not drafts:
                return [_Again() if isinstance(one, _Draft) else one for one in decided]
            rows = await self._rows(conn, list(drafts.values()))
            begun = [one for one in drafts.values() if not one.complete and one.version == 1]
            stored = {} if begun else await self._store(conn, drafts, rows)
        if begun:
            # What is announced must be committed with what it announces.
            async with self._db.begin() as tx:
                stored = await self._store(tx.conn, drafts, rows)
                await _say_started(tx, [one for one in begun if _is_new(stored[one.submission.survey_id])])
        if any(row.ready_at <= now for row in rows):
            self._db.bell.ring()
        return [_result(one, drafts, stored) for one in decided]

    async def _learn(self, conn: Connection, digests: set[str]) -> None:
        if missing := self._forms.missing(digests):
            self._forms.add(await load_forms(conn, missing))

    def _decide(self, submission: Submission, ground: Ground | None, now: datetime) -> _Draft | Outcome:
        if ground is None:
            return Unknown()
        opened = door(ground.state, ground.closes_at, now)
        if opened is not Door.OPEN:
            return Refused(opened)
        reading = read(self._forms[ground.questionnaire], submission.given)
        if reading.mood is None:
            return Unreadable(dict(reading.problems))
        draft = submission.draft
        content = content_of(reading, draft=draft)
        step = next_version(ground.latest, content, submission.sent.rendered_at, draft=draft)
        problems = dict(reading.problems)
        if isinstance(step, Same):
            complete = reading.complete and not draft
            return Stored(step.version, reading.mood, complete, repeated=True, problems=problems)
        return _Draft(submission, ground, reading, content, step.version)

    async def _rows(self, conn: Connection, drafts: list[_Draft]) -> list[AnswerRow]:
        """Drafts as rows, their words sealed."""
        wordy = [one for one in drafts if one.reading.texts]
        sealed = await self._sealer.seal(
            conn, [(one.ground.contact_id, Words(texts=dict(one.reading.texts))) for one in wordy]
        )
        words = {one.submission.survey_id: text for one, text in zip(wordy, sealed, strict=True)}
        return [_row(one, words.get(one.submission.survey_id, ""), self._patience) for one in drafts]

    async def _store(
        self, conn: Connection, drafts: dict[UUID, _Draft], rows: list[AnswerRow]
    ) -> dict[UUID, _Raw]:
        """Write rows, one per survey; what became of each."""
        failpoint("collector.before_answers_stored")
        written = await store.write(conn, rows)
        failpoint("collector.answers_stored_before_answer")
        outcomes: dict[UUID, _Raw] = {survey_id: _stored(drafts[survey_id]) for survey_id in written}
        if len(written) < len(drafts):
            lost = [one for survey_id, one in drafts.items() if survey_id not in written]
            outcomes |= await _of_lost(conn, lost)
        return outcomes


def _result(one: _Draft | Outcome, drafts: dict[UUID, _Draft], stored: dict[UUID, _Raw]) -> _Raw:
    """What to tell a submission; a second one to the same survey is tried again after the first."""
    if not isinstance(one, _Draft):
        return one
    survey_id = one.submission.survey_id
    return stored[survey_id] if drafts[survey_id] is one else _Again()


def _is_new(outcome: _Raw) -> bool:
    return isinstance(outcome, Stored) and not outcome.repeated


def _row(draft: _Draft, words: str, patience: Patience) -> AnswerRow:
    reading, sent = draft.reading, draft.submission.sent
    assert reading.mood is not None  # noqa: S101 - drafts are made of readings with a mood
    waiting = Waiting(
        first_seen_at=draft.ground.first_seen_at or sent.at,
        received_at=sent.at,
        complete=draft.complete,
        mood=reading.mood,
        closes_at=draft.ground.closes_at,
        draft=draft.submission.draft,
    )
    leaves = due(waiting, patience)
    return AnswerRow(
        survey_id=draft.submission.survey_id,
        version=draft.version,
        received_at=sent.at,
        idempotency_key=draft.submission.key,
        content=draft.content,
        complete=draft.complete,
        draft=draft.submission.draft,
        mood=reading.mood,
        scores=store.dump_scores(reading.scores),
        choices=store.dump_choices(reading.choices),
        words=words,
        address=sent.address,
        agent=sent.agent,
        rendered_at=sent.rendered_at,
        honeypot=sent.honeypot,
        wrote=sent.words,
        ready_at=leaves.ready_at,
        at_latest=leaves.at_latest,
    )


def _stored(draft: _Draft) -> Stored:
    reading = draft.reading
    assert reading.mood is not None  # noqa: S101 - as in _row
    return Stored(
        draft.version, reading.mood, draft.complete, repeated=False, problems=dict(reading.problems)
    )


async def _of_lost(conn: Connection, lost: list[_Draft]) -> dict[UUID, _Raw]:
    """Versions that were not written: their key was used before (the first result stands), or a race lost."""
    keyed = [(one.submission.survey_id, one.submission.key) for one in lost if one.submission.key is not None]
    known = await store.load_by_key(conn, keyed) if keyed else {}
    outcomes: dict[UUID, _Raw] = {}
    for one in lost:
        survey_id = one.submission.survey_id
        before = known.get((survey_id, one.submission.key or ""))
        outcomes[survey_id] = _Again() if before is None else Stored(*before, repeated=True, problems={})
    return outcomes


async def _say_started(tx: Tx, drafts: list[_Draft]) -> None:
    """Announce people who began and did not finish; once per survey (R49)."""
    fresh = await store.start(tx.conn, [one.submission.survey_id for one in drafts])
    for survey_id, snapshot in (await store.load_snapshots(tx.conn, list(fresh))).items():
        held = Snapshot.model_validate_json(snapshot)
        answer = response_id(survey_id)
        event = ResponseStarted(
            response_id=str(answer), survey_id=str(survey_id), version=1, snapshot=held, at=tx.now
        )
        tx.emit(event, identity=f"{answer}/1", key=held.key)


_RESULTS = {
    name: metrics.SUBMISSIONS.labels(name)
    for name in ("stored", "incomplete", "repeated", "unreadable", "refused", "unknown")
}


def _count(outcome: Outcome) -> None:
    _RESULTS[_name_of(outcome)].inc()


def _name_of(outcome: Outcome) -> str:
    match outcome:
        case Stored():
            return "repeated" if outcome.repeated else "stored" if outcome.complete else "incomplete"
        case Unreadable():
            return "unreadable"
        case Refused():
            return "refused"
        case Unknown():
            return "unknown"
