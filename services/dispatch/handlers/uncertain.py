"""Messages of which nobody knows whether they left, as people see them and decide about them.

A decision names how many there were when it was made: of two who press at once one decides, the other one is
told; who presses twice decides once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.look import Facts, never
from services.dispatch.domain.recipient import recipient_of
from services.dispatch.domain.states import State
from services.dispatch.domain.uncertain import Bar, Decision, Standing
from services.dispatch.handlers.fates import arrived
from services.dispatch.store import queue, uncertain
from services.dispatch.store.uncertain import Made, Row, Wanted
from shared.contracts.model import Channel, Person
from shared.contracts.reasons import Reason
from shared.db.database import Connection, Database
from shared.errors import Unprocessable
from shared.security.access_store import audit
from shared.security.sealing import Sealer
from shared.web.cursors import after_instant, text_cursor
from shared.web.problems import Problem

_AGAIN = "Open the list again."
_BARS = {
    Reason.ERASED: Bar.ERASED,
    Reason.CANCELLED: Bar.CANCELLED,
    Reason.ANSWERED: Bar.ANSWERED,
    Reason.EXPIRED: Bar.CLOSED,
}
_WORDS = {
    Bar.SETTLED: "It is not uncertain any more.",
    Bar.FOLLOWED: "A later message of the same survey has left since, or is about to.",
    Bar.ANSWERED: "The survey was answered.",
    Bar.CLOSED: "Its survey is closed, or its moment has passed.",
    Bar.CANCELLED: "Its survey was called off.",
    Bar.NOT_WRITTEN_TO: "This person, or this address, is not written to any more.",
    Bar.ERASED: "The person was erased.",
}
_DIGITS = 9
"""More are no number of a decision."""
_WRITTEN_TO = frozenset({Channel.EMAIL, Channel.SMS})


@dataclass(frozen=True, slots=True)
class Named:
    """Who a message goes to, in clear; `address` is "" where it goes by a channel that has none."""

    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A message of a list.

    Attributes:
        row: what is kept of it.
        bar: why it cannot be sent again; None when it can.
    """

    row: Row
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it stands; `fresh`: made by this call, and not by one before."""

    made: Made
    fresh: bool


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The lists over a database, and the keys that open who they are about."""

    db: Database
    sealer: Sealer

    async def listed(self, conn: Connection, wanted: Wanted, limit: int) -> list[Listed]:
        """A page of a list, each message with what speaks against sending it again."""
        rows = await uncertain.listed(conn, wanted, limit)
        stopped = await _stopped(conn, rows)
        now = self.db.clock.now()
        return [Listed(row, _bar(row, stopped, now)) for row in rows]

    async def names(self, conn: Connection, rows: Sequence[Row]) -> Mapping[UUID, Named]:
        """Who messages go to, by message; nothing of those of whom nothing is kept."""
        items = [(row.contact_id, row.sealed) for row in rows]
        try:
            opened = await self.sealer.open(conn, items, Person)
        except Unprocessable:
            # One broken text among them must not hide the list; ids are shown in its place.
            return {}
        return {
            row.delivery_id: _named(row, person)
            for row, person in zip(rows, opened, strict=True)
            if person is not None
        }

    async def decide(self, delivery_id: UUID, decision: Decision, seen: int | None, by: str) -> Decided:
        """Decide about a message, once.

        Args:
            delivery_id: which.
            decision: what is to become of it.
            seen: how many decisions about it whoever decides knows of; None: whatever there is.
            by: who decides, as the audit log names them.

        Raises:
            Problem: 404 there is no such message; 409 somebody has decided since, it is not uncertain any
                more, or cannot be sent again. Each says which.
        """
        async with self.db.begin() as tx:
            row = await uncertain.held(tx.conn, delivery_id)
            if row is None:
                raise Problem(404, "There is no message of this id.", what_to_do=_AGAIN)
            if repeated := _repeated(row, decision, row.decisions if seen is None else seen, by):
                return Decided(repeated, fresh=False)
            if row.state is not State.UNCERTAIN:
                raise Problem(409, f"{_WORDS[Bar.SETTLED]} It is {row.state.value} now.", what_to_do=_AGAIN)
            if decision is Decision.SEND_AGAIN:
                bar = _bar(row, await _stopped(tx.conn, [row]), tx.now)
                if bar is not None:
                    words = f"It cannot be sent again. {_WORDS[bar]}"
                    raise Problem(409, words, what_to_do="Leave it as it is.")
            made = Made(row.decisions + 1, decision, by, tx.now)
            await uncertain.keep(tx.conn, delivery_id, made)
            if decision is Decision.DELIVERED:
                await arrived(tx, delivery_id, delivered=True, detail=f"told by {by}")
            elif decision is Decision.SEND_AGAIN:
                await uncertain.send_again(tx.conn, delivery_id, tx.now)
            await audit(tx.conn, tx.now, by, "message.decided", str(delivery_id), decision=decision.value)
        return Decided(made, fresh=True)


def cursor_of(last: Listed, standing: Standing) -> str:
    """Where a list goes on after its last message."""
    row = last.row
    if standing is Standing.DECIDED and row.made is not None:
        return text_cursor(row.made.at.isoformat(), str(row.delivery_id), str(row.made.number), "")
    at = row.since or row.requested_at
    return text_cursor(at.isoformat(), str(row.delivery_id), "0", "")


def after_of(cursor: str) -> tuple[datetime, str, int] | None:
    """Read such a text.

    Raises:
        Problem: 422, it is none of ours.
    """
    found = after_instant(cursor)
    if found is None:
        return None
    at, delivery_id, number, _ = found
    try:
        return at, str(UUID(delivery_id)), int(number[:_DIGITS])
    except ValueError as error:
        words = "cursor: take it from `next` of the page before."
        raise Problem(422, words, field="cursor") from error


def _repeated(row: Row, decision: Decision, seen: int, by: str) -> Made | None:
    """The decision that this one is over again; None when it is a new one.

    Raises:
        Problem: 409, somebody has decided otherwise since.
    """
    last = row.made
    if last and (seen, decision, by) == (row.decisions - 1, last.decision, last.by):
        return last
    if seen != row.decisions:
        raise _decided_meanwhile(last)
    return last if last and decision is last.decision is Decision.LEAVE else None


def _decided_meanwhile(last: Made | None) -> Problem:
    if last is None:
        return Problem(409, "There are fewer decisions about it than that.", what_to_do=_AGAIN)
    said = {
        Decision.DELIVERED: "it arrived",
        Decision.SEND_AGAIN: "it is sent again",
        Decision.LEAVE: "it is left as it is",
    }[last.decision]
    return Problem(
        409, f"Somebody has decided meanwhile: {said} ({last.at:%Y-%m-%d %H:%M} UTC).", what_to_do=_AGAIN
    )


async def _stopped(conn: Connection, rows: Sequence[Row]) -> Mapping[UUID, Reason]:
    """Who of them is not written to, and why."""
    keys = {row.delivery_id: (row.contact_id, row.programme, row.address_hash) for row in rows}
    found = await queue.blocked(conn, sorted(set(keys.values())))
    return {one: Reason(found[key]) for one, key in keys.items() if key in found}


def _bar(row: Row, stopped: Mapping[UUID, Reason], now: datetime) -> Bar | None:
    """Why a message cannot be sent again; the last look would say so too, but only once it was tried."""
    if row.state is not State.UNCERTAIN:
        return Bar.SETTLED
    facts = Facts(
        of_survey=row.survey_id is not None,
        address=None,
        expires_at=row.expires_at,
        erased=row.erased or not row.sealed,
        blocked=Reason.OPTED_OUT if row.opted_out else stopped.get(row.delivery_id),
        cancelled=row.cancelled,
        answered=row.answered,
        closed=row.closed,
    )
    reason = never(facts, now)
    if reason is not None:
        return _BARS.get(reason, Bar.NOT_WRITTEN_TO)
    return Bar.FOLLOWED if row.followed else None


def _named(row: Row, person: Person) -> Named:
    whom = recipient_of(row.channel, person, row.contact_id, row.owner)
    return Named(person.name, str(whom) if whom and row.channel in _WRITTEN_TO else "")
