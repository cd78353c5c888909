"""Answers come in: which ticket do they belong to, and which wait unconfirmed?

All events of a response are folded together in log order; the case of each account is locked first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.alerts.domain import recovery, routing, unconfirmed
from services.alerts.domain.case import Case, hear
from services.alerts.domain.incident import incident_of
from services.alerts.domain.model import Answer, Audience, Owner, Standing, Step
from services.alerts.domain.routing import Staff
from services.alerts.domain.unconfirmed import Item
from services.alerts.handlers import opening
from services.alerts.handlers.applying import Desk, apply
from services.alerts.handlers.following import follow_up
from services.alerts.handlers.reading import themes
from services.alerts.handlers.thanking import answer_all
from services.alerts.store import answers, cases, directory, playbooks, rota
from services.alerts.store.cases import Lately
from shared.contracts.envelope import Event
from shared.contracts.forms import Permission, QuestionType
from shared.contracts.responses import (
    Answered,
    Mood,
    Response,
    ResponseAmended,
    ResponseHeld,
    ResponseReleased,
    ResponseSubmitted,
    ResponseWithdrawn,
)
from shared.db.database import Tx
from shared.db.merged import families
from shared.runtime.consumer import Route
from shared.runtime.ids import derive

TYPES = tuple(
    model.TYPE
    for model in (ResponseSubmitted, ResponseAmended, ResponseHeld, ResponseReleased, ResponseWithdrawn)
)


def route(desk: Desk) -> Route:
    """The route of all events of a response."""

    async def on_responses(events: Sequence[Event[Any]], tx: Tx) -> None:
        await hear_all(desk, events, tx)

    return Route(TYPES, on_responses)


Kin = Mapping[UUID, tuple[UUID, ...]]
"""All keys under which the customer of a case has or had cases."""


@dataclass(slots=True)
class Fold:
    """What a batch has come to so far."""

    cases: dict[UUID, Case]
    answers: dict[UUID, Answer]
    items: dict[UUID, Item]
    steps: list[Step] = field(default_factory=list)
    heard: dict[UUID, Answer] = field(default_factory=dict)
    judged: dict[UUID, Item] = field(default_factory=dict)

    def take(self, answer: Answer, owner: Owner, window: timedelta) -> None:
        """Let one newer version of an answer change the case."""
        case = self.cases.get(answer.case_key, Case(answer.case_key))
        fresh_id = derive("ticket", answer.response_id, answer.version)
        steps = hear(case, answer, fresh_id, lambda: owner, window)
        self.steps.extend(steps)
        self.cases[answer.case_key] = case.after(steps)
        self.answers[answer.response_id] = self.heard[answer.response_id] = answer
        item = unconfirmed.judge(self.items.get(answer.response_id), answer)
        if item is not None:
            self.items[answer.response_id] = self.judged[answer.response_id] = item

    async def look_up(self, tx: Tx, ticket_ids: set[UUID]) -> None:
        """Fetch cases that answers are about; they are locked."""
        for ticket_id in sorted(ticket_ids):
            found = await cases.ticket(tx.conn, ticket_id)
            if found is not None:
                case = self.cases.get(found.case_key, Case(found.case_key))
                self.cases[found.case_key] = case.after((Step(found),))

    def take_word(self, before: Answer | None, answer: Answer, words: str, kin: Kin) -> None:
        """Let an answer to "did we fix it?" change the case that it is about.

        Of a customer who was merged the case that is open may be one of another id.
        """
        about = recovery.asked_about(answer.snapshot)
        case = next((c for c in self.cases.values() if any(t.id == about for t in c.tickets)), None)
        if case is None:
            return
        ticket = next(t for t in case.tickets if t.id == about)
        theirs = (self.cases[key] for key in kin.get(case.key, (case.key,)) if key in self.cases)
        busy = next((one.current for one in theirs if one.current and one.current.id != about), None)
        steps = recovery.heard(ticket, before, answer, words, busy=busy)
        self.steps.extend(steps)
        for step in steps:
            key = step.ticket.case_key
            self.cases[key] = self.cases[key].after((step,))


async def hear_all(desk: Desk, events: Sequence[Event[Response]], tx: Tx) -> None:
    """Fold the batch into the cases it concerns and write what follows."""
    meant = [event for event in events if not event.data.snapshot.test]
    readable = [event for event in meant if not _rejected(event, tx)]
    ids = {UUID(event.data.response_id) for event in readable}
    about = {found for event in readable if (found := recovery.asked_about(event.data.snapshot))}
    asked = await cases.keys_of(tx.conn, about) if about else set()
    keys = await _case_keys(tx, {_case_key(event.data) for event in readable} | asked)
    fold = await load(desk, tx, ids, set(keys.values()), readable)
    await fold.look_up(tx, about)
    kin = await families(tx.conn, asked) if asked else {}
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    owners = await directory.owners(tx.conn, {found for e in readable if (found := _account(e.data))})
    since = min((event.data.at for event in readable), default=tx.now) - staff.roster.looks_back
    opened = await cases.opened(tx.conn, set(keys.values()), since) if staff.roster.looks_back else {}
    about_what = await themes(desk, tx.conn, (event.data for event in readable))
    for event in readable:
        before = fold.answers.get(UUID(event.data.response_id))
        answer = read(event.data, before)
        if answer is not None:
            joined = before.joined if before else _joined(event.data, keys)
            heard = about_what.get((event.data.response_id, event.data.version), answer.themes)
            answer = replace(answer, joined=joined, heard_at=tx.now, themes=heard)
            past = ages(opened.get(answer.case_key, ()), answer)
            answer = placed(answer, staff, past)
            fold.take(answer, owner_of(answer, staff, owners, tx.now, past), desk.group_within)
            if about and recovery.asked_about(answer.snapshot):
                (words,) = await opening.words(desk.sealer, tx.conn, [answer])
                fold.take_word(before, answer, words, kin)
    await write(desk, tx, fold, staff)


async def load(
    desk: Desk, tx: Tx, response_ids: set[UUID], keys: set[UUID], events: Sequence[Event[Response]]
) -> Fold:
    """The state that a batch may change; its cases are locked already."""
    lately = Lately(
        min((event.data.at for event in events), default=tx.now) - desk.group_within,
        {found for event in events if (found := incident_of(event.data.snapshot))},
    )
    known = await answers.load(tx.conn, response_ids)
    mine = keys | {one.case_key for one in known.values()}
    tickets = await cases.tickets_for(tx.conn, mine, response_ids, lately)
    return Fold(
        cases={key: Case(key, found) for key, found in tickets.items()},
        answers=known,
        items=await answers.items(tx.conn, response_ids),
    )


async def _case_keys(tx: Tx, own: set[UUID]) -> dict[UUID, UUID]:
    """Lock the cases of accounts and contacts under all their ids; gives each id the case to come into.

    Of those who were merged that is the open one of any of their ids, else the one of the id they have now.
    """
    known = await families(tx.conn, own)
    await cases.lock(tx.conn, {key for family in known.values() for key in family})
    several = {key for family in known.values() if len(family) > 1 for key in family}
    busy = await cases.with_open_ticket(tx.conn, several) if several else set()
    return {key: next((one for one in family if one in busy), family[0]) for key, family in known.items()}


async def write(desk: Desk, tx: Tx, fold: Fold, staff: Staff) -> None:
    """Write a fold."""
    await answers.save(tx.conn, list(fold.heard.values()))
    await answers.save_items(tx.conn, list(fold.judged.values()))
    await apply(desk, tx, fold.steps, staff)
    tickets = [ticket for case in fold.cases.values() for ticket in case.tickets]
    heard = list(fold.heard.values())
    await playbooks.note(tx.conn, heard)
    await answer_all(desk, tx, heard, tickets, staff)
    await follow_up(desk, tx, heard, staff)


def ages(opened: Iterable[datetime], answer: Answer) -> tuple[timedelta, ...]:
    """How long before an answer the customer's earlier cases were opened."""
    return tuple(answer.since - at for at in opened if at < answer.since)


def placed(answer: Answer, staff: Staff, past: Collection[timedelta] = ()) -> Answer:
    """The answer with the team that its case would go to, that team's working hours and escalation policy."""
    team, route = routing.place(answer.snapshot, staff, past, answer.themes)
    also = frozenset(_ALSO[who] for who in route.also)
    return replace(answer, team=team.key, calendar=team.calendar, policy=team.policy, also=also)


def owner_of(
    answer: Answer,
    staff: Staff,
    owners: Mapping[UUID, str],
    now: datetime,
    past: Collection[timedelta] = (),
) -> Owner:
    """Who would own a ticket that this answer opens; the directory is newer than the snapshot."""
    known = owners.get(answer.account_id, "") if answer.account_id else ""
    team, route = routing.place(answer.snapshot, staff, past, answer.themes)
    return routing.owner(known or answer.snapshot.owner, staff, now, team, owner_first=route.owner_first)


_ALSO = {"manager": Audience.MANAGERS, "leadership": Audience.LEADERSHIP}


def read(data: Response, before: Answer | None) -> Answer | None:
    """The answer after this event, or None when something newer is known already."""
    if before is not None and data.version <= before.version:
        return None
    if isinstance(data, Answered):
        return _answered(data)
    if before is not None:
        return replace(
            before,
            version=data.version,
            standing=Standing.WITHDRAWN,
            since=data.at,
            spoken=False,
            quotable=False,
            agreed_at=None,
        )
    return _unheard_of(data)


def _answered(data: Answered) -> Answer:
    held, released = isinstance(data, ResponseHeld), isinstance(data, ResponseReleased)
    score = data.primary_score
    return Answer(
        **_identity(data),
        standing=Standing.HELD if held else Standing.COUNTED,
        mood=data.mood,
        score=score.value,
        scale=score.type,
        received_at=data.received_at,
        since=data.at if released else data.received_at,
        low=data.low,
        spoken=not (held or released),
        wants_ticket=data.close_the_loop.ticket,
        contact_within=timedelta(hours=data.close_the_loop.contact_within_hours),
        resolve_within=timedelta(hours=data.close_the_loop.resolve_within_hours),
        words=data.words,
        person=data.person,
        task=_task(data),
        playbook=data.close_the_loop.playbook,
        help=data.close_the_loop.help,
        evidence=data.evidence,
        quotable=Permission.QUOTE in data.permissions and not held,
        agreed_at=data.permitted_at.get(Permission.QUOTE),
    )


def _task(data: Answered) -> str:
    loop = data.close_the_loop
    named = {
        Mood.UNHAPPY: loop.unhappy_task,
        Mood.PASSIVE: loop.neutral_task,
        Mood.HAPPY: loop.happy_task,
    }
    return named[data.mood]


def _unheard_of(data: Response) -> Answer:
    """The withdrawal of an answer that never came: kept, so that a late copy of the answer is dropped."""
    return Answer(
        **_identity(data),
        standing=Standing.WITHDRAWN,
        mood=Mood.PASSIVE,
        score=None,
        scale=QuestionType.NPS,
        received_at=data.at,
        since=data.at,
        spoken=False,
    )


def _identity(data: Response) -> dict[str, Any]:
    return {
        "response_id": UUID(data.response_id),
        "version": data.version,
        "survey_id": UUID(data.survey_id),
        "contact_id": UUID(data.snapshot.contact_id),
        "account_id": _account(data),
        "snapshot": data.snapshot,
    }


def _account(data: Response) -> UUID | None:
    return UUID(data.snapshot.account_id) if data.snapshot.account_id else None


def _case_key(data: Response) -> UUID:
    return UUID(data.snapshot.key)


def _joined(data: Response, keys: Mapping[UUID, UUID]) -> UUID | None:
    own = _case_key(data)
    return keys[own] if keys[own] != own else None


def _rejected(event: Event[Response], tx: Tx) -> bool:
    """Put aside what can never work, naming the field."""
    defect = _defect(event.data)
    if defect:
        tx.reject(event, defect)
    return bool(defect)


def _defect(data: Response) -> str:
    ids = {
        "response_id": data.response_id,
        "survey_id": data.survey_id,
        "snapshot.contact_id": data.snapshot.contact_id,
        "snapshot.account_id": data.snapshot.account_id or data.snapshot.contact_id,
    }
    for name, value in ids.items():
        try:
            UUID(value)
        except ValueError:
            return f"field {name}: not a UUID"
    if isinstance(data, Answered) and not any(s.question == data.primary and not s.item for s in data.scores):
        return "field scores: the primary question has no score"
    if isinstance(data, Answered) and data.close_the_loop.contact_within_hours <= 0:
        return "field close_the_loop.contact_within_hours: must be above 0"
    return ""
