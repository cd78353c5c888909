"""What people do to tickets: lock the case, decide, write. Each returns the ticket, or why it was refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain import causes, progress, recovery, unconfirmed, undoing
from services.alerts.domain import ticket as life
from services.alerts.domain.case import Case
from services.alerts.domain.incident import incident_of
from services.alerts.domain.model import Refused, Standing, Step, Ticket
from services.alerts.domain.unconfirmed import Item, ItemState
from services.alerts.handlers import escalating, opening
from services.alerts.handlers.applying import Desk, apply
from services.alerts.handlers.responses import Fold, Kin, owner_of, placed, write
from services.alerts.store import answers, cases, directory, rota
from services.alerts.store.cases import Lately
from shared.db.database import Tx
from shared.db.merged import families, family

MAX_NOTE = 4000
OTHER_OPEN = "This customer has another open case. Work on that one."


class Action(StrEnum):
    """What a person can do to a ticket."""

    ACKNOWLEDGE = "acknowledge"
    CONTACT = "contacted"
    ATTEMPT = "attempt"
    NOTE = "note"
    ASSIGN = "assign"
    RESOLVE = "resolve"
    ACCEPT = "accept"
    REOPEN = "reopen"
    PLAN = "plan"
    CONFIRM = "confirm"
    DENY = "deny"
    LINK = "link"
    WATCH = "watch"
    UNWATCH = "unwatch"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do.

    Attributes:
        seen: version of the ticket that the person looked at; None when a program asks.
        via: how the customer was reached or tried: phone, mail, meeting, chat.
        again: a contact after the first is a follow-up to be written down, not a repetition.
        lesson: what others can learn from a case that is resolved.
        follow_up_at: when the customer is to hear from us again, as planned.
    """

    action: Action
    by: UUID
    seen: int | None = None
    note: str = ""
    via: str = ""
    contact: str = ""
    cause: str = ""
    to: UUID | None = None
    again: bool = False
    lesson: str = ""
    follow_up_at: datetime | None = None


class NoSuchTicketError(LookupError):
    """There is no ticket with this id."""


async def act(desk: Desk, tx: Tx, ticket_id: UUID, wish: Wish) -> Ticket | Refused:
    """Do it, unless the state forbids it or somebody else was faster.

    Raises:
        NoSuchTicketError: there is no ticket with this id.
    """
    if wish.action in _OPENS_AGAIN:
        kin = await _kin(tx, {ticket_id})
        await cases.lock(tx.conn, {key for keys in kin.values() for key in keys})
    case_key = await cases.lock_of(tx.conn, ticket_id)
    ticket = await cases.ticket(tx.conn, ticket_id) if case_key else None
    if ticket is None:
        raise NoSuchTicketError
    if max(len(wish.note), len(wish.lesson)) > MAX_NOTE:
        return Refused(f"The note is longer than {MAX_NOTE} characters.")
    step = await _DECIDE[wish.action](desk, tx, ticket, wish)
    if isinstance(step, Refused) or step.ticket is ticket:
        return step if isinstance(step, Refused) else ticket
    if wish.seen is not None and wish.seen < ticket.edited and wish.action not in _HARMLESS:
        return Refused("Somebody changed this case while you looked at it. Read what is new, then go on.")
    step = undoing.remember(ticket, step, wish.action.value, wish.by, tx.now)
    await apply(desk, tx, (step,), await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster))
    if wish.action is Action.UNDO and ticket.undo and step.ticket.is_untaken and not ticket.is_untaken:
        await escalating.tell_after_all(desk, tx, step.ticket, ticket.undo.at)
    return step.ticket


async def settle(desk: Desk, tx: Tx, response_id: UUID, by: UUID, *, real: bool) -> Item | None:
    """A person looked at an unconfirmed answer: a real one opens a ticket now, a machine's is put away."""
    found = (await answers.load(tx.conn, {response_id})).get(response_id)
    if found is None:
        return None
    about = {one for one in (recovery.asked_about(found.snapshot),) if one}
    kin = await _kin(tx, about)
    theirs = {key for keys in kin.values() for key in keys}
    await cases.lock(tx.conn, {found.case_key, *theirs})
    item = (await answers.items(tx.conn, {response_id})).get(response_id)
    answer = (await answers.load(tx.conn, {response_id}))[response_id]
    if item is None or not item.is_waiting:
        return item
    item = unconfirmed.decide(item, ItemState.CONFIRMED if real else ItemState.DISMISSED, by, tx.now)
    if not real:
        await answers.save_items(tx.conn, (item,))
        return item
    lately = Lately(tx.now - desk.group_within, {incident_of(answer.snapshot)} - {""})
    tickets = await cases.tickets_for(tx.conn, {answer.case_key, *theirs}, {response_id}, lately)
    fold = Fold(
        {key: Case(key, found) for key, found in tickets.items()}, {response_id: answer}, {response_id: item}
    )
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    owners = await directory.owners(tx.conn, {answer.account_id} if answer.account_id else set())
    counted = placed(replace(answer, standing=Standing.COUNTED, since=tx.now, spoken=False), staff)
    fold.take(counted, owner_of(counted, staff, owners, tx.now), desk.group_within)
    if about:
        await fold.look_up(tx, about)
        (words,) = await opening.words(desk.sealer, tx.conn, [counted])
        fold.take_word(answer, counted, words, kin)
    fold.judged[response_id] = item
    await write(desk, tx, fold, staff)
    return item


async def _acknowledge(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    return life.acknowledge(ticket, wish.by, tx.now)


async def _contact(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    if ticket.run.contacted_at is not None and not wish.again:
        return Step(ticket)
    return life.contact(ticket, wish.by, tx.now, _how(ticket, wish), wish.note)


async def _attempt(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    return life.attempt(ticket, wish.by, tx.now, _how(ticket, wish), wish.note)


async def _note(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    if not wish.note.strip():
        return Refused("The note is empty.")
    return life.write(ticket, wish.by, tx.now, wish.note)


async def _assign(desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    if wish.to not in staff.workers:
        return Refused("Choose somebody who works on cases and is active.")
    return life.assign(ticket, wish.by, tx.now, wish.to)


async def _resolve(desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    cause = causes.find(desk.causes, wish.cause)
    if cause is None:
        return Refused("Choose a cause from the list.")
    tried = await cases.attempts(tx.conn, ticket.id, ticket.run.started_at)
    step = life.resolve(ticket, wish.by, tx.now, cause, wish.note, attempts=tried)
    return step if isinstance(step, Refused) else progress.learned(step, wish.lesson)


async def _accept(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    return life.accept_proposal(ticket, wish.by, tx.now)


async def _reopen(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    if ticket.is_open:
        return Step(ticket)
    if await _other_open(tx, ticket):
        return Refused(OTHER_OPEN)
    return life.reopen(ticket, tx.now, wish.by, note=wish.note)


async def _plan(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    return progress.plan(ticket, wish.by, tx.now, wish.note, wish.follow_up_at)


async def _confirm(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    return progress.confirm(ticket, wish.by, tx.now, wish.note)


async def _deny(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    if await _other_open(tx, ticket):
        return Refused(OTHER_OPEN)
    return progress.deny(ticket, wish.by, tx.now, wish.note)


async def _link(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    return progress.link(ticket, wish.by, tx.now, wish.note)


async def _watch(_desk: Desk, _tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    return progress.watch(ticket, wish.by, on=wish.action is Action.WATCH)


async def _undo(_desk: Desk, tx: Tx, ticket: Ticket, wish: Wish) -> Step | Refused:
    if await _other_open(tx, ticket):
        return Refused(OTHER_OPEN)
    return undoing.undo(ticket, wish.by, tx.now)


async def _other_open(tx: Tx, ticket: Ticket) -> bool:
    """Whether the customer, by whichever id, has another open case: two at a time there never are."""
    if ticket.is_open:
        return False
    return bool(await cases.with_open_ticket(tx.conn, await family(tx.conn, ticket.case_key)))


async def _kin(tx: Tx, ticket_ids: set[UUID]) -> Kin:
    """All keys of the customers of these cases."""
    keys = await cases.keys_of(tx.conn, ticket_ids)
    return await families(tx.conn, keys) if keys else {}


def _how(ticket: Ticket, wish: Wish) -> Mapping[str, str]:
    known = {str(voice.contact_id) for voice in ticket.voices}
    contact = wish.contact if wish.contact in known else ticket.snapshot.contact_id
    return {"via": wish.via if wish.via in VIA else "other", "contact": contact}


VIA = {
    "phone": "by phone",
    "mail": "by e-mail",
    "meeting": "in a meeting",
    "chat": "by chat",
    "other": "",
}
"""Ways to reach a customer, with the words for them; who did not say how has none."""

_HARMLESS = frozenset({Action.NOTE, Action.ATTEMPT, Action.LINK, Action.WATCH, Action.UNWATCH})
"""Actions that only add a line, on whatever version the person saw."""

_OPENS_AGAIN = frozenset({Action.REOPEN, Action.DENY, Action.UNDO})
"""Actions that must see all cases of a customer who was merged."""

_Decide = Callable[[Desk, Tx, Ticket, Wish], Awaitable[Step | Refused]]
_DECIDE: Mapping[Action, _Decide] = {
    Action.ACKNOWLEDGE: _acknowledge,
    Action.CONTACT: _contact,
    Action.ATTEMPT: _attempt,
    Action.NOTE: _note,
    Action.ASSIGN: _assign,
    Action.RESOLVE: _resolve,
    Action.ACCEPT: _accept,
    Action.REOPEN: _reopen,
    Action.PLAN: _plan,
    Action.CONFIRM: _confirm,
    Action.DENY: _deny,
    Action.LINK: _link,
    Action.WATCH: _watch,
    Action.UNWATCH: _watch,
    Action.UNDO: _undo,
}
