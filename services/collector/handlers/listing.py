"""Answers for those who may read them: page by page, one with its history, or all as rows of a table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.collector.domain.listing import HORIZON, Filters, Standing
from services.collector.handlers.answering import Forms
from services.collector.handlers.telling import tell, tell_scores
from services.collector.store import listing as store
from services.collector.store.answers import load_choices, load_scores
from services.collector.store.listing import ListedAnswer, Word
from services.collector.store.review import by_word
from services.collector.store.surveys import load_forms
from shared.contracts.forms import Form
from shared.contracts.responses import Words
from shared.db.database import Connection, Database
from shared.security.sealing import Sealer

START = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
END = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))
EXPORT_PAGE = 500

Place = tuple[datetime, UUID]
"""Where a list goes on: time of change and id of the last answer seen."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of answers, each with the form that it fills and what somebody said about its verdict.

    `last` is None when there was none.
    """

    items: list[dict[str, Any]]
    last: Place | None
    forms: tuple[Form, ...] = ()
    words: tuple[Word | None, ...] = ()


class Listing:
    """Reads announced answers."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer
        self._forms = Forms()

    async def page(self, wanted: Filters, after: Place, limit: int) -> Page:
        """The next answers after one that was seen, in the order of their last change."""
        async with self._db.read() as conn:
            horizon = self._db.clock.now() - HORIZON
            listed = await store.load_listed(conn, wanted, horizon, after, limit)
            last = (listed[-1].changed_at, listed[-1].survey_id) if listed else None
            return await self._told(conn, listed, last)

    async def by_word(self, before: Place, limit: int) -> Page:
        """Answers that one of us vouched for, the newest word first; those still held are on their way."""
        async with self._db.read() as conn:
            rows = await by_word(conn, before, limit)
            found = await store.load_versions(conn, [(survey, version) for survey, version, _ in rows])
            last = (rows[-1][2], rows[-1][0]) if rows else None
            return await self._told(conn, [found[survey, version] for survey, version, _ in rows], last)

    async def every(self, wanted: Filters) -> AsyncIterator[list[dict[str, Any]]]:
        """All of them, page after page; no transaction stays open between two."""
        after: Place | None = START
        while after is not None:
            page = await self.page(wanted, after, EXPORT_PAGE)
            if page.items:
                yield page.items
            after = page.last

    async def forms(self, wanted: Filters) -> list[Form]:
        """The forms that the wanted answers fill."""
        async with self._db.read() as conn:
            horizon = self._db.clock.now() - HORIZON
            digests = await store.load_questionnaires(conn, wanted, horizon)
            loaded = await load_forms(conn, digests)
        return [Form.model_validate_json(loaded[digest]) for digest in digests]

    async def one(self, survey_id: UUID) -> dict[str, Any] | None:
        """One announced answer with all its versions, oldest first; None when there is none."""
        async with self._db.read() as conn:
            wanted = Filters(Standing.ALL, survey_id=survey_id)
            listed = await store.load_listed(conn, wanted, self._db.clock.now(), START, 1)
            if not listed:
                return None
            await self._learn(conn, {listed[0].questionnaire})
            rows = await store.load_history(conn, survey_id)
            contact = listed[0].contact_id
            words = await self._words(conn, [(contact, str(row["words"])) for row in rows])
        history = [_version(row, texts) for row, texts in zip(rows, words, strict=True)]
        texts = words[listed[0].version - 1]
        return tell(listed[0], texts, self._forms[listed[0].questionnaire]) | {"history": history}

    async def _told(self, conn: Connection, listed: Sequence[ListedAnswer], last: Place | None) -> Page:
        await self._learn(conn, {one.questionnaire for one in listed})
        words = await self._words(conn, [(one.contact_id, one.words) for one in listed])
        forms = tuple(self._forms[one.questionnaire] for one in listed)
        items = [tell(one, texts, form) for one, texts, form in zip(listed, words, forms, strict=True)]
        return Page(items, last, forms, tuple(one.word for one in listed))

    async def _learn(self, conn: Connection, digests: set[str]) -> None:
        if missing := self._forms.missing(digests):
            self._forms.add(await load_forms(conn, missing))

    async def _words(self, conn: Connection, sealed: Sequence[tuple[UUID, str]]) -> list[dict[str, str]]:
        opened = await self._sealer.open(conn, list(sealed), Words)
        return [words.texts if words else {} for words in opened]


def _version(row: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    return {
        "version": row["version"],
        "received_at": row["received_at"].isoformat(),
        "complete": row["complete"],
        "draft": row["draft"],
        "mood": row["mood"],
        "scores": tell_scores(load_scores(row["scores"])),
        "choices": {name: list(chosen) for name, chosen in load_choices(row["choices"]).items()},
        "texts": texts,
        "verdict": row["verdict"],
        "evidence": list(row["evidence"]),
        "released": row["released"],
    }
