"""The plan after one that comes due in a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.trigger.domain import series
from services.trigger.domain.book import World
from services.trigger.domain.decisions import of_plan
from services.trigger.domain.model import Account, Contact, Decision, Organisation, Plan
from services.trigger.domain.programme import Edition
from services.trigger.store import programmes
from shared.contracts.reasons import Outcome
from shared.db.database import Tx


async def plans_ahead(
    claimed: Sequence[Plan],
    editions: Mapping[tuple[str, str], Edition],
    accounts: Mapping[UUID, Account],
    contacts: Mapping[UUID, Contact],
    organisation: Organisation,
    tx: Tx,
) -> list[tuple[Plan, Decision]]:
    """The next plan of each series whose plan came due, by the programme as it stands now."""
    leading = [p for p in claimed if series.leads(p, editions[p.programme, p.version])]
    if not leading:
        return []
    current = {edition.key: edition for edition in await programmes.current_editions(tx.conn)}
    world = World((), organisation, tx.now)
    found: list[tuple[Plan, Decision]] = []
    for plan in leading:
        contact = contacts.get(plan.contact_id) if plan.contact_id else None
        account = accounts.get(plan.account_id) if plan.account_id else None
        edition = current.get(plan.programme)
        ahead = series.following(plan, edition, contact, account, world) if edition else None
        if ahead:
            facts = {"due_at": ahead.due_at.isoformat(), "touchpoint": ahead.moment.touchpoint}
            found.append((ahead, of_plan(ahead, Outcome.PLANNED, None, facts, until=ahead.due_at)))
    return found
