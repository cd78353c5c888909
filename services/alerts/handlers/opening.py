"""Opens personal data at the moment it is shown; what cannot be opened is empty, and never stops a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from services.alerts.domain.model import Answer
from services.alerts.handlers.applying import Note
from services.alerts.store.views import ContactCopy
from shared.contracts.model import Person
from shared.contracts.responses import Words
from shared.db.database import Connection
from shared.runtime.logging import get_logger
from shared.security.sealing import SealBrokenError, Sealer

M = TypeVar("M", bound=BaseModel)
Sealed = Sequence[tuple[UUID, str]]

log = get_logger("alerts")


class Number(BaseModel):
    """A telephone number of one of our own people; sealed, because it is theirs."""

    number: str


async def people(sealer: Sealer, conn: Connection, sealed: Sealed) -> list[Person]:
    """Who somebody is; an empty person once the contact was erased."""
    return [person or Person() for person in await _open(sealer, conn, sealed, Person)]


async def words(sealer: Sealer, conn: Connection, answers: Sequence[Answer]) -> list[str]:
    """What was said in each answer, the texts in the order of the questions."""
    return await texts(sealer, conn, [(answer.contact_id, answer.words) for answer in answers])


async def texts(sealer: Sealer, conn: Connection, sealed: Sealed) -> list[str]:
    """What was written, the texts of each answer in the order of the questions."""
    spoken = await _open(sealer, conn, sealed, Words)
    return ["\n".join(t.strip() for t in w.texts.values() if t.strip()) if w else "" for w in spoken]


async def notes(sealer: Sealer, conn: Connection, sealed: Sealed) -> list[str]:
    """What reps wrote down."""
    return [note.text if note else "" for note in await _open(sealer, conn, sealed, Note)]


def sealed_of(answer: Answer, contact: ContactCopy | None) -> tuple[UUID, str]:
    """Who gave an answer, sealed, behind whose key it is: as they are known now, else as they were then."""
    if contact and contact.person:
        return contact.contact_id, contact.person
    return answer.contact_id, answer.person


async def number(sealer: Sealer, conn: Connection, user_id: UUID, sealed: str) -> str:
    """The telephone number of one of our own people; empty without one."""
    (found,) = await _open(sealer, conn, [(user_id, sealed)], Number)
    return found.number if found else ""


async def speaker(
    sealer: Sealer, conn: Connection, answer: Answer, contact: ContactCopy | None
) -> tuple[Person, str]:
    """Who gave an answer, as the directory knows them now, and what they said."""
    (person,) = await people(sealer, conn, [sealed_of(answer, contact)])
    (said,) = await words(sealer, conn, [answer])
    return person, said


async def _open(sealer: Sealer, conn: Connection, sealed: Sealed, model: type[M]) -> list[M | None]:
    try:
        return await sealer.open(conn, sealed, model)
    except SealBrokenError as error:
        log.error("seal_broken", reason=str(error))  # noqa: TRY400 - a traceback says no more
    if len(sealed) == 1:
        return [None]
    return [(await _open(sealer, conn, [one], model))[0] for one in sealed]
