"""Reads open answers a little after they came: themes and tone are kept, the words stay sealed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.scoring.store import spoken
from shared.contracts.responses import Words
from shared.db.database import Connection, Database
from shared.runtime.logging import get_logger
from shared.security.sealing import SealBrokenError, Sealer
from shared.words.dictionary import Dictionary, Ready, compiled
from shared.words.reading import read

AT_ONCE = 50
"""Answers that are read in one round; others wait for as long as that takes."""

log = get_logger("scoring")


@dataclass(frozen=True, slots=True)
class Library:
    """What open answers are read with: keys to the words, and the dictionary as written and as used."""

    sealer: Sealer
    written: Dictionary
    ready: Ready


def library(sealer: Sealer, written: Dictionary) -> Library:
    """A library around a dictionary."""
    return Library(sealer, written, compiled(written))


def reading(db: Database, sealer: Sealer, dictionary: Ready) -> Callable[[], Awaitable[int]]:
    """One round of reading: what is new, else what was read with another dictionary."""

    async def round_of_reading() -> int:
        async with db.begin() as tx:
            await spoken.wait_for_erasures(tx.conn)
            found = await spoken.take(tx.conn, AT_ONCE)
            if not found:
                found = await spoken.stale(tx.conn, dictionary.version, AT_ONCE)
            texts = await words(sealer, tx.conn, [(one.contact_id, one.words) for one in found])
            read_now = [
                (one, read(text, one.locale, one.mood, dictionary))
                for one, text in zip(found, texts, strict=True)
                if text
            ]
            await spoken.save_comments(tx.conn, read_now, dictionary.version)
            await spoken.drop_comments(
                tx.conn, [one for one, text in zip(found, texts, strict=True) if not text]
            )
        return len(found)

    return round_of_reading


async def words(sealer: Sealer, conn: Connection, sealed: Sequence[tuple[UUID | None, str]]) -> list[str]:
    """What was written; empty where it was erased or cannot be opened."""
    known = [(contact, text) for contact, text in sealed if contact and text]
    opened = iter(await _opened(sealer, conn, known))
    return [text_of(next(opened)) if contact and text else "" for contact, text in sealed]


def text_of(said: Words | None) -> str:
    """The texts of an answer, one below the other."""
    return "\n".join(text.strip() for text in said.texts.values() if text.strip()) if said else ""


async def _opened(sealer: Sealer, conn: Connection, sealed: Sequence[tuple[UUID, str]]) -> list[Words | None]:
    try:
        return await sealer.open(conn, sealed, Words)
    except SealBrokenError as error:
        if len(sealed) == 1:
            log.error("seal_broken", reason=str(error))  # noqa: TRY400 - a traceback says no more
            return [None]
    return [(await _opened(sealer, conn, [one]))[0] for one in sealed]
