"""Answers that were given in a form tool of the company's own become answers to a survey of a programme.

What a tool knows an answer by (its token) is its identity: however often it is told of, and by whatever way,
it is one answer. Told otherwise with a later time, it was changed; told otherwise with the same time, it is a
conflict: the first stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from services.collector import metrics
from services.collector.domain.agents import Agent
from services.collector.domain.form_answers import Read, RefusedError, Told, Trouble, read_told
from services.collector.domain.form_surveys import KnownProgramme, loop_for, snapshot_for, unfit
from services.collector.domain.forms import Asked, FormRule, asked
from services.collector.domain.mood import primary_of
from services.collector.domain.verdict import Sent
from services.collector.handlers.answering import Answering, Outcome, Stored, Submission, Unknown
from services.collector.handlers.form_people import FormPeople
from services.collector.store import forms as store
from services.collector.store.forms import Finding, FormSurvey, Receipt
from services.collector.store.surveys import save_forms
from shared.contracts.envelope import Event
from shared.contracts.programmes import ProgrammePublished
from shared.db.database import Database, Tx
from shared.errors import Unavailable
from shared.runtime.ids import derive
from shared.security.sealing import Sealer


class Became(StrEnum):
    """What became of an answer that was told of. NOT_YET: its programme is not known here so far."""

    ACCEPTED = "accepted"
    AMENDED = "amended"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"
    NOT_YET = "not_yet"


TAKEN = frozenset({Became.ACCEPTED, Became.AMENDED})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one answer, and why it was refused."""

    became: Became
    trouble: Trouble | None = None


_CONFLICT = Trouble(
    "", "it was told of before with another content; the first stands", "Compare it in the tool."
)
_CLOSED = Trouble("time", "it was changed after the survey had closed; what was answered before stands")


def form_survey(key: str, token: str) -> UUID:
    """The survey that an answer of a form is one to; the same answer is the same survey."""
    return derive("form", key, token)


@dataclass(frozen=True, slots=True)
class _Ground:
    """On what answers fall: the form's rule and key, its programme, and what the tool asks of it."""

    key: str
    rule: FormRule
    programme: KnownProgramme
    asked: Asked
    digest: str


class FormIntake:
    """Takes answers of forms in."""

    def __init__(self, db: Database, sealer: Sealer, answering: Answering) -> None:
        self._db = db
        self._people = FormPeople(sealer)
        self._answering = answering

    async def take(self, key: str, rule: FormRule, told: Sequence[Told]) -> list[Result]:
        """Take answers in, all or none of them; what cannot be used is recorded with its reason.

        Raises:
            Unavailable: Postgres is away, or somebody else told of the same answer at this moment.
        """
        async with self._db.begin() as tx:
            results = await self._take(tx, key, rule, told)
        if any(one.became in TAKEN for one in results):
            self._db.bell.ring()
        for one in results:
            metrics.FORM_ANSWERS.labels(rule.tool.value, one.became.value).inc()
        return results

    async def refuse(self, key: str, token: str, trouble: Trouble) -> None:
        """Record something that is no answer that could be taken.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.begin() as tx:
            await store.note(tx.conn, key, [Finding(token, "refused", trouble)], tx.now)

    async def _take(self, tx: Tx, key: str, rule: FormRule, told: Sequence[Told]) -> list[Result]:
        programme = await store.load_programme(tx.conn, rule.programme)
        if programme is None:
            reason = f"no programme {rule.programme} is known here"
            trouble = Trouble(
                "programme", reason, "Name one that is published; a new one arrives in a moment."
            )
            return await self._refuse_all(tx, key, told, Result(Became.NOT_YET, trouble))
        if (defect := unfit(rule, programme)) is not None:
            return await self._refuse_all(tx, key, told, Result(Became.REFUSED, defect))
        what = asked(rule, programme.form)
        written = what.form.model_dump_json()
        digest = hashlib.sha256(written.encode()).hexdigest()
        await save_forms(tx.conn, {digest: written})
        ground = _Ground(key, rule, programme, what, digest)
        results: list[Result] = [Result(Became.REFUSED)] * len(told)
        reads: list[tuple[int, Read]] = []
        refused: list[Finding] = []
        for place, one in enumerate(told):
            try:
                reads.append((place, read_told(key, rule, what, one, tx.now)))
            except RefusedError as error:
                results[place] = Result(Became.REFUSED, error.trouble)
                refused.append(Finding(one.token, "refused", error.trouble))
        if refused:
            await store.note(tx.conn, key, refused, tx.now)
        while reads:
            # The same token twice: the second is told of after the first.
            round_ = {read.token: (place, read) for place, read in reversed(reads)}
            became = await self._take_each(tx, ground, [read for _, read in round_.values()])
            for token, (place, _) in round_.items():
                results[place] = became[token]
            gone = {place for place, _ in round_.values()}
            reads = [one for one in reads if one[0] not in gone]
        return results

    async def _refuse_all(self, tx: Tx, key: str, told: Sequence[Told], result: Result) -> list[Result]:
        assert result.trouble is not None  # noqa: S101 - a refusal has its reason
        found = [Finding(one.token, "refused", result.trouble) for one in told]
        await store.note(tx.conn, key, found, tx.now)
        return [result] * len(told)

    async def _take_each(self, tx: Tx, ground: _Ground, reads: Sequence[Read]) -> dict[str, Result]:
        """Take answers of different tokens."""
        named = [(read, form_survey(ground.key, read.token)) for read in reads]
        before = await store.claim(tx.conn, ground.key, named, tx.now)
        results = {read.token: _known(read, before.get(read.token)) for read in reads}
        wanted = [(read, survey) for read, survey in named if results[read.token].became in TAKEN]
        fresh = [(read, survey) for read, survey in wanted if results[read.token].became is Became.ACCEPTED]
        found = await self._open(tx, ground, fresh) if fresh else []
        outcomes = await self._answering.take(tx, [_submission(read, survey) for read, survey in wanted])
        for read, survey in wanted:
            results[read.token] = _taken(results[read.token], outcomes[survey])
        await self._note(tx, ground.key, reads, results, found)
        # Told again later, it still says so: what was said between is over.
        confirmed = [read for read in reads if _confirms(read, before.get(read.token))]
        if confirmed:
            await store.note_changed(tx.conn, ground.key, confirmed)
        return results

    async def _note(
        self, tx: Tx, key: str, reads: Sequence[Read], results: Mapping[str, Result], found: list[Finding]
    ) -> None:
        """Keep what was changed, what came into conflict, and what could not be used."""
        taken = [read for read in reads if results[read.token].became in TAKEN]
        amended = [read for read in taken if results[read.token].became is Became.AMENDED]
        conflicts = [read.token for read in reads if results[read.token].became is Became.CONFLICT]
        found = [*found, *(Finding(token, "conflict", _CONFLICT) for token in conflicts)]
        found += [Finding(read.token, "left_out", trouble) for read in taken for trouble in read.left_out]
        for token, result in results.items():
            if result.became is Became.REFUSED and result.trouble:
                found.append(Finding(token, "refused", result.trouble))
        await store.note_mended(tx.conn, key, [read.token for read in taken], tx.now)
        if amended:
            await store.note_changed(tx.conn, key, amended)
        if conflicts:
            await store.note_conflicts(tx.conn, key, conflicts)
        if found:
            await store.note(tx.conn, key, found, tx.now)

    async def _open(self, tx: Tx, ground: _Ground, fresh: Sequence[tuple[Read, UUID]]) -> list[Finding]:
        """Open the surveys of answers that nobody told of before; what could not be found of who answered."""
        whose, found = await self._people.of(tx, fresh)
        closes_at = tx.now + timedelta(days=ground.programme.open_for_days)
        surveys = [
            FormSurvey(
                survey_id=survey,
                contact_id=who.contact_id,
                questionnaire=ground.digest,
                snapshot=snapshot_for(ground.programme, ground.rule, read, who),
                person=who.person,
                loop=loop_for(ground.programme, ground.rule, read, who, tx.now),
                closes_at=closes_at,
                identified=who.identified,
            )
            for (read, survey), who in zip(fresh, whose, strict=True)
        ]
        await store.open_surveys(tx.conn, surveys, tx.now)
        return found


def _known(read: Read, before: Receipt | None) -> Result:
    """What an answer is by what was told of it before."""
    if before is None:
        return Result(Became.ACCEPTED)
    if before.digest in {"", read.digest}:
        return Result(Became.DUPLICATE)
    return Result(Became.AMENDED if read.at > before.answered_at else Became.CONFLICT)


def _confirms(read: Read, before: Receipt | None) -> bool:
    """Whether an answer is told again as it was, with a later time."""
    return before is not None and before.digest == read.digest and read.at > before.answered_at


def _submission(read: Read, survey: UUID) -> Submission:
    sent = Sent(read.at, "", None, Agent.NONE)
    return Submission(survey, read.given, sent, f"form/{read.digest[:32]}/{read.at.isoformat()}")


def _taken(wanted: Result, outcome: Outcome) -> Result:
    if isinstance(outcome, Stored):
        return wanted
    if isinstance(outcome, Unknown) or wanted.became is Became.ACCEPTED:
        # Its person was erased at this very moment: tried again, the answer is nobody's.
        raise Unavailable("the survey of an answer is gone")
    return Result(Became.REFUSED, _CLOSED)


async def on_programmes(events: Sequence[Event[ProgrammePublished]], tx: Tx) -> None:
    """Keep what a survey of each programme would say."""
    for event in _newest(events):
        told = event.data
        if told.form is None:
            continue
        try:
            primary_of(told.form)
        except ValueError as error:
            tx.reject(event, str(error))
            continue
        form = told.form.model_dump_json()
        digest = hashlib.sha256(form.encode()).hexdigest()
        await save_forms(tx.conn, {digest: form})
        await store.save_programme(tx.conn, told, digest)


def _newest(events: Sequence[Event[ProgrammePublished]]) -> Iterable[Event[ProgrammePublished]]:
    return {one.data.programme: one for one in sorted(events, key=lambda one: one.data.revision)}.values()
