"""Links without an invitation, as they were last told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.contracts.surveys import SurveyShared
from shared.db.database import Connection


async def add(conn: Connection, link: SurveyShared, at: datetime, by: str) -> bool:
    """Keep a new link; False when there is one of that id already."""
    statement = """
        insert into shared_links (id, programme, created_at, created_by, told) values ($1, $2, $3, $4, $5)
        on conflict (id) do nothing returning id
    """
    return await conn.fetchval(
        statement, UUID(link.link_id), link.snapshot.programme, at, by, link.model_dump_json()
    ) is not None  # fmt: skip


async def lock(conn: Connection, programme: str, ident: UUID) -> SurveyShared | None:
    """A link of a programme, locked."""
    statement = "select told from shared_links where id = $1 and programme = $2 for update"
    told = await conn.fetchval(statement, ident, programme)
    return None if told is None else SurveyShared.model_validate_json(told)


async def save(conn: Connection, link: SurveyShared) -> None:
    """Keep what became of a link."""
    await conn.execute(
        "update shared_links set told = $2 where id = $1", UUID(link.link_id), link.model_dump_json()
    )


async def listed(conn: Connection, programme: str = "") -> list[SurveyShared]:
    """The links of a programme, or all; the newest first."""
    rows = await conn.fetch(
        "select told from shared_links where $1 in ('', programme) order by created_at desc, id", programme
    )
    return [SurveyShared.model_validate_json(row["told"]) for row in rows]


async def get(conn: Connection, ident: UUID) -> SurveyShared | None:
    """One link of any programme."""
    told = await conn.fetchval("select told from shared_links where id = $1", ident)
    return None if told is None else SurveyShared.model_validate_json(told)
