"""Who answered in a form tool: somebody of the directory, somebody new, or nobody that anybody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.collector.domain.form_answers import Read, Trouble
from services.collector.domain.form_surveys import Who
from services.collector.domain.sharing import Somebody
from services.collector.handlers.sharing import unknown_contact
from services.collector.store import forms as store
from services.collector.store.forms import Finding
from shared.contracts.directory import AccountChanged
from shared.contracts.model import Person
from shared.db.database import Tx
from shared.people import contact_of_address
from shared.security.sealing import Sealer

_NOBODY = Trouble(
    "contact.id",
    "no contact of this id is known: the answer counts and is nobody's",
    "Tell of the contact first, or name a field with the e-mail address.",
)
_NO_ACCOUNT = Trouble(
    "account",
    "no account of this id is known: the answer counts without a company",
    "Tell of the account first: docs/directory.md.",
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known here of those whom answers name."""

    by_id: Mapping[str, UUID]
    marks: Mapping[str, str]
    by_mark: Mapping[str, Somebody]
    by_contact: Mapping[UUID, Somebody]
    companies: Mapping[str, AccountChanged]

    def candidate(self, read: Read) -> tuple[UUID | None, Somebody | None]:
        """Whom an answer names: the id says it better than the address."""
        ident = self.by_id.get(read.contact_id)
        if ident is not None:
            return ident, self.by_contact.get(ident)
        if not read.email:
            return None, None
        mark = self.marks[read.email]
        somebody = self.by_mark.get(mark)
        return (somebody.contact_id if somebody else contact_of_address(mark)), somebody


class FormPeople:
    """Finds out who gave answers."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def of(self, tx: Tx, fresh: Sequence[tuple[Read, UUID]]) -> tuple[list[Who], list[Finding]]:
        """Who gave each answer, and who or what could not be found.

        Whoever was erased stays unknown, and nothing is kept of them.
        """
        known = await self._known(tx, [read for read, _ in fresh])
        candidates = [known.candidate(read) for read, _ in fresh]
        erased = await store.erased(tx.conn, [ident for ident, _ in candidates if ident])
        whose: list[Who] = []
        found: list[Finding] = []
        for (read, survey), (ident, somebody) in zip(fresh, candidates, strict=True):
            company = known.companies.get(read.account)
            if ident is None or ident in erased:
                whose.append(Who(unknown_contact(survey), account=company))
            else:
                person = somebody.person if somebody else ""
                whose.append(Who(ident, identified=True, person=person, somebody=somebody, account=company))
            found += _missing(read, ident, somebody, company)
        return await self._sealed(tx, [read for read, _ in fresh], whose), found

    async def _known(self, tx: Tx, reads: Sequence[Read]) -> _Known:
        marks = {read.email: self._sealer.blind("email", read.email) for read in reads if read.email}
        by_id = await store.contacts_by_id(tx.conn, [read.contact_id for read in reads if read.contact_id])
        by_mark, by_contact = await store.people(tx.conn, list(marks.values()), list(by_id.values()))
        companies = await store.accounts(tx.conn, [read.account for read in reads if read.account])
        return _Known(by_id, marks, by_mark, by_contact, companies)

    async def _sealed(self, tx: Tx, reads: Sequence[Read], whose: Sequence[Who]) -> list[Who]:
        """Seal the addresses of those of whom the directory has not told."""
        new = [
            (place, who, read)
            for place, (who, read) in enumerate(zip(whose, reads, strict=True))
            if who.identified and not who.person and read.email
        ]
        done = list(whose)
        if not new:
            return done
        sealed = await self._sealer.seal(
            tx.conn, [(who.contact_id, Person(email=read.email, name=read.name)) for _, who, read in new]
        )
        for (place, who, _), person in zip(new, sealed, strict=True):
            done[place] = replace(who, person=person)
        return done


def _missing(
    read: Read, ident: UUID | None, somebody: Somebody | None, company: AccountChanged | None
) -> list[Finding]:
    found = []
    if ident is None and read.contact_id:
        found.append(Finding(read.token, "nobody", _NOBODY))
    if read.account and company is None and not (somebody and somebody.account):
        found.append(Finding(read.token, "no_account", _NO_ACCOUNT))
    return found
