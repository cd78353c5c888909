"""Links without an invitation: whoever comes by one may answer, and may say who they are.

A visitor's survey exists from the first thing that they send; looking at the page leaves observations alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.collector.domain.sharing import (
    SharedLink,
    address_of,
    closes_at,
    loop_of,
    snapshot_of,
)
from services.collector.store import sharing as store
from services.collector.store.sharing import KnownPerson, OpenedSurvey
from services.collector.store.surveys import save_forms
from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.envelope import Event
from shared.contracts.model import Person
from shared.contracts.surveys import SurveyShared
from shared.db.database import Database, Tx
from shared.people import contact_of_address
from shared.runtime.consumer import Handler
from shared.runtime.ids import derive
from shared.security.sealing import Sealer


def visitor_survey(link: UUID, visitor: UUID) -> UUID:
    """The survey of whoever comes by a link with one browser; the same browser is the same survey."""
    return derive("shared", link, visitor)


def own_survey(visitor_survey_id: UUID, contact_id: UUID) -> UUID:
    """The survey it becomes once its visitor has said who they are."""
    return derive("shared", visitor_survey_id, contact_id)


def signed_in_survey(link: UUID, contact_id: UUID) -> UUID:
    """The survey of somebody for whom the customer's own product vouches."""
    return derive("shared", link, "signed in", contact_id)


def unknown_contact(survey_id: UUID) -> UUID:
    """A stand-in for somebody nobody knows: their words need a key of their own."""
    return derive("unknown", survey_id)


class Sharing:
    """Opens the surveys of those who come by a shared link."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    async def link(self, ident: UUID) -> SharedLink | None:
        """A link, or None while it has not arrived here.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.read() as conn:
            return await store.load_link(conn, ident)

    async def standing(self, survey_id: UUID) -> UUID:
        """The survey that a visitor's has become.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.read() as conn:
            return await store.standing(conn, survey_id)

    async def admit(self, survey_id: UUID, link: UUID, locale: str) -> None:
        """Open the survey of a visitor who is about to send something; known or closed, nothing changes.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.begin() as tx:
            found = await store.load_link(tx.conn, link)
            if found is not None and found.takes(tx.now):
                opened = _opened(found, survey_id, unknown_contact(survey_id), tx, locale)
                await store.open_survey(tx.conn, opened, tx.now)

    async def identify(self, survey_id: UUID, link: UUID, text: str, locale: str) -> UUID:
        """Let a visitor say who they are; the survey that is theirs from now on.

        What they type is a claim: it shows them nothing of the person. Somebody who was erased stays unknown.

        Raises:
            ValueError: The text is no e-mail address.
            Unavailable: Postgres is away.
        """
        address = address_of(text)
        mark = self._sealer.blind("email", address)
        async with self._db.begin() as tx:
            found = await store.load_link(tx.conn, link)
            if found is None or not found.takes(tx.now):
                return await store.standing(tx.conn, survey_id)
            somebody = await store.find(tx.conn, mark=mark)
            contact_id = somebody.contact_id if somebody else contact_of_address(mark)
            if await store.is_erased(tx.conn, contact_id):
                return await store.standing(tx.conn, survey_id)
            person = somebody.person if somebody else ""
            if not person:
                (person,) = await self._sealer.seal(tx.conn, [(contact_id, Person(email=address))])
            own = own_survey(survey_id, contact_id)
            snapshot = snapshot_of(found, contact_id, somebody, locale)
            opened = OpenedSurvey(
                own, found, contact_id, snapshot, person, loop_of(found, identified=True),
                closes_at(found, tx.now), identified=True,
            )  # fmt: skip
            fresh = await store.open_survey(tx.conn, opened, tx.now)
            await store.move(tx.conn, survey_id, own, tx.now, fresh=fresh)
            self._db.bell.ring()
        return own

    async def signed_in(self, link: UUID, contact_id: UUID) -> UUID | None:
        """Open a link's survey for somebody for whom the customer's product vouches; None: it takes no more.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.begin() as tx:
            found = await store.load_link(tx.conn, link)
            if found is None or not found.takes(tx.now):
                return None
            if await store.has_answered(tx.conn, link, contact_id):
                return None
            somebody = await store.find(tx.conn, contact_id=contact_id)
            survey_id = signed_in_survey(link, contact_id)
            opened = OpenedSurvey(
                survey_id, found, contact_id, snapshot_of(found, contact_id, somebody, ""),
                somebody.person if somebody else "", loop_of(found, identified=True),
                closes_at(found, tx.now), identified=True,
            )  # fmt: skip
            await store.open_survey(tx.conn, opened, tx.now)
        return survey_id


def _opened(link: SharedLink, survey_id: UUID, contact_id: UUID, tx: Tx, locale: str) -> OpenedSurvey:
    return OpenedSurvey(
        survey_id, link, contact_id, snapshot_of(link, contact_id, None, locale), "",
        loop_of(link, identified=False), closes_at(link, tx.now), identified=False,
    )  # fmt: skip


async def on_shared(events: Sequence[Event[SurveyShared]], tx: Tx) -> None:
    """Keep links that may be answered by, and those that were taken back; the newest version of each."""
    newest: dict[str, SurveyShared] = {}
    for event in events:
        try:
            UUID(event.data.link_id)
        except ValueError as error:
            tx.reject(event, f"link_id: {error}")
            continue
        known = newest.get(event.data.link_id)
        if known is None or known.version < event.data.version:
            newest[event.data.link_id] = event.data
    forms = {one.form.model_dump_json() for one in newest.values()}
    digests = {form: hashlib.sha256(form.encode()).hexdigest() for form in forms}
    await save_forms(tx.conn, {digest: form for form, digest in digests.items()})
    await store.save_links(tx.conn, [(one, digests[one.form.model_dump_json()]) for one in newest.values()])


def people_handler(sealer: Sealer) -> Handler:
    """Learns by which addresses the directory knows people."""

    async def on_people(events: Sequence[Event[Any]], tx: Tx) -> None:
        told = [event.data for event in events if isinstance(event.data, ContactChanged)]
        newest = {UUID(one.contact_id): one for one in sorted(told, key=lambda one: one.version)}
        named = {ident: one for ident, one in newest.items() if one.person and not one.merged_into}
        opened = await sealer.open(tx.conn, [(ident, one.person) for ident, one in named.items()], Person)
        people = [
            KnownPerson(
                ident, one.version, sealer.blind("email", person.email), one.person,
                UUID(one.account_id) if one.account_id else None,
                one.persona.value if one.persona else None, one.job_function,
            )
            for (ident, one), person in zip(named.items(), opened, strict=True)
            if person and person.email
        ]  # fmt: skip
        if people:
            await store.learn_people(tx.conn, people)

    return on_people


async def on_accounts(events: Sequence[Event[AccountChanged]], tx: Tx) -> None:
    """Keep what accounts are, for the answers of their people who come by a link."""
    newest = {event.data.account_id: event.data for event in sorted(events, key=lambda e: e.data.version)}
    await store.learn_accounts(tx.conn, list(newest.values()))
