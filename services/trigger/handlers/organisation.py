"""The organisation's settings, and the operator's brake that they carry to the others."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.trigger.domain.directory import account_changed
from services.trigger.domain.model import Organisation
from services.trigger.handlers.publishing import announce
from services.trigger.store import asks, brakes, directory, plans, programmes
from services.trigger.store.brakes import Brake
from shared.contracts.reasons import Reason
from shared.db.database import Tx
from shared.values import altered


async def ensure_organisation(tx: Tx, defaults: Organisation) -> Organisation:
    """The settings; the defaults are written when there are none yet."""
    known = await programmes.get_organisation(tx.conn)
    return known or await save_organisation(tx, defaults)


async def save_organisation(tx: Tx, wanted: Organisation) -> Organisation:
    """Write the settings under a new version, and tell the others."""
    known = await programmes.get_organisation(tx.conn)
    saved = replace(wanted, version=(known.version if known else 0) + 1)
    await programmes.save_organisation(tx.conn, saved)
    paused = (await brakes.brakes_now(tx.conn)).all_sending
    tx.emit(saved.announcement(paused=paused), identity=str(saved.version), key="organisation")
    return saved


async def pull_brake(tx: Tx, brake: Brake) -> bool:
    """Pause a programme, an account or everything; False when it was paused already, or is unknown."""
    if not await _known(tx, brake.scope, brake.subject) or not await brakes.set_brake(tx.conn, brake):
        return False
    await _tell(tx, brake.scope, brake.subject)
    return True


async def release_brake(tx: Tx, scope: str, subject: str) -> bool:
    """Resume: what waited for it passes the gate again, at once; False when nothing was paused."""
    accounts = [UUID(subject)] if scope == "account" else None
    if accounts:
        # First, as a round of the gate does, which then holds the brakes that it looks at.
        await directory.lock_accounts(tx.conn, accounts)
    if not await brakes.release_brake(tx.conn, scope, subject):
        return False
    await _tell(tx, scope, subject)
    programme = subject if scope == "programme" else None
    await plans.wake_plans(tx.conn, tx.now, [Reason.PAUSED], accounts=accounts, programme=programme)
    await asks.wake_reminders(tx.conn, tx.now, Reason.PAUSED, accounts=accounts, programme=programme)
    return True


async def _known(tx: Tx, scope: str, subject: str) -> bool:
    if scope == "account":
        return bool(await directory.lock_accounts(tx.conn, [UUID(subject)]))
    return scope == "all" or any(one.key == subject for one in await programmes.standings(tx.conn))


async def _tell(tx: Tx, scope: str, subject: str) -> None:
    """Dispatch looks at the brake at the last moment, so it must hear of it."""
    if scope == "programme":
        await programmes.bump(tx.conn, subject)
        await announce(tx, subject)
    elif scope == "account":
        paused = UUID(subject) in (await brakes.brakes_now(tx.conn)).accounts
        for account in (await directory.lock_accounts(tx.conn, [UUID(subject)])).values():
            told = altered(account, paused=paused, version=account.version + 1)
            await directory.save_accounts(tx.conn, [told])
            tx.emit(account_changed(told), identity=f"{told.id}/{told.version}", key=subject)
    else:
        organisation = await programmes.get_organisation(tx.conn)
        if organisation:
            await save_organisation(tx, organisation)
