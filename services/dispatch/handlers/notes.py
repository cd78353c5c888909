"""Messages that ask nothing: thanks, a first reply, what was changed, help, an invitation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.dispatch.domain.model import MESSAGE, REPLY_TO, Planned
from services.dispatch.handlers.planning import Step
from services.dispatch.store import intake
from shared.contracts.envelope import Event
from shared.contracts.messages import MessageKind, MessageRequested
from shared.contracts.model import Channel
from shared.db.database import Tx


async def on_notes(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Plan one e-mail for each message asked for."""
    await intake.plan_messages(tx.conn, [_planned(event.data) for event in events])


def _planned(request: MessageRequested) -> Planned:
    rep = {REPLY_TO: request.reply_to} if request.reply_to else {}
    if request.kind is MessageKind.INVITATION:
        rep[MESSAGE] = request.message_id
    note = Step(
        request.snapshot,
        request.requested_at,
        request.kind.value,
        message_id=UUID(request.message_id),
        person=request.person,
        slots=json.dumps(request.slots | rep),
    )
    return note.by(Channel.EMAIL)
