"""Links without an invitation: made, listed, taken back; and who turns out to have answered by one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.trigger.domain.reports import Report
from services.trigger.domain.shared_links import Wanted, Why, shared, withdrawn
from services.trigger.handlers import people
from services.trigger.handlers.intake import take
from services.trigger.store import directory, programmes
from services.trigger.store import shared_links as store
from shared.contracts.envelope import Event
from shared.contracts.model import UNASKED, Person
from shared.contracts.programmes import ProgrammeState
from shared.contracts.surveys import SurveyShared
from shared.contracts.touchpoints import Touchpoint, TouchpointContact
from shared.db.database import Tx
from shared.errors import Unavailable
from shared.people import contact_of_address
from shared.security.access_store import audit
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens

SOURCE = "/shared-links"
INTRODUCED = "contact.introduced"
"""The touchpoint by which the directory learns of somebody who answered by a link and said who they are."""

PURPOSE = "shared"


class NoLinkError(ValueError):
    """A link cannot be made; says why."""


SILENT = frozenset({ProgrammeState.ARCHIVED, ProgrammeState.SHADOW})
"""States in which a programme sends nothing, so that nobody could tell what a link of it is for."""
LABEL_CHARS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A link as an operator wants it; `account` is an id, a backend's id, a name, or empty."""

    label: str
    span: timedelta
    account: str = ""


def address_of(tokens: Tokens, link: SurveyShared, public_url: str) -> str:
    """Where the link leads; the newest key signs it, and older ones stay good while they are known."""
    return f"{public_url}/s/open/{tokens.sign(PURPOSE, UUID(link.link_id))}"


async def make(tx: Tx, programme: str, ident: UUID, asked: Asked, *, by: str) -> SurveyShared:
    """Make a link to a programme as it is now; the same id again gives the one there is.

    `by` is who wants it, by id: it is told to others and stands in the audit log.

    Raises:
        NoLinkError: There is no such programme that asks, no such account, or no label of a fitting length.
    """
    if not 1 <= len(asked.label) <= LABEL_CHARS:
        raise NoLinkError(f"a link needs a label of 1 to {LABEL_CHARS} characters")
    known = await store.lock(tx.conn, programme, ident)
    if known is not None:
        return known
    editions = {edition.key: edition for edition in await programmes.current_editions(tx.conn)}
    edition = editions.get(programme)
    if edition is None or edition.state in SILENT:
        asking = sorted(key for key, one in editions.items() if one.state not in SILENT)
        there = ", ".join(asking) or "none"
        raise NoLinkError(f"there is no programme {programme!r} that asks; those that do: {there}")
    organisation = await programmes.get_organisation(tx.conn)
    if organisation is None:
        raise Unavailable("the organisation's settings are not written yet")
    company = None
    if asked.account:
        found = await people.find_account(tx.conn, asked.account)
        company = (await directory.get_accounts(tx.conn, [found])).get(found) if found else None
        if company is None:
            raise NoLinkError(f"there is no account {asked.account!r}")
    wanted = Wanted(id=ident, label=asked.label, span=asked.span, by=by, account=company)
    link = shared(wanted, edition, organisation, tx.now)
    if await store.add(tx.conn, link, tx.now, by):
        _tell(tx, link)
        await audit(tx.conn, tx.now, by, "link.made", f"link:{ident}", programme=programme)
    return link


async def take_back(tx: Tx, programme: str, ident: UUID, why: Why, *, by: str) -> SurveyShared | None:
    """Withdraw a link for good; None when there is none. Repeating changes nothing."""
    link = await store.lock(tx.conn, programme, ident)
    if link is None or link.withdrawn_at:
        return link
    gone = withdrawn(link, tx.now, why, by)
    await store.save(tx.conn, gone)
    _tell(tx, gone)
    await audit(tx.conn, tx.now, by, "link.withdrawn", f"link:{ident}", programme=programme, reason=why.value)
    return gone


def _tell(tx: Tx, link: SurveyShared) -> None:
    tx.emit(link, identity=f"{link.link_id}/{link.version}", key=link.snapshot.key)


async def introduce(sealer: Sealer, events: Sequence[Event[Any]], tx: Tx) -> None:
    """Let the directory know who answered unasked and gave an address that nobody had heard of.

    Who is in the directory can be told of, merged and erased; so whoever can be called must be in it.
    """
    answers = [event.data for event in events if event.data.snapshot.channel in UNASKED]
    named = {UUID(one.snapshot.contact_id): one for one in answers if one.person}
    if not named:
        return
    known = await directory.get_contacts(tx.conn, named)
    fresh = {ident: one for ident, one in named.items() if ident not in known}
    opened = await sealer.open(tx.conn, [(ident, one.person) for ident, one in fresh.items()], Person)
    reports = []
    for (ident, one), person in zip(fresh.items(), opened, strict=True):
        # The id is made of the address: any other was not made by an address, and is nobody to be introduced.
        if person is None or contact_of_address(sealer.blind("email", person.email)) != ident:
            continue
        contact = TouchpointContact(email=person.email, name=person.name, locale=one.snapshot.locale)
        told = Touchpoint(occurred_at=one.received_at, contact=contact)
        digest = hashlib.sha256(str(ident).encode()).hexdigest()
        reports.append(Report(str(ident), digest, SOURCE, str(ident), INTRODUCED, told))
    if reports:
        await take(tx, sealer, SOURCE, reports)
