"""What programmes are called, in a reader's language."""

from __future__ import annotations

from services.dispatch.domain.model import read_texts
from services.dispatch.domain.text import pick
from services.dispatch.store import views
from services.dispatch.store.views import Worded
from shared.db.database import Connection


def title_of(one: Worded, locale: str) -> str:
    """The name that a programme's form has; its key where it has none."""
    return pick(read_texts(one.texts)[0].title, locale) or one.programme


async def titles(conn: Connection, locale: str) -> dict[str, str]:
    """All programmes' names by their keys."""
    return {one.programme: title_of(one, locale) for one in await views.worded(conn)}
