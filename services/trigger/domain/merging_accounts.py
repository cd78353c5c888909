"""Two accounts of one company become one, as entries of one person do.

The account that stays keeps its own facts and takes from the others what it lacks; a brake on any of them
holds. Nothing undoes a merge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from services.trigger.domain.decisions import of_plan
from services.trigger.domain.merging import Settled, Thing, latest, without_doubles
from services.trigger.domain.model import Account, Decision, Plan, Scalar
from services.trigger.domain.moments import account_subject, contract_subject
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered

EVENT = "account.merged"
"""The first of its companies stays, the others are merged into it."""

_FILLED = (
    "external_id",
    "name",
    "tier",
    "industry",
    "size",
    "owner",
    "region",
    "annual_value",
    "acquisition_cost",
    "phase",
    "started_on",
    "renewal_on",
)
_ONE_COMPANY = "two entries of the directory turned out to be one company"
_NOBODY_KNOWS = "the event merges companies of which nothing but ids was ever told"


def survivor_of(accounts: Sequence[Account]) -> Account:
    """Which stays of several: the first that is known and was not deleted, else the first."""
    usable = [one for one in accounts if one.deleted_at is None]
    return next((one for one in usable if one.version), (usable or accounts)[0])


def united(survivor: Account, others: Iterable[Account]) -> Account:
    """The account that stays, with what it lacked."""
    found = survivor
    for other in others:
        filled = {name: getattr(other, name) for name in _FILLED if getattr(found, name) in (None, "")}
        known_at = latest(found.known_at, other.known_at)
        found = altered(found, **filled, paused=found.paused or other.paused, known_at=known_at)
    return found


def departed(other: Account, survivor: Account) -> Account:
    """An account that leads to another from now on."""
    return altered(other, version=other.version + 1, merged_into=survivor.id, paused=survivor.paused)


def subjects_of(account_id: UUID) -> tuple[str, ...]:
    """All that plans and counts may be about, of an account."""
    return account_subject(account_id), contract_subject(account_id)


def settle(
    plans: Sequence[Plan], survivor: UUID, others: Collection[UUID], series: Collection[str]
) -> Settled:
    """The plans of several accounts as those of one, so that nothing is asked twice.

    Args:
        plans: What was ever planned about the accounts themselves, and what their people wait for.
        survivor: Which stays.
        others: Those that lead there from now on.
        series: Keys of programmes that ask again and again, or by hand: one plan ahead at a time.
    """
    own = subjects_of(survivor)
    led = {old: new for other in others for old, new in zip(subjects_of(other), own, strict=True)}
    moved = [
        altered(
            plan,
            account_id=survivor if plan.account_id in others else plan.account_id,
            subject=led.get(plan.subject, plan.subject),
        )
        for plan in plans
    ]

    def thing_of(plan: Plan) -> Thing:
        number = 0 if plan.subject in own else plan.occurrence
        return plan.programme, f"{plan.subject}/{plan.contact_id}", number, plan.shadow

    return without_doubles(moved, thing_of, series)


def lines(
    survivor: UUID, others: Iterable[UUID], settled: Settled, by: str, *, known: bool = True
) -> list[Decision]:
    """What the ledger says: a line for each account that is gone, and one for each plan called off.

    Where nothing is `known` of any of them, one line says that. `by` is an event's source, or kind and id of
    an operator.
    """
    facts: dict[str, Scalar] = {"touchpoint": EVENT, "by_whom": by}
    if not known:
        facts["why"] = _NOBODY_KNOWS
        return [
            Decision(outcome=Outcome.NOT_MATCHED, reason=Reason.MERGED, account_id=survivor, inputs=facts)
        ]
    facts |= {
        "stays": str(survivor),
        "plans": len(settled.moved),
        "called_off": len(settled.doubled),
        "why": _ONE_COMPANY,
    }
    told = [
        Decision(outcome=Outcome.NOT_MATCHED, reason=Reason.MERGED, account_id=other, inputs=facts)
        for other in others
    ]
    doubled: dict[str, Scalar] = {"stays": str(survivor), "why": _ONE_COMPANY}
    return told + [of_plan(plan, Outcome.CANCELLED, Reason.MERGED, doubled) for plan in settled.doubled]
