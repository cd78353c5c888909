"""Somebody asks by hand: one event a person, into the same log as all others, so that the gate applies."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from services.trigger.domain import by_hand
from services.trigger.domain.by_hand import AskedByHand
from services.trigger.domain.model import identity
from services.trigger.domain.reports import Report
from services.trigger.handlers.intake import Taken, take
from services.trigger.store import programmes
from shared.contracts.programmes import ProgrammeState
from shared.db.database import Tx
from shared.security.sealing import Sealer


class NotByHandError(ValueError):
    """A programme cannot be asked by hand; says why."""


async def ask_by_hand(
    tx: Tx, sealer: Sealer, programme: str, people: Sequence[AskedByHand], *, reference: str, by: str
) -> list[Taken]:
    """Ask for people to be asked; the same reference again changes nothing.

    Returns:
        Per person what became of it: taken, or known from the same reference before.

    Raises:
        NotByHandError: There is no such programme, it is archived, or it is not `on: manual`.
    """
    editions = {edition.key: edition for edition in await programmes.current_editions(tx.conn)}
    edition = editions.get(programme)
    if edition is None or edition.state is ProgrammeState.ARCHIVED:
        raise NotByHandError(f"there is no programme {programme!r}")
    if not edition.programme.when.by_hand:
        raise NotByHandError(
            f"{programme!r} starts by itself; only programmes with on: manual are asked by hand"
        )
    reports = [_report(programme, asked, f"{reference}/{n}", by, tx) for n, asked in enumerate(people, 1)]
    return await take(tx, sealer, by_hand.SOURCE, reports)


def _report(programme: str, asked: AskedByHand, reference: str, by: str, tx: Tx) -> Report:
    event_id = str(identity("by-hand", programme, reference))
    digest = hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
    touchpoint = by_hand.touchpoint_of(asked, programme, by, tx.now)
    return Report(event_id, digest, by_hand.SOURCE, event_id, by_hand.EVENT, touchpoint)
