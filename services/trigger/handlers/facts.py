"""What the gate looks at, read from the store: for plans that are due, and for somebody who only asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.trigger.domain.arbitration import rival_of
from services.trigger.domain.facts import Asks, Facts, Rival
from services.trigger.domain.model import Plan
from services.trigger.domain.naming import Blind
from services.trigger.domain.programme import Edition
from services.trigger.handlers.crowds import parts_ahead
from services.trigger.handlers.looking_ahead import look_ahead
from services.trigger.store import asks, brakes, directory, invitations, plans, programmes, shadow
from shared.db.database import Connection
from shared.errors import Unavailable

MEMORY = timedelta(days=800)
"""How far back asks can matter: longer than any quarantine that passes the check."""


async def load_facts(conn: Connection, now: datetime, blind: Blind, *, acting: bool = False) -> Facts:
    """What the gate needs to know whoever it is about.

    Args:
        conn: Where to read it.
        now: Business time.
        blind: The keyed hash of names.
        acting: Whether what the gate says will be written; brakes then stay set until it is.

    Raises:
        Unavailable: The organisation's settings are not written yet.
    """
    organisation = await programmes.get_organisation(conn)
    if organisation is None:
        raise Unavailable("the organisation's settings are not written yet")
    own = frozenset(blind("domain", domain) for domain in organisation.own_domains)
    return Facts(now, organisation, own, await brakes.brakes_now(conn, held=acting))


async def load_people(
    conn: Connection, due: Sequence[Plan], edition_of: Callable[[Plan], Edition], facts: Facts
) -> None:
    """Asks, holds and rivals of everybody in the batch; whoever acts on it has locked the people's rows."""
    people = sorted({p.contact_id for p in due if p.contact_id})
    companies = sorted({p.account_id for p in due if p.account_id})
    facts.asks = Asks(await asks.recent_asks(conn, people, companies, facts.now - MEMORY))
    for invitation in await invitations.recent(conn, people, companies, facts.now - MEMORY):
        facts.asks.add(invitation)
    if rehearsing := sorted({p.programme for p in due if p.shadow}):
        for ask in await shadow.would_be(conn, rehearsing, people, companies, facts.now - MEMORY):
            facts.would_be.setdefault(ask.programme, Asks()).add(ask)
    await look_ahead(conn, due, edition_of, facts, facts.now - MEMORY)
    facts.holds = await brakes.holds_on(conn, people, companies)
    facts.rivals = rivals = await plans.rivals_of(conn, people, facts.now + MEMORY)
    for contact_id, rival in await _foresee(conn, due, people, companies, facts):
        rivals.setdefault(contact_id, []).append(rival)


async def _foresee(
    conn: Connection, due: Sequence[Plan], people: Sequence[UUID], companies: Sequence[UUID], facts: Facts
) -> list[tuple[UUID, Rival]]:
    """Audiences that are not yet resolved as rivals of those who will be in them."""
    unresolved = await plans.audiences_of(conn, companies, people, facts.now + MEMORY)
    editions = await programmes.editions_of(conn, [(p.programme, p.version) for p in unresolved])
    parents = [(parent, editions[parent.programme, parent.version]) for parent in unresolved]
    parts = await parts_ahead(conn, parents, facts.now, people)
    abroad = {parent.account_id for parent in unresolved if parent.account_id} - facts.accounts.keys()
    if abroad:
        facts.accounts = {**await directory.get_accounts(conn, abroad), **facts.accounts}
    found: list[tuple[UUID, Rival]] = []
    for parent, edition in parents:
        part = parts.get(parent.id, {})
        for plan in due:
            if plan.contact_id is None:
                continue
            rival = rival_of(parent, plan, edition, facts, part.get(plan.contact_id))
            if rival:
                found.append((plan.contact_id, rival))
    return found
