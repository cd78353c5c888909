"""Who takes part in what, and what makes whole accounts wait, in a backtest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.trigger.domain.audience import Person
from services.trigger.domain.backtest.people import Folk, People
from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.merging_accounts import subjects_of
from services.trigger.domain.model import Account, Hold, Plan
from services.trigger.domain.news import holds_of
from services.trigger.domain.parties import (
    NAMED_IN,
    TAKES_PART,
    USES,
    Seen,
    needs_roles,
    of_account,
    open_to,
    seen_in,
    taken_part_in,
)
from services.trigger.domain.programme import Edition, Who
from shared.contracts.touchpoints import Touchpoint

_ONE_DAY = timedelta(days=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Parties:
    """What the gate and audiences know besides the directory; kept as far as some programme asks for it."""

    def __init__(self, editions: Sequence[Edition]) -> None:
        asked = frozenset(_asked_of(e) for e in editions if needs_roles(e) and not _of_event(e))
        self._asked = asked | NAMED_IN if asked else asked
        self._seen: dict[str, dict[UUID, tuple[str, datetime]]] = {}
        self._subjects: dict[UUID, dict[str, None]] = {}
        self._holds: dict[UUID, dict[tuple[str, str], tuple[int, bool]]] = {}
        self._active: dict[UUID, tuple[Hold, ...]] = {}

    def see(self, told: Touchpoint, account: Account | None, folk: Folk) -> None:
        """Remember who takes part in what, as far as an event tells."""
        if self._asked:
            named = [(person.contact.id, person.role) for person in folk]
            for seen in seen_in(told, account, named, self._asked):
                self._take(seen)

    def _take(self, seen: Seen) -> None:
        """As it is stored live: somebody seen every minute is written once a day; no role replaces one."""
        known = self._seen.setdefault(seen.subject, {})
        if seen.contact_id not in known:
            known[seen.contact_id] = (seen.role, seen.at)
            self._subjects.setdefault(seen.contact_id, {})[seen.subject] = None
            return
        role, at = known[seen.contact_id]
        if seen.at >= at + _ONE_DAY or (seen.role and seen.role != role):
            known[seen.contact_id] = (seen.role or role, max(at, seen.at))

    def forget(self, contact_id: UUID) -> None:
        """Somebody who is erased takes part in nothing."""
        for subject in self._subjects.pop(contact_id, ()):
            self._seen[subject].pop(contact_id, None)

    def move(self, gone: UUID, survivor: UUID) -> None:
        """Somebody takes part under another id from now on."""
        for subject in self._subjects.pop(gone, ()):
            role, at = self._seen[subject].pop(gone)
            known = self._seen[subject].get(survivor, ("", at))
            self._seen[subject][survivor] = (known[0] or role, max(known[1], at))
            self._subjects.setdefault(survivor, {})[subject] = None

    def move_account(self, gone: UUID, survivor: UUID) -> None:
        """What was of one account is of another from now on: who has a role there, and what it waits for."""
        for old, new in zip(subjects_of(gone), subjects_of(survivor), strict=True):
            for contact_id, (role, at) in self._seen.pop(old, {}).items():
                known = self._seen.setdefault(new, {}).get(contact_id, ("", at))
                self._seen[new][contact_id] = (known[0] or role, max(known[1], at))
                mine = self._subjects.setdefault(contact_id, {})
                mine.pop(old, None)
                mine[new] = None
        holds = self._holds.setdefault(survivor, {})
        for key, change in self._holds.pop(gone, {}).items():
            holds[key] = max(change, holds.get(key, change))
        self._active.pop(gone, None)
        self._activate(survivor)

    def crowd(self, plan: Plan, edition: Edition, people: People, now: datetime) -> list[Person]:
        """Everybody whom an audience may mean."""
        roles = dict(self._roles(plan, edition, now)) if needs_roles(edition) else {}
        if not of_account(edition):
            named = ((people.contacts[contact_id], role) for contact_id, role in roles.items())
            return [Person(contact, role) for contact, role in named if open_to(plan, edition, contact)]
        staff = people.staff.get(plan.account_id, {}) if plan.account_id else {}
        return [Person(people.contacts[contact_id], roles.get(contact_id, "")) for contact_id in staff]

    def part(self, plan: Plan, edition: Edition, contact_id: UUID, now: datetime) -> str | None:
        """The role that somebody has in what an audience is about; None when they take no part in it."""
        if not needs_roles(edition):
            return None
        role, at = self._seen.get(taken_part_in(plan, edition), {}).get(contact_id, ("", _NEVER))
        return role if at >= _since(edition, now) else None

    def subjects_of(self, contact_id: UUID) -> Collection[str]:
        """What somebody takes part in."""
        return self._subjects.get(contact_id, {}).keys()

    def _roles(self, plan: Plan, edition: Edition, now: datetime) -> Iterator[tuple[UUID, str]]:
        since = _since(edition, now)
        for contact_id, (role, at) in self._seen.get(taken_part_in(plan, edition), {}).items():
            if at >= since:
                yield contact_id, role

    def hold(self, kind: str, told: Touchpoint, account_id: UUID, catalogue: Catalogue) -> bool:
        """Begin and end the holds that an event means; whether it ended one."""
        ended, known = False, self._holds.setdefault(account_id, {})
        for change in holds_of(kind, told, account_id, catalogue):
            key = (change.kind, change.ref)
            ended |= not change.active
            if key not in known or known[key][0] < change.version:
                known[key] = (change.version, change.active)
            for other in [one for one in known if change.every and one[0] == change.kind]:
                if known[other][0] < change.version:
                    known[other] = (change.version, False)
        self._activate(account_id)
        return ended

    def _activate(self, account_id: UUID) -> None:
        active = sorted(key for key, (_, on) in self._holds[account_id].items() if on)
        self._active[account_id] = tuple(Hold(name, ref, None, account_id) for name, ref in active)

    def holds_on(self, account_id: UUID | None) -> tuple[Hold, ...]:
        """What an account waits for."""
        return self._active.get(account_id, ()) if account_id else ()


def _since(edition: Edition, now: datetime) -> datetime:
    return now - (USES if edition.programme.audience.who is Who.PRODUCT else TAKES_PART)


def _asked_of(edition: Edition) -> Who:
    """In what the people of an audience take part: a product, project or contract, else in their account."""
    return Who.ACCOUNT if of_account(edition) else edition.programme.audience.who


def _of_event(edition: Edition) -> bool:
    return edition.programme.audience.who is Who.EVENT
