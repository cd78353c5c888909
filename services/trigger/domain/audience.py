"""Who of the people around an event belongs to a programme's audience.

And why the others do not (R59-R61).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from services.trigger.domain.model import Account, Contact, Scalar
from services.trigger.domain.programme import Audience, Programme
from services.trigger.domain.when import Bound
from shared.contracts.reasons import Reason
from shared.contracts.touchpoints import Touchpoint
from shared.values import Value

_DRAWS = 2**32
_NOBODY: Mapping[UUID, datetime] = {}
_NEVER = datetime.min.replace(tzinfo=UTC)


class Person(Value, frozen=True):
    """A contact and the role it plays in the event ("" = none given)."""

    contact: Contact
    role: str = ""


class No(Value, frozen=True):
    """Why somebody is left out, with the facts that say so."""

    reason: Reason
    inputs: Mapping[str, Scalar]


def event_fits(programme: Programme, touchpoint: Touchpoint, account: Account | None) -> No | None:
    """Whether an event meets the programme's `where`; None = it does."""
    if not programme.when.where:
        return None
    facts = facts_of(touchpoint, account)
    for field, wanted in programme.when.where.items():
        found = facts.get(field)
        if not meets(found, wanted):
            return No(Reason.FILTERED, {"field": field, "found": found, "wanted": written(wanted)})
    return None


def facts_of(touchpoint: Touchpoint, account: Account | None) -> dict[str, Scalar]:
    """What `where` can speak of: the event's context and what is known of its product and account."""
    known: dict[str, Scalar] = {"product": touchpoint.product, "service_type": touchpoint.service_type}
    if account:
        known |= {
            "tier": account.tier,
            "industry": account.industry,
            "size": account.size,
            "region": account.region,
            "phase": account.phase,
            "annual_value": account.annual_value,
        }
    return known | dict(touchpoint.context)


def meets(found: Scalar, wanted: object) -> bool:
    """Whether a value is the wanted one, one of a list, or within bounds; an unknown value never is."""
    if found is None or found == "":
        return False
    if isinstance(wanted, Bound):
        return isinstance(found, int | float) and not isinstance(found, bool) and _within(found, wanted)
    options = wanted if isinstance(wanted, list) else [wanted]
    return any(type(found) is type(one) and found == one for one in options) or str(found) in {
        one for one in options if isinstance(one, str)
    }


def person_fits(audience: Audience, person: Person, account: Account | None) -> No | None:
    """Whether somebody is in the audience; None = yes."""
    contact = person.contact
    if contact.erased_at:
        return No(Reason.ERASED, {})
    if audience.role and not (person.role and person.role in audience.role):
        return _outside("role", person.role, audience.role)
    if audience.persona and contact.persona not in audience.persona:
        return _outside("persona", contact.persona, audience.persona)
    if audience.job_function and not (contact.job_function and contact.job_function in audience.job_function):
        return _outside("job_function", contact.job_function, audience.job_function)
    if audience.tier and (account is None or account.tier not in audience.tier):
        return _outside("tier", account.tier if account else None, audience.tier)
    return None


def _outside(field: str, found: str | None, wanted: Sequence[str]) -> No:
    return No(Reason.NOT_IN_AUDIENCE, {"field": field, "found": found, "wanted": ", ".join(wanted)})


def sampled(audience: Audience, plan_id: UUID) -> bool:
    """Whether a person is in the sample.

    The plan's identity draws, so the same person is drawn the same again.
    """
    return audience.sample >= 1 or _draw(plan_id) < audience.sample


def limited(
    audience: Audience, people: Iterable[Person], asked: Mapping[UUID, datetime] = _NOBODY
) -> tuple[list[Person], list[Person]]:
    """Who is asked and who is one too many for `max_per_account`; they take turns."""
    chosen, _, surplus = choose(audience, list(people), asked)
    return chosen, surplus


def choose(
    audience: Audience, people: Sequence[Person], asked: Mapping[UUID, datetime]
) -> tuple[list[Person], frozenset[UUID], list[Person]]:
    """Who of one account's people is asked: they take turns, whoever was asked longest ago comes first.

    Args:
        audience: The programme's.
        people: Those who fit it.
        asked: When each was last asked about anything.

    Returns:
        Those chosen, the ids of those among them whom `coverage` wants, and those who are one too many.
    """
    most = audience.max_per_account
    if not audience.coverage and (most is None or len(people) <= most):
        return list(people), frozenset(), []
    ordered, covered = turns(audience, people, asked)
    room = len(ordered) if most is None else most
    return ordered[:room], covered, ordered[room:]


def turns(
    audience: Audience, people: Sequence[Person], asked: Mapping[UUID, datetime]
) -> tuple[list[Person], frozenset[UUID]]:
    """People of one account in the order of their turns, and the ids of those whom `coverage` wants.

    Those come first, then whoever was asked longest ago; among equals the order is stable and favours nobody.
    """
    waiting = sorted(people, key=lambda p: (asked.get(p.contact.id, _NEVER), _turn(p.contact.id)))
    wanted: list[Person] = []
    # The database keeps an edition's keys in an order of its own: decision makers come first in any.
    for persona, number in sorted(audience.coverage.items()):
        wanted += [person for person in waiting if person.contact.persona is persona][:number]
    covered = frozenset(person.contact.id for person in wanted)
    return [*wanted, *(person for person in waiting if person.contact.id not in covered)], covered


def uncovered(audience: Audience, people: Iterable[Person]) -> dict[str, int]:
    """How many people of each persona are missing for `coverage`."""
    known = [person.contact.persona for person in people]
    missing = {persona.value: number - known.count(persona) for persona, number in audience.coverage.items()}
    return {persona: number for persona, number in missing.items() if number > 0}


def _draw(one: UUID) -> float:
    return int.from_bytes(hashlib.sha256(str(one).encode()).digest()[:4]) / _DRAWS


_turn = lru_cache(maxsize=65536)(_draw)
"""Remembered for people, who are drawn whenever their company is."""


def _within(found: float, bound: Bound) -> bool:
    return (
        (bound.gte is None or found >= bound.gte)
        and (bound.lte is None or found <= bound.lte)
        and (bound.gt is None or found > bound.gt)
        and (bound.lt is None or found < bound.lt)
    )


def written(wanted: object) -> str:
    """A condition on a value, as one would say it."""
    if isinstance(wanted, Bound):
        return ", ".join(f"{name} {value:g}" for name, value in wanted.model_dump(exclude_none=True).items())
    return ", ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)
