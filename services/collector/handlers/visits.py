"""Somebody comes by a link: what it leads to is shown, and that it was opened is observed; nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.collector import metrics
from services.collector.domain.agents import Agent, agent_of
from services.collector.domain.amend import Door, door
from services.collector.domain.verdict import Observation, Sighting
from services.collector.handlers.answering import Forms
from services.collector.store.links import note_refusal
from services.collector.store.observations import observe
from services.collector.store.pages import PageRow, load_blank_page, load_organisation, load_page
from services.collector.store.surveys import load_forms
from shared.contracts.directory import OrganisationChanged
from shared.contracts.forms import Form
from shared.contracts.model import Person
from shared.contracts.responses import Words
from shared.db.database import Database, Tx
from shared.security.sealing import Sealer

_COMES = frozenset({Sighting.OPENED, Sighting.STALE, Sighting.UNSIGNED})
"""What somebody does who would answer."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, as far as it is kept: a hash of the address that differs by survey, and the agent's class."""

    address: str
    agent: Agent


@dataclass(frozen=True, slots=True)
class Visit:
    """What a link leads to; `words` are the opened texts of the answer there is."""

    survey_id: UUID
    now: datetime
    door: Door
    row: PageRow
    form: Form
    words: dict[str, str]
    slots: dict[str, str]
    organisation: OrganisationChanged | None


@dataclass(frozen=True, slots=True)
class TooEarly:
    """A good link whose survey has not arrived here yet."""

    now: datetime
    organisation: OrganisationChanged | None


class Visits:
    """Opens survey links."""

    def __init__(self, db: Database, sealer: Sealer, settling: timedelta) -> None:
        self._db = db
        self._sealer = sealer
        self._settling = settling
        self._forms = Forms()

    def visitor(self, survey_id: UUID, address: str, agent: str) -> Visitor:
        """What may be kept of a client."""
        return Visitor(self._sealer.blind("visitor", f"{survey_id} {address}")[:22], agent_of(agent))

    async def visit(
        self,
        survey_id: UUID,
        visitor: Visitor,
        kind: Sighting,
        score: int | None = None,
        link: UUID | None = None,
    ) -> Visit | TooEarly:
        """Look at what a link leads to, and append what was seen.

        `link`: the shared link by which somebody came, whose survey is opened when they send something.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.begin() as tx:
            seen = Observation(tx.now, kind, visitor.address, visitor.agent, score)
            await observe(tx.conn, survey_id, seen, self._settling)
            row = await load_page(tx.conn, survey_id)
            if row is None and link is not None:
                row = await load_blank_page(tx.conn, link, tx.now)
            organisation = await load_organisation(tx.conn)
            result: Visit | TooEarly
            if row is None:
                result = TooEarly(tx.now, organisation)
            else:
                result = await self._look(tx, survey_id, row, organisation)
                if link is not None and result.door is Door.OVER and kind in _COMES:
                    await note_refusal(tx.conn, link, tx.now.date(), withdrawn=row.withdrawn)
                    metrics.LINK_REFUSALS.labels("withdrawn" if row.withdrawn else "closed").inc()
        metrics.OBSERVATIONS.labels(kind.value).inc()
        return result

    async def look(self, survey_id: UUID) -> Visit | None:
        """What a link leads to, without a trace; None while its survey has not arrived.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.begin() as tx:
            row = await load_page(tx.conn, survey_id)
            if row is None:
                return None
            return await self._look(tx, survey_id, row, await load_organisation(tx.conn))

    async def styled(self, survey_id: UUID, visitor: Visitor, page: datetime | None) -> None:
        """Append that the style sheet of a page was loaded.

        Args:
            survey_id: Of the link.
            visitor: Who loaded it.
            page: When the page was rendered, if the address says so.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.begin() as tx:
            seen = Observation(tx.now, Sighting.STYLED, visitor.address, visitor.agent, None, page)
            await observe(tx.conn, survey_id, seen, self._settling)
        metrics.OBSERVATIONS.labels(Sighting.STYLED.value).inc()

    async def _look(
        self, tx: Tx, survey_id: UUID, row: PageRow, organisation: OrganisationChanged | None
    ) -> Visit:
        if missing := self._forms.missing({row.questionnaire}):
            self._forms.add(await load_forms(tx.conn, missing))
        sealed = row.answer.words if row.answer else ""
        words = (await self._sealer.open(tx.conn, [(row.contact_id, sealed)], Words))[0]
        person = (await self._sealer.open(tx.conn, [(row.contact_id, row.person)], Person))[0] or Person()
        return Visit(
            survey_id=survey_id,
            now=tx.now,
            door=door(row.state, row.closes_at, tx.now),
            row=row,
            form=self._forms[row.questionnaire],
            words=words.texts if words else {},
            slots=_slots(row, person, organisation),
            organisation=organisation,
        )


def _slots(row: PageRow, person: Person, organisation: OrganisationChanged | None) -> dict[str, str]:
    """Values of the texts' slots; what the survey carries comes first."""
    asker = (organisation.brand.name or organisation.name) if organisation else ""
    first = person.name if "," in person.name else person.name.split(" ")[0]
    return {
        "name": first,
        "first_name": first,
        "full_name": person.name,
        "organisation": asker,
        "company": asker,
        "account": row.account,
        "account_name": row.account,
        "product": row.product or asker,
        **row.slots,
    }
