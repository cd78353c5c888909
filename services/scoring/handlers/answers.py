"""Answers, asks, programmes and erasures: facts are written and the cells moved with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.scoring.domain import asks, reading, rollups
from services.scoring.domain.asked import attributes_of, brand_questions, touchpoints_of
from services.scoring.domain.facts import STATES, day_of
from services.scoring.domain.reading import Told
from services.scoring.store import asks as ask_rows
from services.scoring.store import cells, crm, directory, facts, fates, spoken
from shared.contracts.deliveries import DeliveryHandedOver, DeliveryLinkReady
from shared.contracts.directory import ContactErased
from shared.contracts.envelope import Event
from shared.contracts.programmes import ProgrammePublished
from shared.contracts.surveys import SurveyRequested
from shared.db.database import Tx
from shared.runtime.consumer import Route
from shared.runtime.failpoints import failpoint


async def on_responses(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Bring facts up to date and move the cells by what really changed."""
    told: list[Told] = []
    for event in events:
        try:
            said = reading.told_by(event.type, reading.response_of(event.data))
        except ValueError as error:
            tx.reject(event, str(error))
        else:
            told += [] if said.test else [said]
    newest = reading.fold(told)
    gone, come = await facts.save_facts(tx.conn, newest)
    await fates.follow(tx.conn, newest, gone, come)
    await spoken.save_words(tx.conn, newest)
    failpoint("scoring.facts_before_cells")
    await cells.add_scores(tx.conn, rollups.deltas(gone, come))
    await cells.add_rates(tx.conn, rollups.fact_rates(gone, come))


async def on_asked(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Count who was asked: surveys requested, and first messages handed over or links passed on."""
    seen: list[asks.Ask] = []
    for event in events:
        match event.data:
            case SurveyRequested() as asked if not asked.snapshot.test:
                seen.append(
                    asks.ask_of(asked.survey_id, asked.snapshot, requested_on=day_of(asked.requested_at))
                )
            case DeliveryHandedOver() | DeliveryLinkReady() as handed if (
                handed.survey_id and not handed.snapshot.test
            ):
                seen.append(asks.ask_of(handed.survey_id, handed.snapshot, handed_on=day_of(handed.at)))
            case _:
                continue
    if seen:
        gone, come = await ask_rows.save_asks(tx.conn, asks.fold(seen))
        await cells.add_rates(tx.conn, rollups.ask_rates(gone, come))


async def on_programmes(events: Sequence[Event[ProgrammePublished]], tx: Tx) -> None:
    """Keep what pages say of programmes: titles, words, brand questions, the goal of their group."""
    newest = {event.data.programme: event.data for event in sorted(events, key=lambda e: e.data.revision)}
    await directory.save_programmes(
        tx.conn,
        [
            directory.Programme(
                name,
                told.revision,
                told.family.value,
                json.dumps(told.definition.get("title") or {}),
                json.dumps(attributes_of(told.definition)),
                json.dumps(brand_questions(told.definition)),
                str(told.definition.get("group") or ""),
                json.dumps({key: told.group[key] for key in ("title", "goal") if told.group.get(key)}),
                tx.now.date(),
                json.dumps(touchpoints_of(told.definition)),
                told.state.value,
                bool(loop.ticket or loop.help or loop.unhappy_task),
            )
            for name, told in newest.items()
            for loop in (told.close_the_loop,)
        ],
    )


async def on_erased(events: Sequence[Event[ContactErased]], tx: Tx) -> None:
    """Cut facts from an erased person: contact, subject, context, zone and words go, the answer counts.

    What stands of them in CRMs is cleared next.
    """
    erased = {UUID(event.data.contact_id): event.data.erased_at for event in events}
    await directory.erase(tx.conn, erased)
    gone, come = await facts.forget(tx.conn, sorted(erased))
    await spoken.forget_words(tx.conn, sorted(erased))
    await crm.forget(tx.conn, sorted(erased))
    await cells.add_scores(tx.conn, rollups.deltas(gone, come))


ROUTES: tuple[Route, ...] = (
    Route((ContactErased.TYPE,), on_erased),
    Route(tuple(STATES), on_responses),
    Route((SurveyRequested.TYPE, DeliveryHandedOver.TYPE, DeliveryLinkReady.TYPE), on_asked),
    Route((ProgrammePublished.TYPE,), on_programmes),
)
