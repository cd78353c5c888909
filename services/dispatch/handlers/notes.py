"""Messages that ask nothing: thanks, a first reply, what was changed, help, an invitation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.dispatch.domain.model import MESSAGE, REPLY_TO, Planned
from services.dispatch.store import intake
from shared.contracts.envelope import Event
from shared.contracts.messages import MessageKind, MessageRequested
from shared.contracts.model import Channel
from shared.db.database import Tx
from shared.runtime.ids import derive


async def on_notes(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Plan one e-mail for each message asked for."""
    await intake.plan_messages(tx.conn, [_planned(event.data) for event in events])


def _planned(request: MessageRequested) -> Planned:
    channel = Channel.EMAIL
    rep = {REPLY_TO: request.reply_to} if request.reply_to else {}
    if request.kind is MessageKind.INVITATION:
        rep[MESSAGE] = request.message_id
    snapshot = request.snapshot.model_copy(update={"channel": channel})
    return Planned(
        delivery_id=derive("delivery", request.message_id, 0, channel.value),
        survey_id=None,
        message_id=UUID(request.message_id),
        kind=request.kind.value,
        step=0,
        channel=channel,
        contact_id=UUID(snapshot.contact_id),
        account_id=UUID(snapshot.account_id) if snapshot.account_id else None,
        programme=snapshot.programme,
        key=snapshot.key,
        snapshot=snapshot.model_dump_json(),
        requested_at=request.requested_at,
        person=request.person,
        slots=json.dumps(request.slots | rep),
    )
