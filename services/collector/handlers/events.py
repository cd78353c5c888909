"""What the collector keeps of other services' events. Each handler folds a batch and writes it set-based."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector.domain.amend import SurveyState
from services.collector.domain.mood import primary_of
from services.collector.handlers.forms import on_programmes
from services.collector.handlers.sharing import on_accounts, on_shared, people_handler
from services.collector.store import incentives, widget
from services.collector.store import surveys as store
from services.collector.store.surveys import HandOver, Patch, SurveyRow
from shared.contracts.deliveries import (
    Delivery,
    DeliveryDelivered,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliveryLinkReady,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased, OrganisationChanged
from shared.contracts.envelope import Event
from shared.contracts.programmes import ProgrammePublished
from shared.contracts.surveys import (
    SurveyCancelled,
    SurveyClosed,
    SurveyExtended,
    SurveyRequested,
    SurveyShared,
)
from shared.contracts.topics import Topic
from shared.db.database import Tx
from shared.runtime.consumer import Route, Subscription
from shared.security.sealing import Sealer


async def on_surveys(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep what may be answered, until when; all types of a survey in log order."""
    rows: dict[UUID, SurveyRow] = {}
    forms: dict[str, str] = {}
    patches: dict[UUID, Patch] = {}
    for event in events:
        try:
            survey_id = UUID(event.data.survey_id)
            if isinstance(event.data, SurveyRequested):
                row, form = _requested(survey_id, event.data)
                rows.setdefault(survey_id, row)
                forms[row.questionnaire] = form
            else:
                patches[survey_id] = _patched(patches.get(survey_id), survey_id, event.data)
        except ValueError as error:
            tx.reject(event, str(error))
    if rows:
        await store.save_requested(tx.conn, list(rows.values()), forms)
        if promising := [row.survey_id for row in rows.values() if row.incentive]:
            await incentives.promise(tx.conn, promising, tx.now)
    if patches:
        await store.save_patches(tx.conn, list(patches.values()))


def _requested(survey_id: UUID, survey: SurveyRequested) -> tuple[SurveyRow, str]:
    """The row and the form's JSON.

    Raises:
        ValueError: An id is no UUID, or the form has no primary question with a scale.
    """
    primary_of(survey.form)
    form = survey.form.model_dump_json()
    row = SurveyRow(
        survey_id=survey_id,
        version=survey.version,
        contact_id=UUID(survey.snapshot.contact_id),
        questionnaire=hashlib.sha256(form.encode()).hexdigest(),
        snapshot=survey.snapshot.model_dump_json(),
        person=survey.person,
        slots=json.dumps(survey.slots),
        close_the_loop=survey.close_the_loop.model_dump_json(),
        closes_at=survey.closes_at,
        incentive=json.dumps(survey.letter.incentive) if survey.letter.incentive else "",
    )
    return row, form


def _patched(
    before: Patch | None, survey_id: UUID, change: SurveyExtended | SurveyCancelled | SurveyClosed
) -> Patch:
    """Fold one change over what the batch said before about the same survey."""
    if before is not None and change.version <= before.version:
        return before
    closes_at = before.closes_at if before else None
    state = before.state if before else None
    match change:
        case SurveyExtended():
            closes_at = change.closes_at
        case SurveyCancelled():
            state = SurveyState.CANCELLED
        case SurveyClosed():
            state = SurveyState.CLOSED
    return Patch(survey_id, change.version, closes_at, state)


async def on_deliveries(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Learn when invitations went out, or that nobody will ever know."""
    known: dict[tuple[UUID, int], HandOver] = {}
    for event in events:
        delivery: Delivery = event.data
        if delivery.survey_id is None:
            continue
        try:
            survey_id = UUID(delivery.survey_id)
        except ValueError as error:
            tx.reject(event, f"survey_id: {error}")
            continue
        at = delivery.at if isinstance(delivery, (DeliveryHandedOver, DeliveryLinkReady)) else None
        before = known.get((survey_id, delivery.step))
        known[survey_id, delivery.step] = HandOver(
            survey_id, delivery.step, delivery.channel.value, before.at if before and before.at else at
        )
    if known:
        await store.save_hand_overs(tx.conn, list(known.values()), tx.now)


async def on_contacts(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Let go of people who were erased; of others only know by which id a customer's product means them."""
    erased: dict[UUID, datetime] = {}
    known: dict[str, UUID] = {}
    for event in events:
        told: ContactErased | ContactChanged = event.data
        try:
            if isinstance(told, ContactErased):
                erased.setdefault(UUID(told.contact_id), told.erased_at)
            elif told.external_id:
                known[told.external_id] = UUID(told.merged_into or told.contact_id)
        except ValueError as error:
            tx.reject(event, f"contact_id: {error}")
    if known:
        await widget.learn(tx.conn, known)
    if erased:
        await store.erase(tx.conn, erased)


async def on_organisation(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep how the organisation looks to the people it asks."""
    newest: OrganisationChanged = max((event.data for event in events), key=lambda one: one.version)
    await store.save_organisation(tx.conn, newest)


HANDLERS: tuple[Route, ...] = (
    Route((AccountChanged.TYPE,), on_accounts),
    Route((SurveyShared.TYPE,), on_shared),
    Route((ProgrammePublished.TYPE,), on_programmes),
    Route((OrganisationChanged.TYPE,), on_organisation),
    Route((SurveyRequested.TYPE, SurveyExtended.TYPE, SurveyCancelled.TYPE, SurveyClosed.TYPE), on_surveys),
    Route(
        (
            DeliveryHandedOver.TYPE,
            DeliveryDelivered.TYPE,
            DeliveryLinkReady.TYPE,
            DeliveryUncertain.TYPE,
            DeliveryFailed.TYPE,
            DeliverySuppressed.TYPE,
        ),
        on_deliveries,
    ),
)


def subscriptions(sealer: Sealer, *more: Route) -> tuple[Subscription, ...]:
    """What the collector reads; `more` are routes whose handlers need what only the service has."""
    learn = people_handler(sealer)

    async def contacts(events: Sequence[Event[Any]], tx: Tx) -> None:
        # Erasures first: nothing is learned of somebody who is gone.
        await on_contacts(events, tx)
        await learn(events, tx)

    people = Route((ContactChanged.TYPE, ContactErased.TYPE), contacts)
    topics = (Topic.DIRECTORY, Topic.PROGRAMMES, Topic.SURVEYS, Topic.DELIVERIES)
    return (Subscription(topics, (people, *HANDLERS, *more)),)
