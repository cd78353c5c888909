"""Answers: whoever has answered is not reminded; whoever began is reminded in other words.

A held answer is none yet, a withdrawn one none any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.dispatch.store import intake
from services.dispatch.store.intake import Heard
from shared.contracts.envelope import Event
from shared.contracts.responses import IncentiveChanged, ResponseHeld, ResponseStarted, ResponseWithdrawn
from shared.db.database import Tx


async def on_incentives(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep whether what was promised to whoever answers was given."""
    newest: dict[UUID, IncentiveChanged] = {}
    for event in events:
        told: IncentiveChanged = event.data
        survey_id = UUID(told.survey_id)
        if survey_id not in newest or told.version > newest[survey_id].version:
            newest[survey_id] = told
    rows = [(survey_id, told.redeemed_at is not None, told.version) for survey_id, told in newest.items()]
    await intake.save_redemptions(tx.conn, rows)


async def on_answers(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep per survey what its newest version says, and that it was begun."""
    newest: dict[UUID, Heard] = {}
    begun: set[UUID] = set()
    for event in events:
        survey_id, version = UUID(event.data.survey_id), event.data.version
        if isinstance(event.data, ResponseStarted):
            begun.add(survey_id)
        elif survey_id not in newest or version > newest[survey_id].version:
            held = isinstance(event.data, ResponseHeld)
            counts = not (held or isinstance(event.data, ResponseWithdrawn))
            newest[survey_id] = Heard(survey_id, version, answered=counts, held=held)
    await intake.save_answers(tx.conn, list(newest.values()))
    await intake.save_starts(tx.conn, sorted(begun))
