"""Contacts, accounts and the hashes by which people are found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.trigger.domain.model import Account, Contact
from services.trigger.store.rows import account_of, contact_of, dump
from shared.contracts.model import Persona
from shared.db.database import Connection
from shared.errors import Unavailable

_ALIASES = """
insert into aliases (hash, contact_id)
select * from unnest($1::text[], $2::uuid[]) order by 1 on conflict do nothing
"""
_SAVE_CONTACTS = """
insert into contacts select * from jsonb_populate_recordset(null::contacts, $1::text::jsonb) order by id
on conflict (id) do update set
    version = excluded.version, external_id = excluded.external_id, account_id = excluded.account_id,
    person = excluded.person, digest = excluded.digest, locale = excluded.locale, zone = excluded.zone,
    persona = excluded.persona, job_function = excluded.job_function, consent = excluded.consent,
    email_hash = excluded.email_hash, reach = excluded.reach, domains = excluded.domains,
    opted_out_at = excluded.opted_out_at, opted_out_of = excluded.opted_out_of,
    bounced_at = excluded.bounced_at, erased_at = excluded.erased_at, known_at = excluded.known_at,
    merged_into = excluded.merged_into, renewed = excluded.renewed
"""
_SAVE_ACCOUNTS = """
insert into accounts select * from jsonb_populate_recordset(null::accounts, $1::text::jsonb) order by id
on conflict (id) do update set
    version = excluded.version, external_id = excluded.external_id, name = excluded.name,
    tier = excluded.tier,
    industry = excluded.industry, size = excluded.size, owner = excluded.owner, region = excluded.region,
    annual_value = excluded.annual_value, acquisition_cost = excluded.acquisition_cost,
    phase = excluded.phase, started_on = excluded.started_on,
    renewal_on = excluded.renewal_on, paused = excluded.paused, known_at = excluded.known_at,
    deleted_at = excluded.deleted_at, merged_into = excluded.merged_into
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """Whose contact somebody is, and who they are now if they were merged."""

    account_id: UUID | None
    merged_into: UUID | None


async def find_aliases(conn: Connection, hashes: Iterable[str]) -> dict[str, UUID]:
    """Whose the hashes are."""
    rows = await conn.fetch("select hash, contact_id from aliases where hash = any($1)", sorted(set(hashes)))
    return {row["hash"]: row["contact_id"] for row in rows}


async def add_aliases(conn: Connection, aliases: Mapping[str, UUID]) -> None:
    """Remember hashes; one that is known already stays with its contact."""
    await conn.execute(_ALIASES, list(aliases), list(aliases.values()))


async def lock_accounts(
    conn: Connection, ids: Iterable[UUID], *, skip_busy: bool = False
) -> dict[UUID, Account]:
    """Lock accounts in id order; with `skip_busy` those that somebody else holds are left out."""
    busy = "skip locked" if skip_busy else ""
    rows = await conn.fetch(
        f"select * from accounts where id = any($1) order by id for no key update {busy}",  # noqa: S608 - a constant
        sorted(set(ids)),
    )
    return {row["id"]: account_of(row) for row in rows}


async def lock_contacts(
    conn: Connection, ids: Iterable[UUID], *, skip_busy: bool = False
) -> dict[UUID, Contact]:
    """Lock contacts in id order; with `skip_busy` those that somebody else holds are left out."""
    busy = "skip locked" if skip_busy else ""
    rows = await conn.fetch(
        f"select * from contacts where id = any($1) order by id for no key update {busy}",  # noqa: S608 - a constant
        sorted(set(ids)),
    )
    return {row["id"]: contact_of(row) for row in rows}


async def lock_people(
    conn: Connection, ids: Iterable[UUID], companies: Iterable[UUID] = ()
) -> dict[UUID, Contact]:
    """Lock contacts, and before them their accounts and other companies, each in id order.

    A round of the gate holds the accounts and people it decides about. Whoever changes what a round looks at,
    and then wakes what was let wait because of it, comes here first: after a round that is under way, so that
    what it lets wait is found, or before the next one, which then sees the change.

    Raises:
        Unavailable: Somebody changed company meanwhile; the same work will succeed later.
    """
    wanted = set(ids)
    seen = await glance_at(conn, wanted)
    homes = {*companies, *(one.account_id for one in seen.values() if one.account_id)}
    if homes:
        await lock_accounts(conn, homes)
    found = await lock_contacts(conn, wanted)
    if any(one.account_id and one.account_id not in homes for one in found.values()):
        raise Unavailable("somebody changed company meanwhile")
    return found


async def claim_accounts(
    conn: Connection, accounts: Sequence[Account], known: Iterable[UUID] = ()
) -> tuple[dict[UUID, Account], dict[UUID, UUID]]:
    """Make rows for accounts that are new, then lock all of them, and others that are known, in id order.

    Returns:
        The accounts as they are now, and where former ids of them lead.
    """
    ids = [account.id for account in accounts]
    there = await conn.fetch("select id, merged_into from accounts where id = any($1)", ids)
    old = {row["id"]: row["merged_into"] for row in there}
    await _insert_new(conn, "accounts", [account for account in accounts if account.id not in old])
    leads = {former: into for former, into in old.items() if into}
    return await lock_accounts(conn, [*(leads.get(one, one) for one in ids), *known]), leads


async def glance_at(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Glance]:
    """What decides about locks, of those contacts that have a row; without a lock."""
    query = "select id, account_id, merged_into from contacts where id = any($1)"
    rows = await conn.fetch(query, list(ids))
    return {row["id"]: Glance(row["account_id"], row["merged_into"]) for row in rows}


async def claim_contacts(conn: Connection, ids: Iterable[UUID], new: Iterable[UUID]) -> dict[UUID, Contact]:
    """Make rows for contacts that are new, then lock all of them in id order."""
    await _insert_new(conn, "contacts", [Contact(id=contact_id) for contact_id in sorted(set(new))])
    return await lock_contacts(conn, ids)


async def save_contacts(conn: Connection, contacts: Iterable[Contact]) -> None:
    """Write contacts whose rows are locked."""
    await _write(conn, _SAVE_CONTACTS, contacts)


async def save_accounts(conn: Connection, accounts: Iterable[Account]) -> None:
    """Write accounts whose rows are locked."""
    await _write(conn, _SAVE_ACCOUNTS, accounts)


async def hear_of_contacts(conn: Connection, known_at: Mapping[UUID, datetime]) -> None:
    """Note that something happened with contacts that changed nothing else; their rows are locked."""
    await _hear(conn, "contacts", known_at)


async def hear_of_accounts(conn: Connection, known_at: Mapping[UUID, datetime]) -> None:
    """Note that something happened with accounts that changed nothing else; their rows are locked."""
    await _hear(conn, "accounts", known_at)


async def contacts_of(conn: Connection, account_ids: Iterable[UUID]) -> dict[UUID, list[Contact]]:
    """The people of accounts who were not erased, by account."""
    rows = await conn.fetch(
        "select * from contacts where account_id = any($1) and erased_at is null and merged_into is null "
        "order by id",
        sorted(set(account_ids)),
    )
    return _by_account(map(contact_of, rows))


async def contacts_by_persona(
    conn: Connection, account_ids: Iterable[UUID], personas: Iterable[Persona]
) -> dict[UUID, list[Contact]]:
    """The people of accounts who are of some personas and were not erased, by account."""
    rows = await conn.fetch(
        "select * from contacts where account_id = any($1) and persona = any($2) and erased_at is null "
        "and merged_into is null order by id",
        sorted(set(account_ids)),
        sorted(set(personas)),
    )
    return _by_account(map(contact_of, rows))


async def get_contacts(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Contact]:
    """Contacts as they are, without a lock."""
    rows = await conn.fetch("select * from contacts where id = any($1)", list(ids))
    return {row["id"]: contact_of(row) for row in rows}


async def get_accounts(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Accounts as they are, without a lock."""
    rows = await conn.fetch("select * from accounts where id = any($1)", list(ids))
    return {row["id"]: account_of(row) for row in rows}


async def find_accounts(conn: Connection, text: str, limit: int = 20) -> list[Account]:
    """Accounts by external id or by the beginning of their name."""
    rows = await conn.fetch(
        "select * from accounts where deleted_at is null and merged_into is null "
        "and (external_id = $1 or starts_with(lower(name), lower($1))) order by name limit $2",
        text,
        limit,
    )
    return [account_of(row) for row in rows]


async def is_unpublished(conn: Connection, event_id: UUID) -> bool:
    """Whether an event of ours still waits for the broker."""
    query = "select exists (select from outbox where not published and event_id = $1)"
    return bool(await conn.fetchval(query, str(event_id)))


async def ids_of(conn: Connection, table: str) -> list[UUID]:
    """Ids of a whole table, in order; for republication alone."""
    queries = {
        "contacts": "select id from contacts where version > 0 order by id",
        "accounts": "select id from accounts where version > 0 order by id",
    }
    return [row["id"] for row in await conn.fetch(queries[table])]


def _by_account(contacts: Iterable[Contact]) -> dict[UUID, list[Contact]]:
    found: dict[UUID, list[Contact]] = {}
    for contact in contacts:
        if contact.account_id:
            found.setdefault(contact.account_id, []).append(contact)
    return found


async def _hear(conn: Connection, table: str, known_at: Mapping[UUID, datetime]) -> None:
    query = f"""
        update {table} set known_at = heard.at from unnest($1::uuid[], $2::timestamptz[]) as heard (id, at)
        where {table}.id = heard.id
    """  # noqa: S608 - one of two tables of ours
    if known_at:
        await conn.execute(query, list(known_at), list(known_at.values()))


async def _write(conn: Connection, query: str, things: Iterable[Account] | Iterable[Contact]) -> None:
    if rows := list(things):
        await conn.execute(query, dump(rows))


async def _insert_new(conn: Connection, table: str, fresh: Sequence[Account] | Sequence[Contact]) -> None:
    query = f"""
        insert into {table} select * from jsonb_populate_recordset(null::{table}, $1::text::jsonb)
        order by id on conflict do nothing
    """  # noqa: S608 - one of two tables of ours
    await _write(conn, query, fresh)
