"""All event types by name: the source of decoding, JSON Schemas, AsyncAPI and `docs/events.md`."""

from __future__ import annotations

from shared.contracts import (
    cases,
    deliveries,
    directory,
    improvements,
    messages,
    permissions,
    programmes,
    responses,
    scores,
    surveys,
    tickets,
)
from shared.contracts.model import Payload
from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint

PAYLOADS: tuple[type[Payload], ...] = (
    directory.ContactChanged,
    directory.ContactErased,
    directory.AccountChanged,
    directory.OrganisationChanged,
    directory.ContextRecorded,
    cases.QuestionDecided,
    programmes.ProgrammePublished,
    surveys.SurveyRequested,
    surveys.SurveyShared,
    surveys.SurveyReminderRequested,
    surveys.SurveyExtended,
    surveys.SurveyCancelled,
    surveys.SurveyClosed,
    messages.MessageRequested,
    deliveries.DeliveryHandedOver,
    deliveries.DeliveryDelivered,
    deliveries.DeliveryFailed,
    deliveries.DeliveryPassedOn,
    deliveries.DeliveryReplied,
    deliveries.DeliveryUncertain,
    deliveries.DeliverySuppressed,
    deliveries.DeliveryBounced,
    deliveries.DeliveryComplained,
    deliveries.DeliveryLinkReady,
    deliveries.ContactUnsubscribed,
    deliveries.ContactResubscribed,
    responses.ResponseStarted,
    responses.ResponseSubmitted,
    responses.ResponseAmended,
    responses.ResponseHeld,
    responses.ResponseReleased,
    responses.ResponseWithdrawn,
    responses.IncentiveChanged,
    scores.ScoreChanged,
    scores.ScoreDropped,
    scores.ThemeRising,
    scores.ChurnRising,
    *tickets.TICKETS,
    improvements.ImprovementChanged,
    permissions.PermissionNoted,
)
"""Every payload that Afterword itself emits; touchpoints are open and decoded as `Touchpoint`."""

BY_TYPE: dict[str, type[Payload]] = {payload.TYPE: payload for payload in PAYLOADS}


def payload_of(topic: str, event_type: str) -> type[Payload] | None:
    """The model of an event, or None for a type nobody here knows (a consumer ignores those)."""
    if topic == Topic.TOUCHPOINTS:
        return Touchpoint
    return BY_TYPE.get(event_type)
