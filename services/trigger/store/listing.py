"""Pages of the directory, by the key: the next page costs what the first one did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from services.trigger.domain.model import Account, Contact
from services.trigger.store.rows import account_of, contact_of
from shared.contracts.directory import Consent
from shared.contracts.model import Persona, Tier
from shared.db.database import Connection

_CONTACTS = """
select * from contacts
where version > 0 and merged_into is null and (erased_at is not null) = $8
  and ($1::uuid is null or account_id = $1) and ($2::text is null or persona = $2)
  and ($3::text = '' or job_function = $3) and ($4::text = '' or locale = $4)
  and ($5::text is null or consent = $5)
  and ($6::boolean is null or (opted_out_at is not null) = $6)
  and ($7::boolean is null or (bounced_at is not null) = $7)
  and ($9::uuid is null or id > $9)
order by id limit $10
"""
_ACCOUNTS = """
select * from accounts
where version > 0 and deleted_at is null and merged_into is null
  and ($1::text = '' or starts_with(lower(name), lower($1))) and ($2::text is null or tier = $2)
  and ($3::text = '' or industry = $3) and ($4::text = '' or owner = $4) and ($5::text = '' or region = $5)
  and ($6::text = '' or phase = $6) and ($7::boolean is null or paused = $7)
  and ($8::uuid is null or id > $8)
order by id limit $9
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Which contacts are wanted; what is left out does not matter. `after`: the page before ended there."""

    account_id: UUID | None = None
    persona: Persona | None = None
    job_function: str = ""
    locale: str = ""
    consent: Consent | None = None
    opted_out: bool | None = None
    bounced: bool | None = None
    erased: bool = False
    after: UUID | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Which accounts are wanted; what is left out does not matter."""

    name: str = ""
    tier: Tier | None = None
    industry: str = ""
    owner: str = ""
    region: str = ""
    phase: str = ""
    paused: bool | None = None
    after: UUID | None = None
    limit: int = 50


async def list_contacts(conn: Connection, wanted: Contacts) -> list[Contact]:
    """A page of contacts in id order; nobody who leads to somebody else."""
    return [contact_of(row) for row in await conn.fetch(_CONTACTS, *asdict(wanted).values())]


async def list_accounts(conn: Connection, wanted: Accounts) -> list[Account]:
    """A page of accounts in id order, deleted and merged ones left out."""
    return [account_of(row) for row in await conn.fetch(_ACCOUNTS, *asdict(wanted).values())]
