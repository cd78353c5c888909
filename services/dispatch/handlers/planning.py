"""How messages enter: a survey or a note × step × channel, each under an id that follows from these three."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.model import Planned
from shared.contracts.model import Channel, Snapshot
from shared.runtime.ids import derive


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a survey, or a note, whatever channel it takes.

    Attributes:
        snapshot: who it is to and what for; the channel in it is that of whoever asked.
        requested_at: when it was asked for; business time.
        kind: invitation, reminder, or the kind of the note.
        survey_id: what it asks; None for a note.
        message_id: the note; None for a survey.
        number: 0 for the first one.
        person: of a note, sealed; a survey's stands with the survey.
        slots: values of a note's texts, as JSON.
    """

    snapshot: Snapshot
    requested_at: datetime
    kind: str
    survey_id: UUID | None = None
    message_id: UUID | None = None
    number: int = 0
    person: str = ""
    slots: str = "{}"

    def by(self, channel: Channel) -> Planned:
        """The message of this step by a channel: asked for again, it is the same one."""
        snapshot = self.snapshot.model_copy(update={"channel": channel})
        return Planned(
            delivery_id=derive("delivery", self.survey_id or self.message_id, self.number, channel.value),
            survey_id=self.survey_id,
            message_id=self.message_id,
            kind=self.kind,
            step=self.number,
            channel=channel,
            contact_id=UUID(snapshot.contact_id),
            account_id=UUID(snapshot.account_id) if snapshot.account_id else None,
            programme=snapshot.programme,
            key=snapshot.key,
            snapshot=snapshot.model_dump_json(),
            requested_at=self.requested_at,
            person=self.person,
            slots=self.slots,
        )
