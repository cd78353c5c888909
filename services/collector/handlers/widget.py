"""The widget's side of the collector: what waits for whoever is signed in, and their answer."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.collector.domain.agents import Agent
from services.collector.domain.answers import Given
from services.collector.domain.verdict import Sent
from services.collector.domain.widget import Signed, Token, read
from services.collector.handlers.answering import Answering, Outcome, Submission
from services.collector.handlers.sharing import Sharing
from services.collector.handlers.visits import Visit, Visits
from services.collector.store import widget as store
from shared.db.database import Database
from shared.runtime.clock import Machine


class Widget:
    """Finds and answers surveys of people who are signed in at the customer's.

    Args:
        db: The collector's.
        machine: Its wall clock judges tokens.
        visits: Opens surveys.
        answering: Stores answers.
        sharing: Opens shared links.
        secrets: By which tokens are signed; none: there is no widget.
    """

    def __init__(
        self,
        db: Database,
        machine: Machine,
        visits: Visits,
        answering: Answering,
        sharing: Sharing,
        secrets: Sequence[str],
    ) -> None:
        self._db = db
        self._machine = machine
        self._visits = visits
        self._answering = answering
        self._sharing = sharing
        self._secrets = secrets

    @property
    def offered(self) -> bool:
        """Whether there is a widget at all."""
        return bool(self._secrets)

    def token(self, text: str) -> Token:
        """What a token says."""
        return read(text, self._secrets, self._machine.wall())

    async def pending(self, signed: Signed, link: UUID | None = None) -> Visit | None:
        """The survey that waits for somebody, or that of a shared link; None when there is none."""
        async with self._db.read() as conn:
            contact = await store.contact_of(conn, signed.subject)
            survey = None
            if contact is not None and link is None:
                survey = await store.pending(conn, contact, self._db.clock.now())
        if contact is not None and link is not None:
            survey = await self._sharing.signed_in(link, contact)
        return None if survey is None else await self._visits.look(survey)

    async def answer(self, signed: Signed, survey_id: UUID, given: Given) -> Outcome | None:
        """Store an answer; None when the survey asks somebody else.

        Who made it needs no guessing: the customer's backend vouches for the session.
        """
        async with self._db.read() as conn:
            contact = await store.contact_of(conn, signed.subject)
            if contact is None or not await store.belongs(conn, survey_id, contact):
                return None
        sent = Sent(self._db.clock.now(), "", None, Agent.BROWSER)
        return await self._answering.answer(Submission(survey_id, given, sent))
