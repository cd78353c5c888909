"""Two entries of one person become one: what of each is kept, and what would otherwise be asked twice.

The entry that stays keeps its own facts and takes from the others what it lacks. Nothing undoes a merge: the
other ids lead to the one that stays from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.trigger.domain.consent import ALL, Said, Standing
from services.trigger.domain.decisions import of_plan
from services.trigger.domain.directory import merge_person
from services.trigger.domain.model import Contact, Decision, Plan, PlanState, Scalar
from shared.contracts.model import Person
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered

EVENT = "contact.merged"
"""The first of its people stays, the others are merged into them."""

Thing = tuple[str, str, int, bool]
"""Programme, subject, occurrence, and whether it is only planned in shadow."""

_ASKED = frozenset({PlanState.REQUESTED, PlanState.EXPANDED})

_FILLED = (
    "external_id",
    "account_id",
    "locale",
    "zone",
    "persona",
    "job_function",
)


@dataclass(frozen=True, slots=True)
class Settled:
    """Plans of several entries as those of one person.

    Attributes:
        moved: plans as the one who stays has them.
        doubled: those of `moved` that are called off, because the same is or was asked already.
    """

    moved: tuple[Plan, ...]
    doubled: tuple[Plan, ...]


def survivor_of(contacts: Sequence[Contact]) -> Contact:
    """Who stays of several: the first who is known and was not erased, else the first."""
    usable = [one for one in contacts if one.erased_at is None]
    return next((one for one in usable if one.version), (usable or contacts)[0])


def united(survivor: Contact, others: Iterable[Contact], stands: Standing) -> Contact:
    """The entry that stays, with what it lacked.

    Whoever was erased under one of their ids asked not to be asked: that holds for all of them.
    """
    found = survivor
    for other in others:
        filled = {name: getattr(other, name) for name in _FILLED if not getattr(found, name)}
        found = altered(found, **filled, known_at=latest(found.known_at, other.known_at))
    return altered(
        found,
        consent=stands.consent,
        opted_out_at=stands.opted_out_at,
        opted_out_of=stands.opted_out_of,
        renewed=stands.renewed,
    )


def united_person(survivor: Person, others: Iterable[Person]) -> Person:
    """Name and addresses of the one who stays; others fill what is empty."""
    found = survivor
    for other in others:
        found = merge_person(found, other, fresh=False)
    return found


def refusal_of(erased: Contact) -> Said:
    """Whoever was erased under one id is not asked under another."""
    assert erased.erased_at is not None  # noqa: S101 - asked of those alone
    return Said(ALL, given=False, at=erased.erased_at, source="erasure of a duplicate")


def departed(other: Contact, survivor: Contact) -> Contact:
    """An entry that leads to another from now on, and stands as that one does."""
    return altered(
        other,
        version=other.version + 1,
        merged_into=survivor.id,
        consent=survivor.consent,
        opted_out_at=survivor.opted_out_at,
        opted_out_of=survivor.opted_out_of,
        renewed=survivor.renewed,
    )


def settle(
    plans: Sequence[Plan], survivor: UUID, others: Collection[UUID], series: Collection[str]
) -> Settled:
    """The plans of several entries as those of one person, so that nothing is asked twice.

    Args:
        plans: All that were made for them.
        survivor: Who stays.
        others: Who leads to that one from now on.
        series: Keys of programmes that ask again and again, or by hand: one plan ahead at a time.
    """
    own = f"contact:{survivor}"
    names = {f"contact:{other}" for other in others}
    moved = [
        altered(plan, contact_id=survivor, subject=own if plan.subject in names else plan.subject)
        for plan in plans
    ]
    return without_doubles(moved, lambda plan: _thing(plan, own, series), series)


def without_doubles(
    moved: Sequence[Plan], thing_of: Callable[[Plan], Thing], series: Collection[str]
) -> Settled:
    """Plans of which none asks again what was asked, or what an earlier one waits to ask."""
    asked = {thing_of(plan) for plan in moved if plan.state in _ASKED}
    kept: set[Thing] = set()
    doubled: list[Plan] = []
    result: list[Plan] = []
    waiting = sorted(
        (plan for plan in moved if plan.state is PlanState.PENDING),
        key=lambda plan: (plan.first_due_at, str(plan.id)),
    )
    again = {plan.id for plan in waiting if _twice(thing_of(plan), asked, kept, series)}
    for plan in moved:
        if plan.id in again:
            doubled.append(altered(plan, state=PlanState.CANCELLED, reason=Reason.MERGED))
        result.append(doubled[-1] if plan.id in again else plan)
    return Settled(tuple(result), tuple(doubled))


def lines(
    survivor: UUID, others: Iterable[UUID], settled: Settled, by: str, *, known: bool = True
) -> list[Decision]:
    """What the ledger says: a line for each entry that is gone, and one for each plan called off.

    Where nobody is `known` by any of the ids, one line says that.

    `by` is an event's source, or kind and id of an operator: the ledger outlives accounts and erasures, so it
    holds nobody's name.
    """
    if not known:
        facts: dict[str, Scalar] = {"touchpoint": EVENT, "by_whom": by}
        return [
            Decision(
                outcome=Outcome.NOT_MATCHED,
                reason=Reason.UNKNOWN_CONTACT,
                contact_id=survivor,
                inputs=facts,
            )
        ]
    facts = {
        "stays": str(survivor),
        "plans": len(settled.moved),
        "called_off": len(settled.doubled),
        "by_whom": by,
    }
    told = [
        Decision(
            outcome=Outcome.NOT_MATCHED,
            reason=Reason.MERGED,
            contact_id=other,
            inputs={"touchpoint": EVENT, **facts},
        )
        for other in others
    ]
    return told + [
        of_plan(plan, Outcome.CANCELLED, Reason.MERGED, {"stays": str(survivor)}) for plan in settled.doubled
    ]


def _thing(plan: Plan, own: str, series: Collection[str]) -> Thing:
    """What a plan asks about; what is counted per person is one thing under whichever number."""
    counted = plan.subject == own or plan.programme in series
    return plan.programme, plan.subject, 0 if counted else plan.occurrence, plan.shadow


def _twice(
    thing: Thing,
    asked: Collection[Thing],
    kept: set[Thing],
    series: Collection[str],
) -> bool:
    """Whether a waiting plan asks again what was asked, or what an earlier one waits to ask."""
    if (thing in asked and thing[0] not in series) or thing in kept:
        return True
    kept.add(thing)
    return False


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times that are known."""
    return max((at for at in (one, other) if at), default=None)
