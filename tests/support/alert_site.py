"""The alerts service with a night's worth of cases, served to a browser or to a test client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from services.alerts import api, pages
from services.alerts.channels.port import Delivery
from services.alerts.domain.rooms import Rooms
from services.alerts.domain.rota import Rota
from services.alerts.domain.teams import read_roster
from services.alerts.handlers import directory, responses
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.handlers.applying import Desk
from services.alerts.store import rota
from services.alerts.worker import hand_over, ring_clocks
from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.envelope import Event
from shared.contracts.forms import QuestionType
from shared.contracts.model import Person, Tier
from shared.contracts.responses import ResponseAmended, ResponseHeld
from shared.contracts.surveys import CloseTheLoop
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive
from shared.security.access import Access, Role
from shared.security.people import NewUser, SignedIn
from shared.security.sealing import Sealer
from shared.web.app import web_app
from shared.web.routing import join
from tests.support.alerts import HOUR, NO_STEPS, T0, Says, event
from tests.support.visitors import cheap_passwords

PASSWORD = "correct horse battery staple"
PEOPLE = {
    "rita": ("Rita Ek", Role.REP),
    "ola": ("Ola Nordmann", Role.REP),
    "mia": ("Mia Sol", Role.MANAGER),
    "ada": ("Ada Admin", Role.ADMIN),
    "vera": ("Vera Viewer", Role.VIEWER),
}
CUSTOMERS = {
    "ana": Person(name="Ana Díaz Quintero", email="ana.diaz@acme.test", phone="+46 70 123 45 67"),
    "bo": Person(name="Bo Lindqvist", email="bo@acme.test"),
    "cy": Person(
        name="Cyrille de la Roche-Montmorency", email="cyrille@nordlys-logistik.test", phone="+47 22 12 34 56"
    ),
    "dee": Person(name="Dee Park", email="dee@blueharbor.test", phone="+1 415 555 0100"),
    "eli": Person(name="Eli Stone", email="eli@tiny.test"),
    "fay": Person(name="Fay Ng", email="fay@orbit.test", phone="+65 6123 4567"),
}
ANGRY = (
    "Third time this month that the export runs empty. I opened two tickets and nobody called back. "
    "If this is not solved before our quarter closes on Friday we cannot send our invoices."
)


@dataclass
class Letterbox:
    """Takes whatever it is given."""

    name: str
    concurrency: int = 20

    async def send(self, delivery: Delivery) -> None:
        """Take it."""


@dataclass
class Site:
    """A running alerts service of one test."""

    db: Database
    clock: FixedClock
    desk: Desk
    says: Says
    access: Access
    tokens: dict[str, str] = field(default_factory=dict)
    users: dict[str, UUID] = field(default_factory=dict)

    def app(self) -> FastAPI:
        """Its pages and API."""
        app = web_app(self.access, "http://127.0.0.1")
        join(app, api.router(self.desk, self.db, self.clock))
        join(app, pages.router(self.desk, self.db, self.clock))
        return app

    async def sign_in_everybody(self) -> None:
        """Make the people, each with a session."""
        for key, (name, role) in PEOPLE.items():
            email = f"{key}@afterword.test"
            invitation = await self.access.invite(
                NewUser(email=email, name=name, role=role, zone="Europe/Stockholm")
            )
            await self.access.set_up(invitation.token, PASSWORD)
            session = await self.access.sign_in(email, PASSWORD, None)
            assert isinstance(session, SignedIn)
            self.tokens[key], self.users[key] = session.token, session.session.user.id

    async def hears(self, *events: Event[Any]) -> None:
        """Take events."""
        async with self.db.begin() as tx:
            for route in (*directory.ROUTES, responses.route(self.desk)):
                wanted = [one for one in events if one.type in route.types]
                if wanted:
                    await route.handle(wanted, tx)

    async def does(self, who: str, response: str, action: Action, **more: Any) -> None:
        """Somebody acts on the case that a response belongs to."""
        async with self.db.begin() as tx:
            await act(self.desk, tx, await self.case_of(response), Wish(action, self.users[who], **more))

    async def case_of(self, response: str) -> UUID:
        """The ticket of a response."""
        async with self.db.read() as conn:
            found = await conn.fetchval(
                "select ticket_id from voices where response_id = $1", derive("response", response)
            )
        assert isinstance(found, UUID)
        return found

    async def moves(self, hours: float) -> None:
        """Let business time pass and the clocks ring."""
        self.clock.set(T0 + hours * HOUR)
        await ring_clocks(self.desk, self.db)


def site(db: Database, sealer: Sealer, clock: FixedClock) -> Site:
    """An empty service."""
    access = Access(db, clock, FakeMachine(), passwords=cheap_passwords(), secure=False)
    return Site(
        db,
        clock,
        Desk(sealer, FakeMachine(), rooms=Rooms(("slack",)), roster=NO_STEPS),
        Says(sealer, db, names=dict(CUSTOMERS)),
        access,
    )


async def night(on: Site) -> None:
    """A few cases in all states, seen 27 hours after the first answer."""
    await on.sign_in_everybody()
    members = (on.users["rita"], on.users["ola"], on.users["mia"])
    async with on.db.begin() as tx:
        await rota.save(tx.conn, Rota(members, date(2026, 3, 2), 9, "Europe/Stockholm"))
    await on.hears(*_accounts(), *await _contacts(on))
    await on.hears(
        await on.says.answered("before", 9, T0 - 2000 * HOUR, words="Good start."),
        await on.says.answered("middle", 7, T0 - 900 * HOUR, words=""),
        await on.says.answered("ana", 2, T0, words=ANGRY),
    )
    await on.moves(1)
    await on.hears(await on.says.answered("bo", 5, T0 + HOUR, contact="bo", words="The export again."))
    await on.moves(13)
    await on.hears(
        await on.says.answered(
            "cy", 1, T0 + 13 * HOUR, account="nordlys", contact="cy", words="Damaged, again."
        )
    )
    csat = replace(on.says, scale=QuestionType.CSAT)
    await on.hears(
        await csat.answered("dee", 1, T0 + 13 * HOUR, account="blueharbor", contact="dee", words="Too slow.")
    )
    await on.moves(20)
    await on.does("rita", "dee", Action.ACKNOWLEDGE)
    await on.does("rita", "dee", Action.ATTEMPT, via="phone", note="Voice mail. Left my number.")
    await on.does("ola", "cy", Action.ACKNOWLEDGE)
    await on.does("ola", "cy", Action.CONTACT, via="phone", note="Sending a replacement by courier.")
    await on.hears(await on.says.answered("eli", 3, T0 + 20 * HOUR, account="tiny", contact="eli", words=""))
    await on.does("rita", "eli", Action.ACKNOWLEDGE)
    await on.hears(
        await on.says.answered(
            "eli", 9, T0 + 21 * HOUR, account="tiny", contact="eli", model=ResponseAmended, version=2
        ),
        await on.says.answered(
            "fay", 0, T0 + 21 * HOUR, account="orbit", contact="fay", model=ResponseHeld, words="",
            evidence=("burst", "head_before_get"),
        ),
    )  # fmt: skip
    await on.moves(25)
    await on.moves(27)
    for channel in ("email", "slack"):
        while await hand_over(on.desk, on.db, Letterbox(channel), "https://afterword.test"):
            pass


async def content(on: Site) -> None:
    """A promoter and a passive with their tasks, and an unhappy colleague of the promoter."""
    await on.sign_in_everybody()
    policy = read_roster("tasks: {testimonial: {after: happy, due_days: 20}}").value
    assert policy is not None
    on.desk = replace(on.desk, roster=policy)
    loop = CloseTheLoop(neutral_task="quarterly_follow_up", happy_task="referral")
    await on.hears(*_accounts(), *await _contacts(on))
    await on.hears(
        await on.says.answered("ana", 10, T0, close_the_loop=loop),
        await on.says.answered("cy", 7, T0, account="nordlys", contact="cy", close_the_loop=loop),
        await on.says.answered("cy2", 8, T0 + HOUR, account="nordlys", contact="cy", close_the_loop=loop),
        await on.says.answered("bo", 3, T0 + HOUR, contact="bo", words="The export again."),
    )
    await on.moves(2)


def _accounts() -> Sequence[Event[Any]]:
    facts: Mapping[str, Mapping[str, Any]] = {
        "acme": {
            "name": "Acme Robotics", "tier": Tier.KEY, "industry": "manufacturing",
            "owner": "rita@afterword.test",
            "annual_value": 84000, "phase": "renewal", "renewal_on": date(2026, 5, 1),
        },
        "nordlys": {
            "name": "Nordlys Logistik Skandinavia", "tier": Tier.PREMIUM, "owner": "ola@afterword.test"
        },
        "blueharbor": {"name": "Blue Harbor", "tier": Tier.SMALL},
        "tiny": {"name": "Tiny Foods", "owner": "rita@afterword.test"},
    }  # fmt: skip
    return [
        event(AccountChanged(account_id=str(derive("account", key)), version=1, **values), T0)
        for key, values in facts.items()
    ]


async def _contacts(on: Site) -> Sequence[Event[Any]]:
    zones = {"dee": "America/Los_Angeles", "fay": "Asia/Singapore"}
    jobs = {"ana": "finance", "bo": "operations", "cy": "warehouse", "dee": "support_lead"}
    ids = {key: derive("contact", key) for key in CUSTOMERS}
    async with on.db.begin() as tx:
        sealed = await on.desk.sealer.seal(tx.conn, [(ids[key], person) for key, person in CUSTOMERS.items()])
    return [
        event(
            ContactChanged(
                contact_id=str(ids[key]), version=1, person=text, job_function=jobs.get(key, ""),
                zone=zones.get(key, "Europe/Stockholm"),
            ),
            T0,
        )
        for key, text in zip(CUSTOMERS, sealed, strict=True)
    ]  # fmt: skip


NIGHT_ENDS = T0 + timedelta(hours=27)
