"""Copies of contacts, accounts and the organisation; an older version never replaces a newer one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased, OrganisationChanged
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who runs this deployment; the defaults hold until settings arrive."""

    name: str = ""
    zone: str = "UTC"
    public_url: str = ""


async def save_contacts(conn: Connection, contacts: Sequence[ContactChanged | ContactErased]) -> None:
    """Write contacts, one row each; of an erased one only the fact is kept."""
    if not contacts:
        return
    rows = [_contact(contact) for contact in contacts]
    await conn.execute(
        """
        insert into contacts (contact_id, version, account_id, person, locale, zone, persona, job_function,
            erased)
        select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[],
            $7::text[],
            $8::text[], $9::bool[])
        on conflict (contact_id) do update set
            version = excluded.version, account_id = excluded.account_id, person = excluded.person,
            locale = excluded.locale, zone = excluded.zone, persona = excluded.persona,
            job_function = excluded.job_function, erased = excluded.erased
        where contacts.version < excluded.version and not contacts.erased
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def forget(conn: Connection, contact_ids: Collection[UUID]) -> None:
    """Empty what was sealed for erased contacts; their key is gone, so this only tidies up."""
    await conn.execute(
        "update answers set words = '', person = '', themes = '{}' where contact_id = any($1)",
        list(contact_ids),
    )


async def save_accounts(conn: Connection, accounts: Sequence[AccountChanged]) -> None:
    """Write accounts, one row each."""
    if not accounts:
        return
    rows = [
        (
            UUID(a.account_id), a.version, a.name, a.tier.value if a.tier else "", a.industry, a.owner,
            a.annual_value, a.phase, a.renewal_on,
        )
        for a in accounts
    ]  # fmt: skip
    await conn.execute(
        """
        insert into accounts (account_id, version, name, tier, industry, owner, annual_value, phase,
            renewal_on)
        select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::float8[],
            $8::text[], $9::date[])
        on conflict (account_id) do update set
            version = excluded.version, name = excluded.name, tier = excluded.tier,
            industry = excluded.industry,
            owner = excluded.owner, annual_value = excluded.annual_value, phase = excluded.phase,
            renewal_on = excluded.renewal_on
        where accounts.version < excluded.version
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def save_organisation(conn: Connection, organisation: OrganisationChanged) -> None:
    """Write the organisation's settings."""
    await conn.execute(
        """
        insert into organisation (version, name, zone, public_url) values ($1, $2, $3, $4)
        on conflict (only_row) do update set
            version = excluded.version, name = excluded.name, zone = excluded.zone,
            public_url = excluded.public_url
        where organisation.version < excluded.version
        """,
        organisation.version,
        organisation.name,
        organisation.zone,
        organisation.public_url,
    )


async def organisation(conn: Connection) -> Organisation:
    """The organisation's settings."""
    row = await conn.fetchrow("select name, zone, public_url from organisation")
    return Organisation(row["name"], row["zone"], row["public_url"]) if row else Organisation()


async def owners(conn: Connection, account_ids: Collection[UUID]) -> dict[UUID, str]:
    """E-mail addresses of the accounts' owners, as far as known; of merged ones the owner of what stays."""
    rows = await conn.fetch(
        "select asked, owner from unnest($1::uuid[]) as asked left join merged m on m.former = asked "
        "join accounts a on a.account_id = coalesce(m.id, asked) where owner <> ''",
        list(account_ids),
    )
    return {row["asked"]: row["owner"] for row in rows}


async def owned(conn: Connection) -> dict[str, int]:
    """How many accounts each owner has, whoever is named; those with most first."""
    rows = await conn.fetch(
        "select owner, count(*) as n from accounts a where owner <> '' "
        "and not exists (select from merged m where m.former = a.account_id) "
        "group by owner order by n desc, owner"
    )
    return {row["owner"]: row["n"] for row in rows}


def _contact(contact: ContactChanged | ContactErased) -> tuple[object, ...]:
    account_id = UUID(contact.account_id) if contact.account_id else None
    if isinstance(contact, ContactErased):
        return (UUID(contact.contact_id), contact.version, account_id, "", "", "", "", "", True)
    persona = contact.persona.value if contact.persona else ""
    return (
        UUID(contact.contact_id), contact.version, account_id, contact.person, contact.locale, contact.zone,
        persona, contact.job_function, False,
    )  # fmt: skip
