"""What the pages of the directory show, read in one place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from services.trigger.domain.explain import because
from services.trigger.domain.model import Account, Contact, Decision
from services.trigger.domain.particulars import Reading, hold_in_words
from services.trigger.handlers import people
from services.trigger.handlers.looking_up import events_of_interest
from services.trigger.handlers.preview import by_hand
from services.trigger.store import brakes, consents, directory, merging, programmes, seen
from services.trigger.store.leads import PEOPLE as ENTRIES
from services.trigger.store.leads import current_ids
from shared.contracts.model import Person
from shared.db.database import Connection
from shared.runtime.service import Platform

PEOPLE = 200
PAIRS = 50


async def names_of(conn: Connection, platform: Platform, contacts: Iterable[Contact]) -> dict[UUID, Person]:
    """Who people are; empty for whoever was erased."""
    folk = list(contacts)
    opened = await platform.sealer.open(conn, [(one.id, one.person) for one in folk], Person)
    return {one.id: person or Person() for one, person in zip(folk, opened, strict=True)}


async def people_of(
    conn: Connection, platform: Platform, named: Collection[UUID]
) -> dict[UUID, Mapping[str, object]]:
    """Who ids mean; whoever was merged is whom they are now."""
    leads = await current_ids(conn, ENTRIES, named)
    known = await directory.get_contacts(conn, leads.values())
    persons = await names_of(conn, platform, known.values())
    return {
        one: {"id": now, "person": persons[now], "erased": known[now].erased_at is not None}
        for one, now in leads.items()
        if now in known
    }


async def operators_of(platform: Platform, actors: Iterable[str]) -> dict[str, str]:
    """Names of the operators among actors, as far as they are still users; what is kept of them is ids."""
    ids = {actor: people.as_uuid(actor.partition("user:")[2]) for actor in set(actors)}
    users = {actor: await platform.access.user(one) for actor, one in ids.items() if one}
    return {actor: user.name for actor, user in users.items() if user}


async def reading_of(conn: Connection, decisions: Sequence[Decision], zone: str) -> Reading:
    """For a reader: what programmes are called today, those too that came first, and the own clock."""
    keys = {str(key) for one in decisions for key in (one.programme, one.inputs.get("by"))} - {"", "None"}
    return Reading(await titles_of(conn, keys), ZoneInfo(zone), await events_of_interest(conn, decisions))


async def titles_of(conn: Connection, keys: Collection[str]) -> dict[str, str]:
    """What programmes are called today, in English where there is one."""
    found = await programmes.titles(conn, keys)
    return {key: title.get("en") or next(iter(title.values()), "") for key, title in found.items()}


async def _asking(
    conn: Connection, platform: Platform, contacts: Sequence[UUID], accounts: Sequence[UUID]
) -> dict[str, object]:
    """What is planned and was asked, of whom, and what is waited for."""
    planned, asked = await seen.planned(conn, contacts, accounts), await seen.asked(conn, contacts, accounts)
    told: list[seen.Ahead | seen.Past] = [*planned, *asked]
    named = {one.contact_id for one in told if one.contact_id} if accounts else set()
    return {
        "planned": planned,
        "asked": asked,
        "titles": await titles_of(conn, {one.programme for one in told} - {""}),
        "whom": await people_of(conn, platform, named),
        "because": because,
        "hold_in_words": hold_in_words,
    }


async def duplicates_context(conn: Connection, platform: Platform) -> list[Mapping[str, object]]:
    """Pairs of entries that may be one person, with their names and addresses."""
    found = await merging.suspicions(conn, PAIRS)
    known = await directory.get_contacts(conn, {one for pair in found for one in (pair.one, pair.other)})
    names = await names_of(conn, platform, known.values())
    return [
        {"pair": pair, "one": names[pair.one], "other": names[pair.other]}
        for pair in found
        if pair.one in names and pair.other in names
    ]


async def contact_context(conn: Connection, platform: Platform, contact: Contact) -> dict[str, object]:
    """A person with all that was and will be asked, and what they said about it."""
    ids = await people.all_ids(conn, contact.id)
    accounts = await directory.get_accounts(conn, [contact.account_id] if contact.account_id else [])
    said = (await consents.histories(conn, [contact.id]))[contact.id]
    return {
        "contact": contact,
        "person": (await names_of(conn, platform, [contact]))[contact.id],
        "account": next(iter(accounts.values()), None),
        "operators": await operators_of(platform, (one.by for one in said)),
        "history": sorted(said, key=lambda one: (one.until, one.id), reverse=True),
        "former": len(ids) - 1,
        **await _asking(conn, platform, [contact.id], []),
        "holds": await brakes.holds_on(conn, [contact.id], list(accounts)),
        "manual": [] if contact.erased_at else await by_hand(conn),
    }


async def account_context(conn: Connection, platform: Platform, account: Account) -> dict[str, object]:
    """A company with its people."""
    staff = (await directory.contacts_of(conn, [account.id])).get(account.id, [])
    shown = staff[:PEOPLE]
    set_now = await brakes.brakes_now(conn)
    return {
        "account": account,
        "people": shown,
        "more": len(staff) - len(shown),
        "names": await names_of(conn, platform, shown),
        **await _asking(conn, platform, [], [account.id]),
        "holds": await brakes.holds_on(conn, [], [account.id]),
        "paused": account.id in set_now.accounts,
        "former": len(await people.all_ids_of_account(conn, account.id)) - 1,
        "manual": await by_hand(conn),
    }
