"""Shared links for those who look after them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.collector.handlers.answering import Forms
from services.collector.store import links as store
from services.collector.store.links import LinkRow
from services.collector.store.surveys import load_forms
from shared.db.database import Database
from shared.security.tokens import Tokens

LABEL = "link"
"""The attribute of an answer that holds the link's label."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A link with its address and the title of its survey by language."""

    row: LinkRow
    title: dict[str, str]
    url: str

    @property
    def label(self) -> str:
        """Where it stands, in its maker's words."""
        return self.row.snapshot.context.get(LABEL, "")


class Links:
    """Reads shared links with what came of them."""

    def __init__(self, db: Database, tokens: Tokens, public_url: str) -> None:
        self._db = db
        self._tokens = tokens
        self._public_url = public_url
        self._forms = Forms()

    def now(self) -> datetime:
        """Business time."""
        return self._db.clock.now()

    async def listed(self) -> list[Shared]:
        """All links; those that may be answered by first.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.read() as conn:
            rows = await store.listed(conn, self.now())
            if missing := self._forms.missing({row.questionnaire for row in rows}):
                self._forms.add(await load_forms(conn, missing))
        return [
            Shared(
                row,
                self._forms[row.questionnaire].title,
                f"{self._public_url}/s/open/{self._tokens.sign('shared', row.link_id)}",
            )
            for row in rows
        ]
