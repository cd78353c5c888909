"""What is known of each survey that was asked for: enough to count it once, whatever comes first."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.scoring.domain.facts import DIMENSIONS, Dims
from shared.contracts.model import Snapshot

_KNOWN = ("programme", "owner", "tier", "persona", "channel")


class Ask(NamedTuple):
    """A survey: when it was asked for, and when its first message was handed over on any channel."""

    survey_id: UUID
    family: str
    programme: str
    owner: str
    tier: str | None
    persona: str | None
    channel: str
    requested_on: date | None
    handed_on: date | None

    @property
    def dims(self) -> Dims:
        """Values of DIMENSIONS, empty where a rate is not broken down by it."""
        known = dict(zip(_KNOWN, self[2:7], strict=True))
        return tuple(known.get(dimension) for dimension in DIMENSIONS)

    def with_dates_of(self, other: Ask) -> Ask:
        """Add what another event tells; the earliest hand-over is the one that counts."""
        handed = [day for day in (self.handed_on, other.handed_on) if day is not None]
        return self._replace(
            requested_on=self.requested_on or other.requested_on, handed_on=min(handed, default=None)
        )


def ask_of(
    survey_id: str, snapshot: Snapshot, *, requested_on: date | None = None, handed_on: date | None = None
) -> Ask:
    """What one event tells about a survey."""
    return Ask(
        UUID(survey_id),
        snapshot.family.value,
        snapshot.programme,
        snapshot.owner,
        snapshot.tier.value if snapshot.tier else None,
        snapshot.persona.value if snapshot.persona else None,
        snapshot.channel.value,
        requested_on,
        handed_on,
    )


def fold(asks: list[Ask]) -> list[Ask]:
    """One per survey, by id: the order in which rows are locked."""
    found: dict[UUID, Ask] = {}
    for ask in asks:
        known = found.get(ask.survey_id)
        found[ask.survey_id] = known.with_dates_of(ask) if known else ask
    return [found[survey_id] for survey_id in sorted(found)]
