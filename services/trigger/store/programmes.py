"""Programmes, their editions, what the check found, and the organisation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from services.trigger.domain.findings import Finding, Severity
from services.trigger.domain.model import Organisation
from services.trigger.domain.programme import Edition, edition_of
from services.trigger.store.rows import dump
from shared.contracts.directory import OrganisationChanged
from shared.contracts.programmes import ProgrammeState
from shared.db.database import Connection

_CURRENT = """
select p.key, p.version, p.revision, p.state, p.file, p.published_at, b.set_at is not null as paused
from programmes p left join brakes b on b.scope = 'programme' and b.subject = p.key order by p.key
"""
_SAVE = """
insert into programmes (key, version, revision, state, file, definition, published_at)
values ($1, $2, $3, $4, $5, $6::text::jsonb, $7)
on conflict (key) do update set
    version = excluded.version, revision = excluded.revision, state = excluded.state,
    file = excluded.file, definition = excluded.definition, published_at = excluded.published_at
"""
_EDITION = """
insert into editions (programme, version, revision, definition, published_at)
values ($1, $2, $3, $4::text::jsonb, $5) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A programme as it stands: its newest edition, and whether an operator paused it."""

    key: str
    version: str
    revision: int
    state: ProgrammeState
    file: str
    published_at: datetime
    paused: bool

    @property
    def shown(self) -> ProgrammeState:
        """The state that others are told."""
        return (
            ProgrammeState.PAUSED if self.paused and self.state is not ProgrammeState.ARCHIVED else self.state
        )


async def standings(conn: Connection) -> list[Standing]:
    """All programmes, archived ones too."""
    return [Standing(**{**row, "state": ProgrammeState(row["state"])}) for row in await conn.fetch(_CURRENT)]


async def definitions(conn: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Definitions of editions, as JSON text."""
    pairs = sorted(set(wanted))
    rows = await conn.fetch(
        "select e.programme, e.version, e.definition::text as text from editions e "
        "join unnest($1::text[], $2::text[]) as w (programme, version) using (programme, version)",
        [key for key, _ in pairs],
        [version for _, version in pairs],
    )
    return {(row["programme"], row["version"]): row["text"] for row in rows}


async def current_editions(conn: Connection) -> list[Edition]:
    """The newest edition of each programme, in the state it stands in."""
    found = await standings(conn)
    texts = await definitions(conn, [(one.key, one.version) for one in found])
    return [_edition(texts[one.key, one.version], one.shown) for one in found]


async def editions_of(conn: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Edition]:
    """The editions that plans were made with, each in its programme's present state."""
    states = {one.key: one.shown for one in await standings(conn)}
    texts = await definitions(conn, wanted)
    return {
        pair: _edition(text, states.get(pair[0], ProgrammeState.ARCHIVED)) for pair, text in texts.items()
    }


async def again_and_again(conn: Connection, wanted: Iterable[tuple[str, str]]) -> set[str]:
    """Those of programmes that ask in a series, or by hand: one plan ahead at a time."""
    rules = ((edition.key, edition.programme.when) for edition in (await editions_of(conn, wanted)).values())
    return {key for key, when in rules if when.recurring or when.by_hand}


async def save_edition(
    conn: Connection, edition: Edition, definition: dict[str, Any], file: str, at: datetime
) -> int:
    """Publish an edition as the programme's newest; returns its revision."""
    key = edition.key
    last = await conn.fetchval("select revision from programmes where key = $1 for update", key)
    revision = (last or 0) + 1
    text = json.dumps(definition)
    await conn.execute(_EDITION, key, edition.version, revision, text, at)
    await conn.execute(_SAVE, key, edition.version, revision, edition.programme.state, file, text, at)
    return revision


async def set_state(conn: Connection, key: str, state: ProgrammeState, at: datetime) -> int | None:
    """Change a programme's state; returns its new revision, None for an unknown one."""
    revision: int | None = await conn.fetchval(
        "update programmes set state = $2, revision = revision + 1, published_at = $3 where key = $1 "
        "returning revision",
        key,
        state,
        at,
    )
    return revision


@dataclass(frozen=True, slots=True)
class Published:
    """An edition that was once published."""

    version: str
    revision: int
    published_at: datetime


async def editions_by(conn: Connection, key: str) -> list[Published]:
    """All editions of a programme, newest first."""
    rows = await conn.fetch(
        "select version, revision, published_at from editions where programme = $1 order by revision desc",
        key,
    )
    return [Published(**row) for row in rows]


async def bump(conn: Connection, key: str) -> int | None:
    """A new revision of a programme whose definition stays, because its pause began or ended."""
    revision: int | None = await conn.fetchval(
        "update programmes set revision = revision + 1 where key = $1 returning revision", key
    )
    return revision


async def definition_of(conn: Connection, key: str) -> dict[str, Any] | None:
    """The newest definition of a programme."""
    text = await conn.fetchval("select definition::text from programmes where key = $1", key)
    return json.loads(text) if text else None


async def running(conn: Connection) -> dict[str, dict[str, Any]]:
    """The newest definition of each programme that is not ended, by key."""
    rows = await conn.fetch(
        "select key, definition::text as text from programmes where state <> 'archived' order by key"
    )
    return {row["key"]: json.loads(row["text"]) for row in rows}


async def titles(conn: Connection, keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """What programmes are called, by key and language."""
    rows = await conn.fetch(
        "select key, definition #>> '{title}' as title from programmes where key = any($1)", sorted(keys)
    )
    return {row["key"]: json.loads(row["title"]) for row in rows if row["title"]}


async def groups(conn: Connection) -> dict[str, dict[str, Any]]:
    """Definitions of all groups, by key."""
    rows = await conn.fetch("select key, definition::text as text from programme_groups order by key")
    return {row["key"]: json.loads(row["text"]) for row in rows}


async def replace_groups(conn: Connection, wanted: Mapping[str, dict[str, Any]]) -> None:
    """Keep these groups and no others."""
    await conn.execute("delete from programme_groups")
    await conn.executemany(
        "insert into programme_groups (key, definition) values ($1, $2::text::jsonb)",
        [(key, json.dumps(wanted[key])) for key in sorted(wanted)],
    )


async def replace_findings(conn: Connection, findings: Sequence[Finding]) -> None:
    """Keep what the last check found."""
    await conn.execute("delete from findings")
    await conn.execute(
        "insert into findings (severity, file, line, path, reason, what_to_do) "
        "select severity, file, line, path, reason, what_to_do "
        "from jsonb_populate_recordset(null::findings, $1::text::jsonb)",
        dump(findings),
    )


async def findings(conn: Connection) -> list[Finding]:
    """What the last check found, in order of place."""
    rows = await conn.fetch(
        "select severity, file, line, path, reason, what_to_do from findings order by file, line, id"
    )
    return [Finding(**{**row, "severity": Severity(row["severity"])}) for row in rows]


async def get_organisation(conn: Connection) -> Organisation | None:
    """The organisation's settings; None before anybody wrote them."""
    row = await conn.fetchrow("select version, body::text as body from organisation")
    return _organisation(row["body"]) if row else None


async def save_organisation(conn: Connection, organisation: Organisation) -> None:
    """Write the organisation's settings."""
    await conn.execute(
        "insert into organisation (version, body) values ($1, $2::text::jsonb) "
        "on conflict (only_row) do update set version = excluded.version, body = excluded.body",
        organisation.version,
        organisation.announcement(paused=False).model_dump_json(),
    )


def _organisation(text: str) -> Organisation:
    told = OrganisationChanged.model_validate_json(text)
    return Organisation(**{name: getattr(told, name) for name in Organisation.__dataclass_fields__})


@lru_cache(maxsize=512)
def _edition(text: str, state: ProgrammeState) -> Edition:
    """Reading a definition costs more than everything else in planning; the text alone decides the result."""
    return edition_of(json.loads(text), state)
