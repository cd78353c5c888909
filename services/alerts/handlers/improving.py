"""What people do to improvement actions: lock, decide, write. Each returns it, or a refusal (R76)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from services.alerts.domain import improvements as rules
from services.alerts.domain.effect import SPAN, can_be_told
from services.alerts.domain.improvements import SHIPPED, Change, Did, Improvement, Line, Plan
from services.alerts.domain.model import Refused
from services.alerts.domain.thanking import Reply
from services.alerts.handlers import thanking
from services.alerts.handlers.actions import MAX_NOTE
from services.alerts.handlers.applying import Desk
from services.alerts.store import answers, improvements, raising, rota, taking_part
from shared.contracts.improvements import Stage
from shared.contracts.messages import MessageKind
from shared.db.database import Tx


class Action(StrEnum):
    """What a person can do to an improvement."""

    PROPOSE = "propose"
    PLAN = "plan"
    START = "start"
    SHIP = "ship"
    MEASURE = "measure"
    DROP = "drop"
    NOTE = "note"
    LINK = "link"
    UNLINK = "unlink"
    TELL = "tell"
    INVITE = "invite"


MOVES: Mapping[Action, Stage] = {
    Action.PROPOSE: Stage.PROPOSED,
    Action.PLAN: Stage.PLANNED,
    Action.START: Stage.UNDER_WAY,
    Action.SHIP: Stage.SHIPPED,
    Action.MEASURE: Stage.MEASURED,
    Action.DROP: Stage.DROPPED,
}


KINDS: Mapping[Action, MessageKind] = {
    Action.SHIP: MessageKind.YOU_SAID_WE_DID,
    Action.TELL: MessageKind.YOU_SAID_WE_DID,
    Action.INVITE: MessageKind.INVITATION,
}
"""What those who raised it get."""
_ANNOUNCED = frozenset({Did.OPENED, Did.EDITED, Did.MOVED})
"""What others are told of; cases, notes and mails change nothing in what it is."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do.

    Attributes:
        seen: version that the person looked at; None when a program asks.
        ticket: with `link` and `unlink`: the case; `link` without one takes all that ended with its theme.
        response: with `link` and `unlink`: the answer, in place of the case; one of a case stands for it.
        words: with `ship` and `tell`: language -> what those who raised it are told; with `invite`: what they
            may take part in. Whose language is not in it is not written to.
    """

    action: Action
    by: UUID
    seen: int | None = None
    note: str = ""
    ticket: UUID | None = None
    response: UUID | None = None
    words: Mapping[str, str] = field(default_factory=dict)


class NoSuchImprovementError(LookupError):
    """There is no improvement with this id."""


async def keep(
    desk: Desk, tx: Tx, improvement_id: UUID, plan: Plan, by: UUID, seen: int | None = None
) -> Improvement | Refused:
    """Open an improvement under an id of the caller's choice, or change it; twice is once."""
    before = await improvements.lock(tx.conn, improvement_id)
    if before is None or plan.owner != before.plan.owner:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        if plan.owner not in staff.workers:
            return Refused("Choose an owner who works on cases and is active.")
    if before is None:
        change = rules.open_(improvement_id, plan, by, tx.now)
    else:
        change = rules.edit(before, plan, by, tx.now)
        if _overtaken(before, change, seen):
            return _OVERTAKEN
    return await _write(tx, change)


async def act(desk: Desk, tx: Tx, improvement_id: UUID, wish: Wish) -> Improvement | Refused:
    """Do it, unless the stage forbids it or somebody else was faster.

    Raises:
        NoSuchImprovementError: there is none with this id.
    """
    one = await improvements.lock(tx.conn, improvement_id)
    if one is None:
        raise NoSuchImprovementError
    if len(wish.note) > MAX_NOTE:
        return Refused(f"The note is longer than {MAX_NOTE} characters.")
    words = rules.sendable(wish.words)
    if isinstance(words, Refused):
        return words
    change = await _decide(tx, one, replace(wish, words=words))
    if wish.action in MOVES and _overtaken(one, change, wish.seen):
        return _OVERTAKEN
    done = await _write(tx, change)
    if isinstance(done, Refused) or not words or wish.action not in KINDS:
        return done
    return await _tell(desk, tx, done, wish, words)


async def _decide(tx: Tx, one: Improvement, wish: Wish) -> Change | Refused:
    match wish.action:
        case Action.NOTE:
            note = Line(Did.NOTED, tx.now, wish.by, note=wish.note.strip())
            return rules.write(one, note) if note.note else Refused("The note is empty.")
        case Action.LINK:
            return await _link(tx, one, wish)
        case Action.UNLINK:
            return await _unlink(tx, one, wish)
        case Action.TELL | Action.INVITE:
            return _may_write(one, wish)
        case _:
            found = await improvements.effects(tx.conn, one, tx.now)
            known = one.shipped_at is not None and can_be_told(found, one.shipped_at, tx.now)
            return rules.move(one, MOVES[wish.action], wish.by, tx.now, wish.note, known=known)


def _may_write(one: Improvement, wish: Wish) -> Change | Refused:
    """Whether those who raised it may be written to now."""
    inviting = wish.action is Action.INVITE
    if inviting and not one.waits:
        return Refused("There is nothing left to take part in.")
    if not inviting and one.stage not in SHIPPED:
        return Refused("They are told once it is shipped.")
    if not wish.words:
        return Refused("Say what they may take part in." if inviting else "Say what you have changed.")
    return Change(one)


async def _link(tx: Tx, one: Improvement, wish: Wish) -> Change | Refused:
    ticket = wish.ticket
    if wish.response is not None:
        ticket = await raising.case_of(tx.conn, wish.response)
        if ticket is None:
            new = await raising.link(tx.conn, one.id, wish.response, wish.by, tx.now)
            return rules.write(one, Line(Did.HEARD, tx.now, wish.by)) if new else Change(one)
    if ticket is not None:
        wanted = [ticket]
    else:
        since = (one.shipped_at or tx.now) - SPAN
        wanted = await improvements.unlinked(tx.conn, one.id, one.plan.theme, since)
    number = await improvements.link(tx.conn, one.id, wanted, wish.by, tx.now)
    if not number:
        return Change(one)
    return rules.write(one, Line(Did.LINKED, tx.now, wish.by, {"cases": str(number)}))


async def _unlink(tx: Tx, one: Improvement, wish: Wish) -> Change | Refused:
    if wish.response is not None:
        gone = await raising.unlink(tx.conn, one.id, wish.response)
        return rules.write(one, Line(Did.UNHEARD, tx.now, wish.by)) if gone else Change(one)
    if wish.ticket is None:
        return Refused("Say which case.")
    if not await improvements.unlink(tx.conn, one.id, wish.ticket):
        return Change(one)
    return rules.write(one, Line(Did.UNLINKED, tx.now, wish.by, {"cases": "1"}))


async def _tell(
    desk: Desk, tx: Tx, one: Improvement, wish: Wish, words: Mapping[str, str]
) -> Improvement | Refused:
    """Write to those who raised it, each once: what was changed (R81), what they may take part in (R94)."""
    kind = KINDS[wish.action]
    found = await improvements.raised(tx.conn, one.id, kind.value)
    wanted = [who for who in found if who.state is None and who.language in words]
    if kind is MessageKind.INVITATION:
        await tx.conn.execute("select pg_advisory_xact_lock(hashtextextended('invitations', 0))")
        left_alone = await taking_part.resting(tx.conn, [who.speaker for who in wanted], tx.now)
        wanted = [who for who in wanted if who.speaker not in left_alone]
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    said = await answers.load(tx.conn, {who.response_id for who in wanted})
    replies = [
        Reply(
            ("message", kind.value, one.id, who.speaker),
            kind,
            replace(said[who.response_id], known_as=who.speaker),
            owner=one.plan.owner,
            improvement_id=one.id,
            text=words[who.language],
        )
        for who in wanted
    ]
    number = await thanking.request(desk, tx, replies, staff)
    if not number:
        return one
    did = Did.INVITED if kind is MessageKind.INVITATION else Did.TOLD
    line = Line(did, tx.now, wish.by, {"people": str(number)}, "\n\n".join(words.values()))
    return await _write(tx, rules.write(one, line))


async def _write(tx: Tx, change: Change | Refused) -> Improvement | Refused:
    if isinstance(change, Refused) or change.line is None:
        return change if isinstance(change, Refused) else change.improvement
    await improvements.save(tx.conn, change.improvement)
    await improvements.append(tx.conn, change.improvement.id, change.line)
    if change.line.did in _ANNOUNCED:
        announce(tx, change.improvement)
    return change.improvement


def announce(tx: Tx, one: Improvement) -> None:
    """Tell others how it stands."""
    tx.emit(rules.event_of(one, tx.now), identity=f"{one.id}/{one.version}", key=str(one.id))


def _overtaken(before: Improvement, change: Change | Refused, seen: int | None) -> bool:
    """Whether somebody changed it while another one looked at it; what changes nothing is no matter."""
    new = isinstance(change, Change) and change.line is not None
    return new and seen is not None and seen < before.version


_OVERTAKEN = Refused("Somebody changed this while you looked at it. Read what is new, then go on.")
