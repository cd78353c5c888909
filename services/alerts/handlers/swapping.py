"""What people do about swaps of shifts: offer, agree, decline, take back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.alerts.domain import swaps as rules
from services.alerts.domain.model import Refused
from services.alerts.domain.swaps import Stretch, Swap, SwapState
from services.alerts.handlers.applying import Desk
from services.alerts.store import rota, swaps
from shared.db.database import Tx
from shared.runtime.ids import derive


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody would like to swap: their `given` shift against the partner's `taken` one."""

    team: str
    asker: UUID
    partner: UUID
    given: Stretch
    taken: Stretch


async def offer(desk: Desk, tx: Tx, wish: Offer) -> Swap | Refused:
    """Offer a swap; offering the same again while it is open changes nothing."""
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    starts = (wish.given.starts_at, wish.taken.starts_at)
    swap_id = derive("swap", wish.team, wish.asker, wish.partner, *starts, tx.now.date())
    known = await swaps.lock(tx.conn, swap_id)
    if known is not None and known.state in {SwapState.OFFERED, SwapState.AGREED}:
        return known
    swap = Swap(swap_id, wish.team, wish.asker, wish.partner, wish.given, wish.taken, tx.now)
    why = rules.refusal(swap, staff.team(wish.team).stack, tx.now, staff.workers)
    if why:
        return Refused(why)
    await swaps.save(tx.conn, swap)
    return swap


async def agree(desk: Desk, tx: Tx, swap_id: UUID, by: UUID) -> Swap | Refused:
    """Agree to a swap: from now on it stands in the rota; agreeing twice is once."""
    await swaps.lock_rotas(tx.conn)
    swap = await swaps.lock(tx.conn, swap_id)
    if swap is None:
        return Refused("There is no such swap.")
    if swap.state is SwapState.AGREED and by == swap.partner:
        return swap
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    ids = (derive("override", swap.id, "given"), derive("override", swap.id, "taken"))
    agreed = rules.agree(swap, staff.team(swap.team).stack, by, tx.now, staff.workers, ids)
    if isinstance(agreed, Refused):
        return agreed
    swap, overrides = agreed
    await swaps.save(tx.conn, swap)
    for override in overrides:
        await rota.add_override(tx.conn, override)
    return swap


async def end(tx: Tx, swap_id: UUID, by: UUID, *, manager: bool) -> Swap | Refused:
    """Decline a swap or take it back; the rota is as it was."""
    await swaps.lock_rotas(tx.conn)
    swap = await swaps.lock(tx.conn, swap_id)
    if swap is None:
        return Refused("There is no such swap.")
    ended = rules.end(swap, by, tx.now, manager=manager)
    if isinstance(ended, Refused):
        return ended
    await swaps.save(tx.conn, ended)
    await swaps.drop_overrides(tx.conn, [swap.id])
    return ended
