"""Every statement on schema `access`. Takes and returns values, decides nothing."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.db.database import Connection
from shared.security.people import ApiKey, NewUser, Session, User
from shared.security.roles import Role, Scope
from shared.security.throttle import MAX_ATTEMPTS_READ, WINDOW, Attempt

_USER = """
    u.id, u.email, u.name, u.role, u.zone, u.locale, u.phone, u.created_at, u.disabled_at,
    u.password_hash is not null as has_password
"""
_KEY = "id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at"


def _user(row: Mapping[str, Any]) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        zone=row["zone"],
        locale=row["locale"],
        phone=row["phone"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        has_password=row["has_password"],
    )


def _key(row: Mapping[str, Any]) -> ApiKey:
    known = {scope.value for scope in Scope}
    return ApiKey(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        # A scope that this version no longer knows opens nothing.
        scopes=frozenset(Scope(scope) for scope in row["scopes"] if scope in known),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )


async def users(
    conn: Connection, roles: Collection[Role] = tuple(Role), *, active: bool = False
) -> list[User]:
    """The people of these roles, by name."""
    rows = await conn.fetch(
        f"select {_USER} from access.users u where role = any($1) and not ($2 and disabled_at is not null) "  # noqa: S608 - our columns
        "order by lower(name), email",
        list(roles),
        active,
    )
    return [_user(row) for row in rows]


async def user(conn: Connection, user_id: UUID) -> User | None:
    """One person."""
    row = await conn.fetchrow(f"select {_USER} from access.users u where id = $1", user_id)  # noqa: S608 - our columns
    return None if row is None else _user(row)


async def user_by_email(conn: Connection, email: str) -> User | None:
    """The person with this address, already normalised."""
    row = await conn.fetchrow(f"select {_USER} from access.users u where email = $1", email)  # noqa: S608 - our columns
    return None if row is None else _user(row)


async def password_hash(conn: Connection, user_id: UUID) -> str | None:
    """The stored hash; None before the account was set up."""
    stored: str | None = await conn.fetchval("select password_hash from access.users where id = $1", user_id)
    return stored


async def save_new_user(conn: Connection, user_id: UUID, new: NewUser, at: datetime) -> bool:
    """Add a person without a password; False where the address is taken."""
    return bool(
        await conn.fetchval(
            "insert into access.users (id, email, name, role, zone, locale, phone, created_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (email) do nothing returning true",
            user_id,
            new.email,
            new.name,
            new.role,
            new.zone,
            new.locale,
            new.phone,
            at,
        )
    )


async def lock_admins(conn: Connection) -> list[UUID]:
    """The active admins that can sign in, locked: two who disable each other take turns."""
    rows = await conn.fetch(
        "select id from access.users where role = 'admin' and disabled_at is null "
        "and password_hash is not null order by id for update"
    )
    return [row["id"] for row in rows]


async def save_role(conn: Connection, user_id: UUID, role: Role) -> None:
    """Change what a person may do; holds from the next request on."""
    await conn.execute("update access.users set role = $2 where id = $1", user_id, role)


async def save_profile(conn: Connection, user_id: UUID, profile: NewUser) -> None:
    """Change name, zone, language and phone."""
    await conn.execute(
        "update access.users set name = $2, zone = $3, locale = $4, phone = $5 where id = $1",
        user_id,
        profile.name,
        profile.zone,
        profile.locale,
        profile.phone,
    )


async def save_disabled(conn: Connection, user_id: UUID, at: datetime | None) -> None:
    """Shut an account, or open it again with None."""
    await conn.execute("update access.users set disabled_at = $2 where id = $1", user_id, at)


async def save_password(conn: Connection, user_id: UUID, stored: str) -> None:
    """Replace the hash."""
    await conn.execute("update access.users set password_hash = $2 where id = $1", user_id, stored)


async def save_setup_link(
    conn: Connection, token: bytes, user_id: UUID, at: datetime, expires_at: datetime
) -> None:
    """Make this the one link of the person; earlier unused ones stop working."""
    await conn.execute("delete from access.setup_links where user_id = $1 and used_at is null", user_id)
    await conn.execute(
        "insert into access.setup_links (token_sha256, user_id, created_at, expires_at) "
        "values ($1, $2, $3, $4)",
        token,
        user_id,
        at,
        expires_at,
    )


async def setup_user(conn: Connection, token: bytes, now: datetime) -> User | None:
    """Whose unused, unexpired link this is."""
    row = await conn.fetchrow(
        f"select {_USER} from access.setup_links l join access.users u on u.id = l.user_id "  # noqa: S608 - our columns
        "where l.token_sha256 = $1 and l.used_at is null and l.expires_at > $2 and u.disabled_at is null",
        token,
        now,
    )
    return None if row is None else _user(row)


async def use_setup_link(conn: Connection, token: bytes, now: datetime) -> bool:
    """Use the link up; False for the second of two who try."""
    return bool(
        await conn.fetchval(
            "update access.setup_links set used_at = $2 "
            "where token_sha256 = $1 and used_at is null and expires_at > $2 returning true",
            token,
            now,
        )
    )


async def save_session(conn: Connection, token: bytes, session: Session, at: datetime) -> None:
    """Remember a signed-in person; sweeps expired sessions away."""
    await conn.execute("delete from access.sessions where expires_at <= $1", at)
    await conn.execute(
        "insert into access.sessions (token_sha256, user_id, csrf, created_at, expires_at) "
        "values ($1, $2, $3, $4, $5)",
        token,
        session.user.id,
        session.csrf,
        at,
        session.expires_at,
    )


async def session(conn: Connection, token: bytes, now: datetime) -> Session | None:
    """The live session of this token."""
    row = await conn.fetchrow(
        f"select {_USER}, s.csrf, s.expires_at "  # noqa: S608 - our columns
        "from access.sessions s join access.users u on u.id = s.user_id "
        "where s.token_sha256 = $1 and s.expires_at > $2 and u.disabled_at is null",
        token,
        now,
    )
    return None if row is None else Session(_user(row), row["csrf"], row["expires_at"])


async def delete_session(conn: Connection, token: bytes) -> UUID | None:
    """End one session; whose it was."""
    owner: UUID | None = await conn.fetchval(
        "delete from access.sessions where token_sha256 = $1 returning user_id", token
    )
    return owner


async def delete_sessions_of(conn: Connection, user_id: UUID) -> None:
    """End all sessions of a person."""
    await conn.execute("delete from access.sessions where user_id = $1", user_id)


async def lock_account(conn: Connection, account: bytes) -> None:
    """Let tries at one account take turns until the transaction ends, so that each is counted."""
    number = int.from_bytes(account[:8], "big", signed=True)
    await conn.execute("select pg_advisory_xact_lock($1)", number)


async def attempts(conn: Connection, account: bytes, address: str, now: datetime) -> list[Attempt]:
    """The latest tries at this account or from this address inside the window."""
    rows = await conn.fetch(
        "select account, address, at, succeeded from access.sign_in_attempts "
        "where (account = $1 or address = $2) and at > $3 order by at desc limit $4",
        account,
        address,
        now - WINDOW,
        MAX_ATTEMPTS_READ,
    )
    return [Attempt(row["account"], row["address"], row["at"], row["succeeded"]) for row in rows]


async def save_attempt(conn: Connection, attempt: Attempt) -> int:
    """Note a try; its id."""
    number: int = await conn.fetchval(
        "insert into access.sign_in_attempts (account, address, at, succeeded) values ($1, $2, $3, $4) "
        "returning id",
        attempt.account,
        attempt.address,
        attempt.at,
        attempt.succeeded,
    )
    return number


async def save_success(conn: Connection, attempt_id: int, keep_since: datetime) -> None:
    """The noted try was right; tries older than `keep_since` are forgotten."""
    await conn.execute("update access.sign_in_attempts set succeeded = true where id = $1", attempt_id)
    await conn.execute("delete from access.sign_in_attempts where at < $1", keep_since)


async def api_keys(conn: Connection) -> list[ApiKey]:
    """All keys, the newest first."""
    rows = await conn.fetch(f"select {_KEY} from access.api_keys order by created_at desc, name")  # noqa: S608 - our columns
    return [_key(row) for row in rows]


async def api_key(conn: Connection, secret: bytes) -> ApiKey | None:
    """The key with this hash of its secret."""
    row = await conn.fetchrow(f"select {_KEY} from access.api_keys where secret_sha256 = $1", secret)  # noqa: S608 - our columns
    return None if row is None else _key(row)


async def save_api_key(conn: Connection, key: ApiKey, secret: bytes, created_by: UUID | None) -> None:
    """Add a key."""
    await conn.execute(
        "insert into access.api_keys "
        "(id, name, prefix, secret_sha256, scopes, created_by, created_at, expires_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        key.id,
        key.name,
        key.prefix,
        secret,
        sorted(key.scopes),
        created_by,
        key.created_at,
        key.expires_at,
    )


async def save_key_used(conn: Connection, key_id: UUID, at: datetime, every: timedelta) -> None:
    """Note the use of a key, at most once per `every`."""
    await conn.execute(
        "update access.api_keys set last_used_at = $2 "
        "where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - $3::interval)",
        key_id,
        at,
        every,
    )


async def revoke_api_key(conn: Connection, key_id: UUID, at: datetime) -> bool:
    """Shut a key; False when there is none or it is shut already."""
    return bool(
        await conn.fetchval(
            "update access.api_keys set revoked_at = $2 where id = $1 and revoked_at is null returning true",
            key_id,
            at,
        )
    )


async def revoke_token(conn: Connection, purpose: str, subject: UUID, reason: str, at: datetime) -> None:
    """Refuse the signed tokens of this purpose and subject from now on."""
    await conn.execute(
        "insert into access.revocations (purpose, subject, revoked_at, reason) values ($1, $2, $3, $4) "
        "on conflict do nothing",
        purpose,
        subject,
        at,
        reason,
    )


async def revoked(conn: Connection, purpose: str, subjects: Sequence[UUID]) -> set[UUID]:
    """Which of the subjects have their tokens of this purpose revoked."""
    rows = await conn.fetch(
        "select subject from access.revocations where purpose = $1 and subject = any($2)",
        purpose,
        list(subjects),
    )
    return {row["subject"] for row in rows}


async def audit(
    conn: Connection, at: datetime, actor: str, action: str, subject: str, **detail: str | int | list[str]
) -> None:
    """Add a line to the audit log. Ids and codes only: the log outlives every erasure."""
    await conn.execute(
        "insert into access.audit (id, at, actor, action, subject, detail, previous, hash) "
        "values (0, $1, $2, $3, $4, $5::text::jsonb, '', '')",
        at,
        actor,
        action,
        subject,
        json.dumps(detail),
    )


async def first_broken_audit_row(conn: Connection) -> int | None:
    """The first row that was altered, or whose predecessor is gone; None when all is well."""
    broken: int | None = await conn.fetchval(
        """
        select min(id) from (
            select id, hash, previous,
                   coalesce(lag(hash) over (order by id), ''::bytea) as expected_previous,
                   coalesce(lag(id) over (order by id), 0) + 1 as expected_id,
                   access.audit_hash(id, at, actor, action, subject, detail, previous) as expected_hash
            from access.audit
        ) as chain
        where hash <> expected_hash or previous <> expected_previous or id <> expected_id
        """
    )
    return broken
