"""Reads what answers are about, for routes, playbooks and tasks that name themes (R80)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from services.alerts.handlers import opening
from services.alerts.handlers.applying import Desk
from shared.contracts.responses import Answered, Response
from shared.db.database import Connection
from shared.words.reading import read

Version = tuple[str, int]
"""One version of one response."""


async def themes(desk: Desk, conn: Connection, said: Iterable[Response]) -> Mapping[Version, tuple[str, ...]]:
    """The themes of each version that has words, but for those that are praised."""
    if desk.dictionary is None:
        return {}
    spoken = [one for one in said if isinstance(one, Answered) and one.words]
    texts = await opening.texts(
        desk.sealer, conn, [(UUID(one.snapshot.contact_id), one.words) for one in spoken]
    )
    return {
        (one.response_id, one.version): read(
            text, one.snapshot.locale, one.mood.value, desk.dictionary
        ).complaints
        for one, text in zip(spoken, texts, strict=True)
    }
