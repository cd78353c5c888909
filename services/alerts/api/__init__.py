"""`/v1/tickets`: what a helpdesk or a CRM may read and do. Ids and codes; names and words stay on the pages.

Repeating a call is harmless: what is so already answers 200 and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.alerts.api import findings, improvements, on_call, playbooks, referrals, report, stream, tasks
from services.alerts.api.acting import actor, decoded, must_work, next_of
from services.alerts.api.playbooks import step_out
from services.alerts.domain.model import Refused, Ticket
from services.alerts.handlers import checking
from services.alerts.handlers.actions import MAX_NOTE, Action, NoSuchTicketError, Wish, act
from services.alerts.handlers.applying import Desk
from services.alerts.store import books, cases, journal, outcomes, views
from shared.contracts.tickets import TicketState
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Principal, Scope, require_scope
from shared.web.problems import Problem
from shared.web.routing import join

Reader = Annotated[Principal, Depends(require_scope(Scope.TICKETS_READ))]
Writer = Annotated[Principal, Depends(require_scope(Scope.TICKETS_WRITE))]


class Acting(BaseModel):
    """What goes with an action. `version` refuses the action when the ticket has changed since."""

    note: str = Field(default="", max_length=MAX_NOTE)
    via: str = "other"
    contact_id: str = ""
    cause: str = ""
    lesson: str = Field(default="", max_length=MAX_NOTE, description="what others can learn from it")
    follow_up_at: AwareDatetime | None = Field(
        default=None, description="with a plan: when they hear from us again"
    )
    version: int | None = None
    user_id: UUID | None = Field(
        default=None, description="in whose name; needed with an API key, which is no person"
    )


class Page(BaseModel):
    """A part of a list; `next` asks for the following one, empty at the end."""

    tickets: list[dict[str, Any]]
    next: str = ""


_ACTIONS: Mapping[str, Action] = {
    "acknowledge": Action.ACKNOWLEDGE,
    "contacted": Action.CONTACT,
    "attempt": Action.ATTEMPT,
    "resolve": Action.RESOLVE,
    "reopen": Action.REOPEN,
    "plan": Action.PLAN,
    "confirm": Action.CONFIRM,
    "deny": Action.DENY,
    "note": Action.NOTE,
    "link": Action.LINK,
    "undo": Action.UNDO,
}


def router(desk: Desk, db: Database, clock: Clock) -> APIRouter:
    """The routes of tickets, rotas, tasks and improvements."""
    routes = APIRouter()
    join(routes, playbooks.router(desk, db))
    join(routes, _sums(db, clock))
    join(routes, report.router(desk, db, clock))
    join(routes, findings.router(db, clock))
    join(routes, stream.router(db))
    join(routes, _tickets(desk, db))
    join(routes, on_call.router(desk, db, clock))
    join(routes, tasks.router(desk, db))
    join(routes, referrals.router(db))
    join(routes, improvements.router(desk, db, clock))
    return routes


def _sums(db: Database, clock: Clock) -> APIRouter:
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"])

    @routes.get("/books")
    async def sums(_who: Reader) -> dict[str, Any]:
        """Tickets by state, breaches, and whether each unhappy current answer is in exactly one ticket."""
        async with db.read() as conn:
            return asdict(await books.books(conn, clock.now()))

    @routes.get("/recovered")
    async def recovered(
        _who: Reader, days: Annotated[int, Query(ge=1, le=3660)] = 90
    ) -> list[dict[str, Any]]:
        """How cases that people resolved in the last days turned out, by team and owner.

        `confirmed` by the customer, `reopened` by their no, `unconfirmed` while nobody has said anything.
        """
        async with db.snapshot() as conn:
            found = await outcomes.since(conn, clock.now() - timedelta(days=days))
        return [
            {"team": team, "owner": owner, "unconfirmed": counts.unconfirmed, "recovered": counts.recovered}
            | asdict(counts)
            for (team, owner), counts in found.items()
        ]

    return routes


def _tickets(desk: Desk, db: Database) -> APIRouter:
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"])

    @routes.get("")
    async def list_tickets(
        _who: Reader,
        state: TicketState | None = None,
        owner: UUID | None = None,
        contact: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[str, Query(max_length=200)] = "",
    ) -> Page:
        """Open tickets by what breaches first, or ended ones (`state=resolved`, `closed`), newest first.

        Those of a `contact` who was merged are found by any of their ids.
        """
        ended = state in {TicketState.RESOLVED, TicketState.CLOSED}
        query = views.Query(
            owner=owner,
            ended=ended,
            state=state.value if state else "",
            contact=contact,
            limit=limit,
            after=decoded(after),
        )
        async with db.read() as conn:
            found = await views.lines(conn, query)
        return Page(tickets=[_line(line) for line in found], next=_next(found, ended=ended, limit=limit))

    @routes.get("/{ticket_id}")
    async def get_ticket(ticket_id: UUID, _who: Reader) -> dict[str, Any]:
        """One ticket with its voices and timeline."""
        async with db.read() as conn:
            ticket = await cases.ticket(conn, ticket_id)
            if ticket is None:
                raise _unknown()
            timeline = await views.timeline(conn, ticket_id)
            steps = await checking.steps(desk, conn, ticket)
        more = {"timeline": [_entry(row) for row in timeline], "playbook": [step_out(one) for one in steps]}
        return _whole(ticket) | more

    @routes.get("/{ticket_id}/notices")
    async def get_notices(ticket_id: UUID, _who: Reader) -> list[dict[str, Any]]:
        """Who was told of it by which channel, with every attempt."""
        async with db.read() as conn:
            if await cases.ticket(conn, ticket_id) is None:
                raise _unknown()
            return [asdict(logged) for logged in await journal.of_ticket(conn, ticket_id)]

    @routes.post("/{ticket_id}/{action}")
    async def do(ticket_id: UUID, action: str, who: Writer, acting: Acting | None = None) -> dict[str, Any]:
        """Acknowledge, contacted, attempt, plan, resolve, confirm, deny, reopen, note, link or undo."""
        return await _act(desk, db, ticket_id, _wish(action, acting or Acting(), who))

    return routes


async def _act(desk: Desk, db: Database, ticket_id: UUID, wish: Wish) -> dict[str, Any]:
    try:
        async with db.begin() as tx:
            await must_work(tx, wish.by)
            done = await act(desk, tx, ticket_id, wish)
    except NoSuchTicketError:
        raise _unknown() from None
    if isinstance(done, Refused):
        raise Problem(409, done.why, what_to_do=f"Look at GET /v1/tickets/{ticket_id}.")
    return _whole(done)


def _wish(action: str, acting: Acting, who: Principal) -> Wish:
    if action not in _ACTIONS:
        raise Problem(404, "There is no such action.", what_to_do=f"Use one of {', '.join(_ACTIONS)}.")
    return Wish(
        _ACTIONS[action],
        actor(who, acting.user_id),
        seen=acting.version,
        note=acting.note,
        via=acting.via,
        contact=acting.contact_id,
        cause=acting.cause,
        lesson=acting.lesson,
        follow_up_at=acting.follow_up_at,
    )


def _whole(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "version": ticket.version,
        "state": ticket.state.value,
        "account_id": ticket.snapshot.account_id,
        "programme": ticket.snapshot.programme,
        "owner": ticket.owner.user_id,
        "owner_reason": ticket.owner.reason,
        "opened_at": ticket.opened_at,
        "contact_due_at": ticket.run.contact_due_at,
        "resolve_due_at": ticket.run.resolve_due_at,
        "acknowledged_at": ticket.acknowledged_at,
        "contacted_at": ticket.run.contacted_at,
        "planned_at": ticket.planned_at,
        "follow_up_at": ticket.run.follow_up_at,
        "ended_at": ticket.ended_at,
        "confirmed_at": ticket.confirmed_at,
        "denied_at": ticket.denied_at,
        "incident": ticket.incident,
        "level": int(ticket.run.told),
        "proposal": ticket.proposal,
        "cause": ticket.cause,
        "how": ticket.how,
        "themes": ticket.themes,
        "voices": [
            {
                "response_id": v.response_id,
                "survey_id": v.survey_id,
                "contact_id": v.contact_id,
                "state": v.state.value,
            }
            for v in ticket.voices
        ],
    }


def _entry(row: views.TimelineRow) -> dict[str, Any]:
    return {"at": row.at, "by": row.by or "system", "kind": row.kind, "data": row.data}


def _line(line: views.Line) -> dict[str, Any]:
    return {
        "id": line.ticket_id,
        "version": line.version,
        "state": line.state,
        "account_id": line.account_id,
        "contact_id": line.contact_id,
        "programme": line.answer.snapshot.programme,
        "score": line.answer.score,
        "scale": line.answer.scale.value,
        "people": line.people,
        "owner": line.owner,
        "opened_at": line.opened_at,
        "contact_due_at": line.contact_due_at,
        "breaches_at": line.breach_at,
        "ended_at": line.ended_at,
        "confirmed": line.confirmed,
        "level": line.told,
    }


def _next(found: Sequence[views.Line], *, ended: bool, limit: int) -> str:
    if len(found) < limit:
        return ""
    last = found[-1]
    at = last.ended_at if ended and last.ended_at else last.breach_at
    return next_of(at, last.ticket_id)


def _unknown() -> Problem:
    return Problem(404, "There is no such ticket.", what_to_do="Look in the list: GET /v1/tickets.")
