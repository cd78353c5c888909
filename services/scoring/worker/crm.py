"""Scores written to CRMs: who is due is planned, looked at as things stand, and written where it changed.

No transaction is open while a CRM is asked. To write the same again changes nothing there, so whoever
vanished in the middle is simply followed by somebody else once the lease is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from services.scoring import metrics
from services.scoring.domain import crm as rules
from services.scoring.domain.crm import FIGURES, Crm, Figures, Found, Kind, Refused, Subject, Taken, Update
from services.scoring.domain.health import Part
from services.scoring.store import crm, crm_figures
from services.scoring.store.crm import Claimed, Standing
from shared.contracts.model import Person
from shared.db.database import Connection, Database
from shared.errors import SendError
from shared.runtime.ids import random_id
from shared.runtime.logging import get_logger
from shared.security.sealing import SealBrokenError, Sealer

HOLD = timedelta(minutes=5)
"""How long records stay with whoever took them; longer than all requests of a round may take."""
SECONDS = 240.0
A_PAGE = 500

log = get_logger("crm")


@dataclass(frozen=True, slots=True)
class Office:
    """What the rounds need: the database, keys to addresses, weights of health, how long changes gather."""

    db: Database
    sealer: Sealer
    weights: Mapping[Part, float]
    settle: timedelta


def planning(office: Office, crms: Sequence[Crm]) -> Callable[[], Awaitable[int]]:
    """One round of planning: those of whom something came in, and once a day everybody, page by page."""
    pairs = [(one.name, kind) for one in crms for kind in Kind if kind in one.kinds]

    async def plan() -> int:
        async with office.db.begin() as tx:
            due = office.db.machine.wall() + office.settle
            noted = await crm.plan(tx.conn, pairs, due, A_PAGE)
            return noted + await crm.sweep(tx.conn, pairs, tx.now.date(), due, A_PAGE)

    return plan


def writing(office: Office, target: Crm, kind: Kind) -> Callable[[], Awaitable[int]]:
    """One round of writing records of one kind to one partner; returns how many were looked at."""

    async def write() -> int:
        lease, wall = random_id(), office.db.machine.wall()
        async with office.db.begin() as tx:
            if await crm.held(tx.conn, target.name, kind, wall):
                return 0
            taken = await crm.claim(tx.conn, (target.name, kind), lease, wall, HOLD, target.at_once)
        if not taken:
            return 0
        try:
            async with asyncio.timeout(SECONDS):
                asked = await _Round(office, target, lease, kind).run(taken)
        except SendError as error:
            await _hold(office, target, kind, lease, error)
        except TimeoutError:
            silent = SendError("no answer in time", permanent=False, uncertain=True)
            await _hold(office, target, kind, lease, silent)
        else:
            if asked:
                async with office.db.begin() as tx:
                    await crm.well(tx.conn, target.name, kind)
        return len(taken)

    return write


async def _hold(office: Office, target: Crm, kind: Kind, lease: UUID, error: SendError) -> None:
    """The partner fails as a whole: everything stays due and waits, and people can read why.

    One that is busy or away is left alone altogether; one that refuses this kind may still take the other.
    """
    kinds = [kind] if error.permanent else sorted(target.kinds)
    async with office.db.begin() as tx:
        failed = await crm.failures(tx.conn, target.name, kind) + 1
        wait = rules.held_for(failed, permanent=error.permanent, wish=error.retry_after)
        until = office.db.machine.wall() + wait
        await crm.hold(tx.conn, target.name, kinds, failed, until, str(error))
        await crm.release(tx.conn, lease)
    metrics.CRM_RECORDS.labels(target.name, "failed").inc()
    log.warning("crm_waits", target=target.name, error=str(error), seconds=wait.total_seconds())


@dataclass(frozen=True, slots=True)
class _Seen:
    """Records with the figures they are to hold, and by what those without a record are to be found."""

    figures: Mapping[UUID, Figures]
    subjects: Mapping[UUID, Subject | Refused]


@dataclass
class _Round:
    """Records of one kind: looked at, found, written, and how each stands noted."""

    office: Office
    target: Crm
    lease: UUID
    kind: Kind
    stands: list[Standing] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)

    async def run(self, taken: Sequence[Claimed]) -> bool:
        """Do it; returns whether the partner was asked anything."""
        async with self.office.db.read() as conn:
            seen = await self._look(conn, [one.id for one in taken if not one.leaving])
        todo = [(one, figures) for one in taken if (figures := self._todo(one, seen))]
        try:
            found = await self._found([one for one, _ in todo if not one.record], seen)
            known = [(replace(one, record=one.record or found.get(one.id, "")), due) for one, due in todo]
            await self._write([(one, due) for one, due in known if one.record])
        finally:
            await self._note()
        return bool(todo)

    async def _look(self, conn: Connection, ids: Sequence[UUID]) -> _Seen:
        """Figures as they are to stand now."""
        if self.kind is Kind.ACCOUNT:
            now = self.office.db.clock.now()
            figures, subjects = await crm_figures.of_accounts(conn, ids, now, self.office.weights)
            return _Seen(figures, dict(subjects))
        known = await crm_figures.people(conn, ids)
        return _Seen(
            await crm_figures.of_contacts(conn, ids),
            {one: Subject(one, external) for one, (external, _) in known.items()},
        )

    def _todo(self, one: Claimed, seen: _Seen) -> Figures:
        """What is to be written to a record; nothing where that is noted at once."""
        if one.leaving and one.record:
            return dict.fromkeys(FIGURES[self.kind])
        if one.leaving:
            self.gone.append(one.id)
            return {}
        due = rules.changed(one.written, seen.figures.get(one.id, {}))
        if not due:
            self._stands(one, one.record, "written")
        return due

    async def _found(self, missing: Sequence[Claimed], seen: _Seen) -> dict[UUID, str]:
        """Records that were not known yet; kept before anything is written to them."""
        if not missing:
            return {}
        if self.kind is Kind.CONTACT:
            seen = await self._addressed(missing, seen)
        wanted = {one.id: seen.subjects.get(one.id, rules.NO_NAME) for one in missing}
        asked = [one for one in wanted.values() if isinstance(one, Subject)]
        answers = dict(await self.target.find(self.kind, asked)) if asked else {}
        found: dict[UUID, str] = {}
        for one in missing:
            subject = wanted[one.id]
            answer = subject if isinstance(subject, Refused) else answers.get(one.id, rules.UNKNOWN)
            if isinstance(answer, Found):
                found[one.id] = answer.record
            else:
                self._refused(one, answer)
        async with self.office.db.begin() as tx:
            await crm.keep(tx.conn, self.lease, found)
        return found

    async def _addressed(self, missing: Sequence[Claimed], seen: _Seen) -> _Seen:
        """Contacts with their addresses in clear, for this one look."""
        async with self.office.db.read() as conn:
            known = await crm_figures.people(conn, [one.id for one in missing])
            sealed = [(one, person) for one, (_, person) in known.items() if person]
            people = await _opened(self.office.sealer, conn, sealed)
        emails = {
            one: person.email.strip() for (one, _), person in zip(sealed, people, strict=True) if person
        }
        subjects: dict[UUID, Subject | Refused] = {}
        for one in missing:
            subject = Subject(one.id, known.get(one.id, ("", ""))[0], email=emails.get(one.id, ""))
            reachable = subject.email or subject.own_id(self.target.name)
            subjects[one.id] = subject if reachable else rules.NO_ADDRESS
        return replace(seen, subjects=subjects)

    async def _write(self, known: Sequence[tuple[Claimed, Figures]]) -> None:
        if not known:
            return
        updates = [Update(one.id, one.record, due) for one, due in known]
        answers = await self.target.write(self.kind, updates)
        for one, due in known:
            match answers.get(one.id, rules.UNKNOWN):
                case Taken() if one.leaving:
                    self.gone.append(one.id)
                case Taken(figures=taken):
                    written = {**one.written, **{name: due[name] for name in due if name in taken}}
                    self._stands(replace(one, written=written), one.record, "written", changed=bool(taken))
                case Refused(gone=True) if one.leaving:
                    self.gone.append(one.id)
                case Refused() as refused:
                    self._refused(one, refused)

    def _refused(self, one: Claimed, refused: Refused) -> None:
        """Noted with its reason, and tried again later; a record that is gone is looked for anew."""
        failed = one.attempts + 1
        wait = (
            rules.held_for(failed, permanent=False, wish=None) if refused.gone else rules.again_after(failed)
        )
        record, written = ("", {}) if refused.gone else (one.record, one.written)
        at = self.office.db.machine.wall() + wait
        self.stands.append(
            Standing(one.id, record, "refused", refused.reason, failed, written, False, at)  # noqa: FBT003 - a row
        )
        metrics.CRM_RECORDS.labels(self.target.name, "refused").inc()

    def _stands(self, one: Claimed, record: str, state: str, *, changed: bool = False) -> None:
        self.stands.append(Standing(one.id, record, state, "", 0, one.written, changed, None))
        metrics.CRM_RECORDS.labels(self.target.name, "written" if changed else "unchanged").inc()

    async def _note(self) -> None:
        db = self.office.db
        async with db.begin() as tx:
            wall = db.machine.wall()
            await crm.record(tx.conn, self.lease, (wall, tx.now), self.stands)
            await crm.drop(tx.conn, self.lease, wall, self.gone)


async def _opened(
    sealer: Sealer, conn: Connection, sealed: Sequence[tuple[UUID, str]]
) -> list[Person | None]:
    try:
        return await sealer.open(conn, sealed, Person)
    except SealBrokenError as error:
        if len(sealed) == 1:
            log.error("seal_broken", reason=str(error))  # noqa: TRY400 - a traceback says no more
            return [None]
    return [(await _opened(sealer, conn, [one]))[0] for one in sealed]


def counting(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of refreshing the gauge of records by state."""

    async def count() -> int:
        async with db.read() as conn:
            found = await crm.counted(conn)
        metrics.CRM_STANDING.clear()
        for row in found:
            metrics.CRM_STANDING.labels(row["target"], row["kind"], row["state"]).set(row["records"])
        return 0

    return count
