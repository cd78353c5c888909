"""Feeds scoring with events as its consumer loop would, and reads back what it made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.scoring.handlers import SUBSCRIPTIONS
from shared.bus.model import Record
from shared.contracts.deliveries import DeliveryHandedOver
from shared.contracts.envelope import Event, binary_headers
from shared.contracts.forms import Form, Letter, QuestionType
from shared.contracts.model import Channel, Family, Payload, Persona, Snapshot, Tier
from shared.contracts.responses import (
    Answered,
    Mood,
    ResponseSubmitted,
    ResponseWithdrawn,
)
from shared.contracts.surveys import SurveyRequested
from shared.db.database import Database
from shared.runtime.clock import FakeMachine
from shared.runtime.consumer import Batch, Subscription
from shared.runtime.ids import derive

AT = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)

Cells = dict[tuple[Any, ...], tuple[int, ...]]


def snapshot(programme: str = "renewal", **changes: object) -> Snapshot:
    """A snapshot with every dimension known."""
    values: dict[str, Any] = {
        "programme": programme, "version": "v1", "family": Family.TRANSACTIONAL,
        "touchpoint": "support.contacted",
        "contact_id": str(derive("contact", 1)), "account_id": str(derive("account", 1)),
        "account_name": "Northwind", "tier": Tier.KEY, "industry": "logistics", "size": "50-200",
        "owner": "anna@example.com", "persona": Persona.USER, "region": "emea", "channel": Channel.EMAIL,
        "subject_kind": "ticket", "subject_id": "T-1", "context": {"agent": "Bo"},
    }  # fmt: skip
    return Snapshot.model_validate(values | changes)


def answer(
    number: int,
    value: int,
    *,
    version: int = 1,
    kind: type[Answered] = ResponseSubmitted,
    **changes: object,
) -> Answered:
    """One version of response `number`: an NPS answer of today to a mail of yesterday, unless changed."""
    at = changes.get("at", AT)
    type_ = changes.pop("type_", QuestionType.NPS)
    values: dict[str, object] = {
        "response_id": str(derive("response", number)), "survey_id": str(derive("survey", number)),
        "version": version, "snapshot": snapshot(), "at": at, "received_at": at, "first_at": at,
        "asked_at": AT - timedelta(days=1), "primary": "q", "mood": Mood.HAPPY, "low": 6,
        "scores": ({"question": "q", "type": type_, "value": value},),
    }  # fmt: skip
    return kind.model_validate(values | changes)


def withdrawn(number: int, version: int, snap: Snapshot | None = None) -> ResponseWithdrawn:
    """Response `number` is withdrawn."""
    return ResponseWithdrawn(
        response_id=str(derive("response", number)), survey_id=str(derive("survey", number)), version=version,
        snapshot=snap or snapshot(), at=AT,
    )  # fmt: skip


def requested(number: int, at: datetime = AT, snap: Snapshot | None = None) -> SurveyRequested:
    """Survey `number` was asked for."""
    form = Form(primary="q", low=6, title={"en": "t"}, questions=())
    return SurveyRequested(
        survey_id=str(derive("survey", number)), snapshot=snap or snapshot(), person="", form=form,
        letter=Letter(subject={"en": "s"}), requested_at=at, closes_at=at + timedelta(days=30),
    )  # fmt: skip


def handed_over(
    number: int, at: datetime, step: int = 0, channel: Channel = Channel.EMAIL
) -> DeliveryHandedOver:
    """A message of survey `number` was handed over."""
    return DeliveryHandedOver(
        delivery_id=str(derive("delivery", number, step, channel)), version=1,
        survey_id=str(derive("survey", number)), step=step, channel=channel, snapshot=snapshot(), at=at,
    )  # fmt: skip


def event(payload: Payload, identity: str = "") -> Event[Any]:
    """An event around a payload; the same payload is the same event."""
    text = identity or payload.model_dump_json()
    return Event(str(derive(payload.TYPE, text)), "/test", payload.TYPE, AT, "s", "key", payload)


@dataclass(frozen=True)
class Scoring:
    """Scoring on a real database."""

    db: Database
    subscriptions: tuple[Subscription, ...] = SUBSCRIPTIONS

    async def take(self, *payloads: Payload) -> int:
        """Handle payloads as one batch from the log, inbox included; returns how many were put aside."""
        (reads,) = self.subscriptions
        batch = Batch(reads.routes, self.db, FakeMachine(), reads.event_of)
        return len(await batch.handle([_record(event(payload), n) for n, payload in enumerate(payloads)]))

    async def cells(self) -> Cells:
        """All cells of scores that are not empty."""
        return await self._table("select * from score_cells", 5)

    async def rates(self) -> Cells:
        """All cells of rates that are not empty."""
        return await self._table("select * from rate_cells", 4)

    async def rows(self, sql: str) -> Sequence[Any]:
        """Any rows."""
        async with self.db.read() as conn:
            return [tuple(row) for row in await conn.fetch(sql)]

    async def _table(self, sql: str, width: int) -> Cells:
        return {row[:width]: row[width:] for row in await self.rows(sql) if any(row[width:])}


def _record(told: Event[Any], offset: int) -> Record:
    return Record(
        told.data.TOPIC.value, 0, offset, told.key.encode(), told.data.model_dump_json().encode(),
        binary_headers(told), 0,
    )  # fmt: skip
