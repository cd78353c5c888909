"""Places of an account's budget that are kept for a persona whom `coverage` still wants (R59, R62).

Where a programme wants decision makers and users of an account, whoever comes due first may not use the
budget up: as long as somebody of the missing persona is awaited, the last places are theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.trigger.domain.audience import person_fits
from services.trigger.domain.expanding import Crowd, account_of, child_of
from services.trigger.domain.model import Contact, Organisation, Plan
from services.trigger.domain.programme import Edition
from shared.contracts.model import Persona
from shared.values import Value

LOOK_AGAIN = timedelta(minutes=1)
"""When to look again where the awaited one is due now and will be decided about at any moment."""

Crew = dict[UUID, Plan]
"""Plans of one programme at one account that are still ahead, by id."""


class Awaited(Value, frozen=True):
    """Somebody who will be asked, unless something comes between: of which persona, and when."""

    due_at: datetime
    contact_id: UUID
    persona: Persona


def lacking(coverage: Mapping[Persona, int], asked: Iterable[Contact]) -> dict[Persona, int]:
    """How many people of each persona `coverage` still wants, when these were asked."""
    heard = Counter(contact.persona for contact in asked)
    wanted = {persona: number - heard[persona] for persona, number in coverage.items()}
    return {persona: number for persona, number in wanted.items() if number > 0}


def keeps(
    lacks: Mapping[Persona, int], awaited: Iterable[Awaited], taken: Sequence[datetime], most: int
) -> Awaited | None:
    """For whom a place has to be kept.

    Args:
        lacks: How many people of each persona are still wanted.
        awaited: Who will be asked.
        taken: Until when each place is taken, once the one who is looked at had one, whose own is the last.
        most: How many places there are.

    Returns:
        The first who would find no place, None when all find one.
    """
    still = dict(lacks)
    known: set[UUID] = set()
    for one in sorted(awaited, key=lambda a: (a.due_at, a.contact_id)):
        if one.contact_id in known or not still.get(one.persona) or one.due_at >= taken[-1]:
            continue
        if sum(end > one.due_at for end in taken) + len(known) >= most:
            return one
        known.add(one.contact_id)
        still[one.persona] -= 1
    return None


def foreseen(parent: Plan, edition: Edition, crowd: Crowd, organisation: Organisation) -> Iterator[Plan]:
    """The plans that an audience will become for those whom `coverage` wants, as the directory stands.

    Everybody who fits: whose turn it will be, and whom a sample draws, is decided when it comes due.
    """
    audience = edition.programme.audience
    for person in crowd.people:
        account = account_of(parent, person, crowd)
        if person.contact.persona in audience.coverage and person_fits(audience, person, account) is None:
            yield child_of(parent, edition, person, account, organisation)


def may_fall_out(before: Contact, after: Contact) -> bool:
    """Whether a change of somebody's entry may end that a place is kept for them."""
    if before is after or before.persona is None:
        return False
    return any(getattr(before, name) != getattr(after, name) for name in _STANDING)


_STANDING = (
    *("persona", "job_function", "account_id", "consent", "opted_out_at", "opted_out_of"),
    *("reach", "bounced_at", "domains"),
)
