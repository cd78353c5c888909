"""Surveys: a request becomes a message, a reminder another one; cancelled and closed ones stay unsent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.dispatch.domain.hours import write_hours
from services.dispatch.domain.model import (
    INVITATION,
    OWNER,
    REMINDER,
    Planned,
    Survey,
    SurveyChange,
    write_texts,
)
from services.dispatch.domain.routing import next_channel
from services.dispatch.handlers.planning import Step
from services.dispatch.store import intake
from services.dispatch.store.intake import SurveyHead
from shared.contracts.envelope import Event
from shared.contracts.model import Channel
from shared.contracts.surveys import (
    SurveyCancelled,
    SurveyClosed,
    SurveyExtended,
    SurveyReminderRequested,
    SurveyRequested,
)
from shared.db.database import Tx

Later = SurveyReminderRequested | SurveyExtended | SurveyCancelled | SurveyClosed


async def on_surveys(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Fold the life of surveys: new ones first, then what happened to them, in log order."""
    asked = [event.data for event in events if isinstance(event.data, SurveyRequested)]
    if asked:
        texts = {_digest(content): content for content in map(_texts, asked)}
        await intake.save_surveys(tx.conn, texts, [_survey(request) for request in asked])
        await intake.plan_messages(tx.conn, [_invitation(request) for request in asked])
    later = [event for event in events if isinstance(event.data, Later)]
    if not later:
        return
    known = await intake.heads(tx.conn, sorted({UUID(event.data.survey_id) for event in later}))
    for event in later:
        if UUID(event.data.survey_id) not in known:
            tx.reject(event, "survey_id: no survey.requested of this survey was seen")
    kept = [event.data for event in later if UUID(event.data.survey_id) in known]
    await intake.change_surveys(tx.conn, list(folded(kept).values()))
    reminders = [data for data in kept if isinstance(data, SurveyReminderRequested)]
    if reminders:
        await intake.plan_messages(tx.conn, [_reminder(data, known) for data in reminders])


def folded(changes: Sequence[Later]) -> dict[UUID, SurveyChange]:
    """What a batch does to each survey, in log order; an older version changes nothing."""
    result: dict[UUID, SurveyChange] = {}
    for data in changes:
        survey_id = UUID(data.survey_id)
        known = result.get(survey_id, SurveyChange(survey_id, 0))
        if data.version > known.version:
            result[survey_id] = _applied(replace(known, version=data.version), data)
    return result


def _applied(change: SurveyChange, data: Later) -> SurveyChange:
    match data:
        case SurveyExtended():
            return replace(change, closes_at=data.closes_at)
        case SurveyCancelled():
            return replace(change, cancelled_as=data.reason.value)
        case SurveyClosed():
            return replace(change, closed=True)
        case SurveyReminderRequested():
            return change


def _texts(request: SurveyRequested) -> str:
    return write_texts(request.form, request.letter)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _survey(request: SurveyRequested) -> Survey:
    snapshot = request.snapshot
    return Survey(
        survey_id=UUID(request.survey_id),
        contact_id=UUID(snapshot.contact_id),
        account_id=UUID(snapshot.account_id) if snapshot.account_id else None,
        programme=snapshot.programme,
        version=request.version,
        snapshot=snapshot.model_dump_json(),
        person=request.person,
        digest=_digest(_texts(request)),
        slots=json.dumps(request.slots | ({OWNER: request.pass_on_to} if request.pass_on_to else {})),
        requested_at=request.requested_at,
        closes_at=request.closes_at,
        fresh_until=request.fresh_until,
        channels=request.channels or (Channel.EMAIL,),
        hours=write_hours(request.send_hours),
    )


def _invitation(request: SurveyRequested) -> Planned:
    """The first message, by the channel that is preferred; one that reaches nobody hands it on."""
    step = Step(request.snapshot, request.requested_at, INVITATION, UUID(request.survey_id))
    return step.by((*request.channels, Channel.EMAIL)[0])


def _reminder(data: SurveyReminderRequested, known: Mapping[UUID, SurveyHead]) -> Planned:
    """A further message: by the next channel when those before stayed silent, else by the preferred one."""
    survey_id = UUID(data.survey_id)
    head = known[survey_id]
    step = Step(data.snapshot, data.requested_at, REMINDER, survey_id, number=data.step)
    return step.by(next_channel(head.channels, head.tried, ()) or Channel.EMAIL)
