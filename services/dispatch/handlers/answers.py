"""Answers: whoever has answered is not reminded. A held answer is none yet, a withdrawn one none any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.dispatch.store import intake
from shared.contracts.envelope import Event
from shared.contracts.responses import ResponseHeld, ResponseWithdrawn
from shared.db.database import Tx


async def on_answers(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep per survey what its newest version says."""
    newest: dict[UUID, tuple[UUID, int, bool]] = {}
    for event in events:
        survey_id, version = UUID(event.data.survey_id), event.data.version
        if survey_id not in newest or version > newest[survey_id][1]:
            counts = not isinstance(event.data, ResponseHeld | ResponseWithdrawn)
            newest[survey_id] = (survey_id, version, counts)
    await intake.save_answers(tx.conn, list(newest.values()))
