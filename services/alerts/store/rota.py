"""The rota, and everybody who can be told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.alerts.domain.layers import Override
from services.alerts.domain.rota import Rota
from services.alerts.domain.routing import Member, Rank, Staff
from services.alerts.domain.teams import NO_ROSTER, Roster
from services.alerts.store import calendars
from shared.db.database import Connection
from shared.security import access_store
from shared.security.roles import Role

_RANKS = {Role.VIEWER: Rank.VIEWER, Role.REP: Rank.REP, Role.MANAGER: Rank.MANAGER, Role.ADMIN: Rank.ADMIN}


async def load(conn: Connection, since: datetime) -> Rota:
    """The rota with its overrides that end after `since`; an empty one while none was set."""
    overrides = tuple(
        Override(row["id"], row["user_id"], row["starts_at"], row["ends_at"], row["team"], row["swap"])
        for row in await conn.fetch(
            "select * from rota_overrides where ends_at > $1 order by starts_at",
            since,
        )
    )
    row = await conn.fetchrow("select version, members, starts_on, hour, zone, calendar from rota")
    if row is None:
        return Rota(overrides=overrides)
    return Rota(
        tuple(row["members"]),
        row["starts_on"],
        row["hour"],
        row["zone"],
        overrides,
        version=row["version"],
        calendar=calendars.load(row["calendar"]),
    )


async def save(conn: Connection, rota: Rota) -> bool:
    """Replace the rota of version `rota.version`; False when somebody else has changed it meanwhile."""
    return bool(
        await conn.fetchval(
            """
            insert into rota (version, members, starts_on, hour, zone, calendar)
            values ($1 + 1, $2, $3, $4, $5, $6)
            on conflict (only_row) do update set
                version = excluded.version, members = excluded.members, starts_on = excluded.starts_on,
                hour = excluded.hour, zone = excluded.zone, calendar = excluded.calendar
            where rota.version = $1
            returning true
            """,
            rota.version,
            list(rota.members),
            rota.starts_on,
            rota.hour,
            rota.zone,
            calendars.dump(rota.calendar),
        )
    )


async def add_override(conn: Connection, override: Override) -> None:
    """Put somebody else on call for a while; repeating it changes nothing."""
    await conn.execute(
        """
        insert into rota_overrides (id, user_id, starts_at, ends_at, team, swap)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing
        """,
        override.id,
        override.user_id,
        override.starts_at,
        override.ends_at,
        override.team,
        override.swap,
    )


async def remove_override(conn: Connection, override_id: UUID) -> None:
    """Take an override back; one that belongs to a swap goes with the swap alone."""
    await conn.execute("delete from rota_overrides where id = $1 and swap is null", override_id)


async def staff(
    conn: Connection, now: datetime, leadership: tuple[str, ...] = (), roster: Roster = NO_ROSTER
) -> Staff:
    """Everybody active, with the rotas."""
    members = tuple(
        Member(user.id, user.email, user.name, _RANKS[user.role], user.zone)
        for user in await access_store.users(conn, active=True)
    )
    return Staff(members, await load(conn, now), leadership, roster)


async def names(conn: Connection) -> dict[UUID, str]:
    """Names of all users, those who left included."""
    return {user.id: user.name for user in await access_store.users(conn)}
