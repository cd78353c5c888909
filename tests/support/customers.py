"""A few customers around answers: accounts, their people, tickets, usage, renewals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from shared.contracts.directory import AccountChanged, ContactChanged, ContextKind, ContextRecorded
from shared.contracts.model import Family, Payload, Persona, Tier
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.surveys import CloseTheLoop
from shared.contracts.tickets import TicketOpened, TicketResolved, TicketState
from shared.runtime.ids import derive
from tests.support.scoring import answer, handed_over, requested, snapshot

NAMES = ("Northwind", "Contoso", "Fabrikam", "Tailspin")


def account_id(number: int) -> str:
    """Id of the account of this number."""
    return str(derive("account", number))


def account(number: int, version: int = 1, **changes: object) -> AccountChanged:
    """Account `number`; the first is the largest."""
    values: dict[str, object] = {
        "account_id": account_id(number), "version": version, "name": NAMES[(number - 1) % len(NAMES)],
        "tier": Tier.KEY if number < 3 else Tier.SMALL, "industry": "logistics",
        "owner": "anna@example.com", "annual_value": 100_000.0 / number, "phase": "live",
        "renewal_on": date(2026, 9, 1),
    }  # fmt: skip
    return AccountChanged.model_validate(values | changes)


def contact(number: int, account: int, persona: Persona | None, version: int = 1) -> ContactChanged:
    """Contact `number`, who belongs to an account."""
    return ContactChanged(
        contact_id=str(derive("contact", number)), version=version, account_id=account_id(account),
        persona=persona, job_function="operations",
    )  # fmt: skip


def ticket(number: int, account: int, at: datetime, *, version: int = 1, resolved: bool = False) -> Payload:
    """Ticket `number` of an account, opened or resolved."""
    kind = TicketResolved if resolved else TicketOpened
    return kind(
        ticket_id=str(derive("ticket", number)), version=version,
        state=TicketState.RESOLVED if resolved else TicketState.OPEN,
        snapshot=snapshot(account_id=account_id(account)), survey_ids=(), contact_ids=(), opened_at=at,
        contact_due_at=at + timedelta(hours=24), at=at,
    )  # fmt: skip


def usage(account: int, at: datetime, number: float) -> ContextRecorded:
    """How much an account used."""
    return ContextRecorded(
        kind=ContextKind.USAGE, at=at, account_id=account_id(account),
        data={"event": "usage.reported", "active_users": number},
    )  # fmt: skip


def happened(kind: ContextKind, event: str, at: datetime, account: int | None = None) -> ContextRecorded:
    """Something that happened."""
    return ContextRecorded(
        kind=kind, at=at, account_id=account_id(account) if account else None, product="suite",
        data={"event": event, "title": f"{kind.value} of {at:%B}"},
    )  # fmt: skip


def left(number: int, at: datetime, event: str = "account.churned") -> ContextRecorded:
    """An account left."""
    return happened(ContextKind.CHURN, event, at, number)


def leaving(now: datetime, lately: int) -> Sequence[Payload]:
    """Sixty customers: one left nine months ago, one three months ago, so many this week."""
    told: list[Payload] = [account(number) for number in range(1, 61)]
    told += [left(1, now - timedelta(days=270)), left(2, now - timedelta(days=100))]
    return [*told, *(left(10 + number, now - timedelta(days=4)) for number in range(lately))]


def aiming(programme: str, group: str, goal: dict[str, str], revision: int = 1) -> ProgrammePublished:
    """A programme of a group that has a goal."""
    return ProgrammePublished(
        programme=programme, version=f"v{revision}", revision=revision, state=ProgrammeState.ACTIVE,
        family=Family.TRANSACTIONAL, definition={"title": {"en": programme}, "group": group},
        group={"title": {"en": group}, "goal": goal},
    )  # fmt: skip


def published(programme: str, revision: int = 1, *, ticket: bool, **changes: object) -> ProgrammePublished:
    """A programme whose unhappy answers open a ticket, or that nobody sees to."""
    values: dict[str, object] = {
        "programme": programme, "version": f"v{revision}", "revision": revision,
        "state": ProgrammeState.ACTIVE, "family": Family.RELATIONSHIP,
        "close_the_loop": CloseTheLoop(ticket=ticket),
        "definition": {
            "title": {"en": programme.title()}, "when": {"touchpoint": [f"{programme}.due"]},
        },
    }  # fmt: skip
    return ProgrammePublished.model_validate(values | changes)


def contracts(now: datetime, count: int = 400) -> Sequence[Payload]:
    """A fifth of all customers left: those unhappy in support, and as many of the happy in the pulse."""
    told: list[Payload] = []
    for number in range(1, count + 1):
        gone = number % 5 == 0
        told.append(
            left(number, now - timedelta(days=5), "contract.ended")
            if gone
            else happened(ContextKind.RENEWAL, "contract.renewed", now - timedelta(days=5), number)
        )
        at = now - timedelta(days=20)
        for place, (programme, sad) in enumerate((("pulse", number % 2 == 0), ("support", gone))):
            said = snapshot(programme, account_id=account_id(number))
            told.append(
                answer(
                    10 * number + place, 2 if sad else 10, at=at, first_at=at, snapshot=said,
                    asked_at=now - timedelta(days=40),
                )
            )  # fmt: skip
    return told


def asked(programme: str, at: datetime, count: int = 7) -> Sequence[Payload]:
    """Surveys of a programme that were handed over and nobody answered."""
    said = snapshot(programme)
    told: list[Payload] = []
    for number in range(90_000, 90_000 + count):
        told += [
            requested(number, at, said), handed_over(number, at).model_copy(update={"snapshot": said}),
        ]  # fmt: skip
    return told


def driven(now: datetime, count: int = 80) -> Sequence[Payload]:
    """Answers to a programme whose score hangs on the time of delivery, and on who carries the goods."""
    told: list[Payload] = [
        ProgrammePublished(
            programme="driven", version="v", revision=1, state=ProgrammeState.ACTIVE,
            family=Family.TRANSACTIONAL, definition={"title": {"en": "Deliveries"}, "questions": _QUESTIONS},
        )
    ]  # fmt: skip
    for number in range(count):
        late = number % 20 < 11
        value = number % 5 if late else 8 + number % 3
        context = {"carrier": "DHL" if late else "UPS", "lane": ("north", "south")[number // 20 % 2]}
        told.append(
            answer(
                9000 + number, value, at=now - timedelta(days=1 + number % 30),
                asked_at=now - timedelta(days=2 + number % 30),
                snapshot=snapshot(
                    "driven", account_id=account_id(500 + number), breakdown=("carrier", "lane"),
                    owner="", context=context,
                ),
                scores=(
                    {"question": "q", "type": "nps", "value": value},
                    {"question": "w", "type": "matrix", "item": "time", "value": 2 if late else 5},
                    {"question": "w", "type": "matrix", "item": "packaging", "value": 2 + (number * 7) % 4},
                ),
                choices={"choose": ("price",) if number % 4 else ("service",)},
            )
        )  # fmt: skip
    return told


_QUESTIONS = [
    {
        "id": "w",
        "type": "matrix",
        "items": [{"id": "time", "text": {"en": "Delivery time", "es": "Plazo de entrega"}}, "packaging"],
    },
    {"id": "choose", "type": "brand", "items": [{"id": "price", "text": {"en": "Price"}}]},
]


def town(now: datetime) -> Sequence[Payload]:
    """Three accounts: one hale, one with an open ticket and a silent decision maker, one that is silent."""
    told: list[Payload] = [account(number) for number in (1, 2, 3)]
    told += [
        contact(1, 1, Persona.USER), contact(2, 1, Persona.DECISION_MAKER),
        contact(3, 2, Persona.USER), contact(4, 2, Persona.DECISION_MAKER), contact(5, 3, Persona.USER),
        ticket(1, 2, now - timedelta(days=2)), ticket(2, 1, now - timedelta(days=9)),
        ticket(2, 1, now - timedelta(days=8), version=2, resolved=True),
        usage(1, now - timedelta(days=60), 10), usage(1, now - timedelta(days=5), 12),
        usage(2, now - timedelta(days=60), 10), usage(2, now - timedelta(days=5), 2),
        happened(ContextKind.RENEWAL, "contract.renewed", now - timedelta(days=20), 1),
        happened(ContextKind.SUPPORT_TICKET, "support_ticket.opened", now - timedelta(days=3), 2),
    ]  # fmt: skip
    for number in range(8):
        told.append(
            answer(
                300 + number, 9 if number != 3 else 4, at=now - timedelta(days=10 + number),
                asked_at=now - timedelta(days=11 + number),
                snapshot=snapshot(
                    account_id=account_id(1), contact_id=str(derive("contact", 1 + number % 2)),
                    persona=Persona.DECISION_MAKER if number % 2 else Persona.USER,
                ),
            )
        )  # fmt: skip
        told.append(
            answer(
                400 + number, 2 if number % 2 else 5, at=now - timedelta(days=20 + number),
                asked_at=now - timedelta(days=21 + number),
                snapshot=snapshot(
                    account_id=account_id(2), contact_id=str(derive("contact", 3)), persona=Persona.USER
                ),
            )
        )  # fmt: skip
    return told
