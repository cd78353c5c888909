"""Gathers what a notice says, and opens the personal data for it at the moment of sending."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.alerts.domain import priority, words
from services.alerts.domain.alarm import Alarm
from services.alerts.domain.model import Answer, Kind, Occasion
from services.alerts.domain.priority import Stake
from services.alerts.domain.routing import Staff
from services.alerts.handlers import opening
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.opening import speaker
from services.alerts.store import cases, directory, paging, views
from services.alerts.store.notices import Notice
from shared.contracts.forms import QuestionType
from shared.contracts.model import Person, Tier
from shared.db.database import Tx


async def alarm_of(desk: Desk, tx: Tx, notice: Notice, staff: Staff, public_url: str) -> Alarm:
    """Everything the notice may say, as it is now."""
    ticket = await cases.ticket(tx.conn, notice.ticket_id)
    assert ticket is not None  # noqa: S101 - a notice has its ticket by foreign key
    voices = await views.voices(tx.conn, ticket.id)
    answer = voices[-1][0] if notice.occasion is Occasion.JOINED and voices else worst(voices)
    contact = (await views.contacts(tx.conn, {answer.contact_id})).get(answer.contact_id) if answer else None
    person, said = await speaker(desk.sealer, tx.conn, answer, contact) if answer else (Person(), "")
    if notice.occasion is Occasion.DENIED:
        said = await _no(desk, tx, ticket.id) or said
    account = await views.account(tx.conn, answer.account_id if answer else None)
    owner = staff.by_id(ticket.owner.user_id)
    organisation = await directory.organisation(tx.conn)
    base = f"{(organisation.public_url or public_url).rstrip('/')}/tickets"
    snapshot = ticket.snapshot
    tier = (account.tier if account else "") or (snapshot.tier.value if snapshot.tier else "")
    return Alarm(
        occasion=notice.occasion,
        who=person.name or person.email,
        job=(contact.job_function if contact else "") or snapshot.job_function,
        account=(account.name if account else "") or snapshot.account_name,
        tier=tier,
        score=answer.score if answer else None,
        scale=answer.scale if answer else QuestionType.NPS,
        said=said,
        phone=person.phone,
        email=person.email,
        priority=ranked(desk, voices, tier, account, tx.now, denied=bool(ticket.denied_at)).priority.word,
        owner=owner.name if owner else "",
        why_owner=ticket.owner.reason,
        due_at=ticket.run.resolve_due_at
        if notice.occasion is Occasion.UNRESOLVED
        else ticket.run.contact_due_at,
        now=tx.now,
        link=f"{base}/{ticket.id}",
        also=await _also(desk, tx, notice, base),
        touchpoint=snapshot.touchpoint,
        zone=organisation.zone,
        since=ticket.run.started_at,
    )


async def _no(desk: Desk, tx: Tx, ticket_id: UUID) -> str:
    """What the customer wrote when they said that it is not mended; nothing when they wrote nothing."""
    rows = [row for row in await views.timeline(tx.conn, ticket_id) if row.kind == Kind.DENIED]
    if not rows or rows[-1].note_contact is None:
        return ""
    (text,) = await opening.notes(desk.sealer, tx.conn, [(rows[-1].note_contact, rows[-1].note)])
    return text


async def _also(desk: Desk, tx: Tx, notice: Notice, base: str) -> tuple[tuple[str, str], ...]:
    """The other cases that one notice tells of: who gave what, and where to read it."""
    found = [t for t in await paging.gathered(tx.conn, notice.id) if t != notice.ticket_id]
    gravest = await views.gravest(tx.conn, found)
    known = [gravest[ticket_id] for ticket_id in found if ticket_id in gravest]
    people = await opening.people(desk.sealer, tx.conn, [(a.contact_id, person) for a, person in known])
    names = [person.name or person.email or "A customer" for person in people]
    return tuple(
        (f"{name}{_of(answer)} gave {words.score(answer.score, answer.scale)}", f"{base}/{ticket_id}")
        for name, (answer, _), ticket_id in zip(names, known, (t for t in found if t in gravest), strict=True)
    )


def _of(answer: Answer) -> str:
    return f" ({answer.snapshot.account_name})" if answer.snapshot.account_name else ""


def worst(voices: list[tuple[Answer, str]]) -> Answer | None:
    """The gravest voice: an unhappy one before others, then the lowest score."""
    return voices[0][0] if voices else None


def ranked(
    desk: Desk,
    voices: list[tuple[Answer, str]],
    tier: str,
    account: views.AccountCopy | None,
    now: datetime,
    *,
    denied: bool = False,
) -> priority.Ranked:
    """How urgent the case is."""
    unhappy = [answer for answer, state in voices if state == "unhappy"]
    lowest = min(unhappy, key=lambda a: (a.score is None, a.score or 0), default=None)
    if lowest is None or lowest.score is None:
        return priority.Ranked(priority.Priority.NORMAL, ())
    people = len({answer.speaker for answer in unhappy})
    stake = Stake(
        Tier(tier) if tier else None,
        lowest.score,
        lowest.scale,
        people,
        frozenset(a.snapshot.persona for a in unhappy if a.snapshot.persona),
        account.renewal_on if account else None,
        account.annual_value if account else None,
        denied,
    )
    return priority.rank(stake, now.date(), desk.large_account)
