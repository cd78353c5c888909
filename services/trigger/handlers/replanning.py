"""Plans of old editions are made anew, page by page: in a dry run they are counted, else also written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.trigger.domain.model import Decision, Plan
from services.trigger.domain.moments import account_subject
from services.trigger.domain.programme import Edition
from services.trigger.domain.replanning import Waiting, outcome_of, replan
from services.trigger.handlers.freeing import give_places_back
from services.trigger.handlers.ledger import record
from services.trigger.store import audiences, directory, plans, programmes
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Reason
from shared.db.database import Connection, Tx

PAGE = 1000
_EVER = timedelta(days=3660)


class NothingToReplanError(ValueError):
    """A programme has no plans that could be made anew; says why."""


@dataclass(frozen=True, slots=True)
class Replanning:
    """What one page came to: counts by outcome, and where the next begins; None = this was the last."""

    counts: Counter[str] = field(default_factory=Counter)
    after: UUID | None = None


@dataclass(frozen=True, slots=True)
class WaitingEdition:
    """An edition of a programme, and how many plans wait that were made with it."""

    version: str
    revision: int
    published_at: datetime
    plans: int
    current: bool


async def editions_waiting(conn: Connection, programme: str) -> list[WaitingEdition]:
    """Editions of a programme, newest first: the one that counts now, and older ones with plans."""
    current = {one.key: one.version for one in await programmes.standings(conn)}.get(programme, "")
    waiting = await plans.waiting_editions(conn, programme)
    return [
        WaitingEdition(
            one.version,
            one.revision,
            one.published_at,
            waiting.get(one.version, 0),
            current=one.version == current,
        )
        for one in await programmes.editions_by(conn, programme)
        if one.version == current or one.version in waiting
    ]


async def replan_page(
    tx: Tx, programme: str, after: UUID | None, *, dry: bool, limit: int = PAGE
) -> Replanning:
    """Decide about a page of plans of old editions; a dry run writes nothing.

    Raises:
        NothingToReplanError: There is no such programme, or it is archived.
    """
    edition = await _edition(tx.conn, programme)
    found = await plans.outdated_plans(tx.conn, edition, after, limit, lock=False)
    if found and not dry:
        # People and companies before plans, as a round of the gate: whom it lets wait for these is woken.
        people = {plan.contact_id for plan in found if plan.contact_id}
        await directory.lock_people(tx.conn, people, {plan.account_id for plan in found if plan.account_id})
        found = await plans.outdated_plans(tx.conn, edition, after, limit, lock=True)
    organisation = await programmes.get_organisation(tx.conn)
    if not found or organisation is None:
        return Replanning()
    old = await programmes.editions_of(tx.conn, {(plan.programme, plan.version) for plan in found})
    waiting = await _with_people(tx, found, edition)
    done = [
        replan(one, old[one.plan.programme, one.plan.version], edition, organisation, tx.now)
        for one in waiting
    ]
    if not dry:
        await _write(tx, done)
    counts = Counter(outcome_of(decision) for _, decision in done)
    return Replanning(counts, found[-1].id if len(found) == limit else None)


async def _edition(conn: Connection, programme: str) -> Edition:
    known = {edition.key: edition for edition in await programmes.current_editions(conn)}
    edition = known.get(programme)
    if edition is None:
        raise NothingToReplanError(f"there is no programme {programme!r}")
    if edition.state is ProgrammeState.ARCHIVED:
        raise NothingToReplanError(f"{programme!r} is archived; its plans are called off already")
    return edition


async def _with_people(tx: Tx, found: list[Plan], edition: Edition) -> list[Waiting]:
    contacts = await directory.get_contacts(tx.conn, {plan.contact_id for plan in found if plan.contact_id})
    accounts = await directory.get_accounts(tx.conn, {plan.account_id for plan in found if plan.account_id})
    roles: dict[str, dict[UUID, str]] = {}
    if edition.programme.audience.role:
        subjects = {account_subject(key) for key in accounts}
        roles = await audiences.participants(tx.conn, subjects, tx.now - _EVER)
    return [
        Waiting(
            plan,
            contacts.get(plan.contact_id) if plan.contact_id else None,
            accounts.get(plan.account_id) if plan.account_id else None,
            _role(plan, roles),
        )
        for plan in found
    ]


def _role(plan: Plan, roles: dict[str, dict[UUID, str]]) -> str:
    if plan.contact_id is None or plan.account_id is None:
        return ""
    return roles.get(account_subject(plan.account_id), {}).get(plan.contact_id, "")


async def _write(tx: Tx, done: list[tuple[Plan, Decision]]) -> None:
    await plans.save_plans(tx.conn, [plan for plan, _ in done])
    await record(tx, [(plan.event_id, decision) for plan, decision in done])
    # Who waited behind a plan that moved or fell away may come first now.
    people = sorted({plan.contact_id for plan, _ in done if plan.contact_id and not plan.shadow})
    if people:
        await plans.wake_plans(tx.conn, tx.now, [Reason.OUTRANKED], contacts=people)
    await give_places_back(tx, [plan.account_id for plan, _ in done])
