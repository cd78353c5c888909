"""Series of accounts that were known before their programme: begun page by page when it is published."""

from __future__ import annotations

from uuid import UUID

from services.trigger.domain.book import Book, World
from services.trigger.domain.model import Organisation
from services.trigger.domain.moments import account_subject
from services.trigger.domain.series import begin_series
from services.trigger.handlers.ledger import record
from services.trigger.store import audiences, plans, programmes
from shared.db.database import Tx

PAGE = 200
_LAST = UUID(int=2**128 - 1)


async def seed(tx: Tx, organisation: Organisation) -> int:
    """Begin one programme's series for a page of accounts; returns how many accounts were looked at."""
    editions = [e for e in await programmes.current_editions(tx.conn) if e.programme.when.from_account_start]
    wanted = await audiences.unseeded(tx.conn, [edition.key for edition in editions]) if editions else None
    if wanted is None:
        return 0
    page = await audiences.accounts_after(tx.conn, wanted.after, PAGE)
    subjects = {account_subject(account.id) for account in page}
    known = await plans.lock_plans_about(tx.conn, subjects, [wanted.key]) if page else []
    book = Book({plan.id: plan for plan in known})
    world = World([e for e in editions if e.key == wanted.key], organisation, tx.now)
    decisions = [("", decision) for decision in begin_series(page, world, book)]
    await plans.save_plans(tx.conn, book.changed.values())
    await record(tx, decisions)
    done = len(page) < PAGE
    await audiences.seeded(tx.conn, wanted, _LAST if done else page[-1].id, done=done)
    return len(page)
