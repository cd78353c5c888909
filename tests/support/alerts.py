"""Builders for tests of the alerts service."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.alerts.domain.alarm import Text
from services.alerts.domain.escalation_rules import EscalationRule
from services.alerts.domain.model import Answer, Owner, Standing
from services.alerts.domain.teams import Roster
from shared.contracts.envelope import Event
from shared.contracts.forms import SCALES, QuestionType
from shared.contracts.model import Family, Payload, Person, Snapshot, Tier
from shared.contracts.responses import (
    Answered,
    Mood,
    ResponseSubmitted,
    ResponseWithdrawn,
    Score,
    Words,
)
from shared.contracts.surveys import CloseTheLoop
from shared.db.database import Database, Tx
from shared.errors import SendError
from shared.runtime.ids import derive
from shared.security.people import NewUser
from shared.security.roles import Role
from shared.security.sealing import Sealer

T0 = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NO_STEPS = Roster(escalation=EscalationRule(steps=()))
"""Nothing happens while nobody takes a case but what was promised: for tests of everything else."""
REP = Owner(derive("user", "rep"), "owns the account")
_LOW = {QuestionType.NPS: 6, QuestionType.NPS5: 3, QuestionType.CSAT: 2, QuestionType.CES: 3}


def snapshot(account: str | None = "acme", contact: str = "ana", **more: object) -> Snapshot:
    """A snapshot of a survey."""
    values: dict[str, Any] = {
        "programme": "ticket-resolved",
        "version": "v1",
        "family": Family.TRANSACTIONAL,
        "touchpoint": "support_ticket.resolved",
        "contact_id": str(derive("contact", contact)),
        "account_id": str(derive("account", account)) if account else None,
        "account_name": account.title() if account else "",
        "tier": Tier.KEY if account else None,
        "job_function": "operations",
        **more,
    }
    return Snapshot.model_validate(values)


def answer(
    response: str = "r1", score: int = 2, *, at: datetime = T0, version: int = 1, **more: object
) -> Answer:
    """An answer as the domain sees it; unhappy unless told otherwise."""
    account, contact = more.pop("account", "acme"), str(more.pop("contact", "ana"))
    assert account is None or isinstance(account, str)
    values: dict[str, Any] = {
        "response_id": derive("response", response),
        "version": version,
        "survey_id": derive("survey", response),
        "contact_id": derive("contact", contact),
        "account_id": derive("account", account) if account else None,
        "standing": Standing.COUNTED,
        "mood": Mood.UNHAPPY if score <= 6 else Mood.HAPPY,
        "score": score,
        "scale": QuestionType.NPS,
        "received_at": at,
        "since": at,
        "snapshot": snapshot(account, contact),
        "low": 6,
        **more,
    }
    return Answer(**values)


@dataclass
class Says:
    """Makes response events; one instance for each story."""

    sealer: Sealer
    db: Database
    scale: QuestionType = QuestionType.NPS
    names: dict[str, Person] = field(default_factory=dict)

    async def answered(  # noqa: PLR0913 - a story names what matters
        self,
        response: str,
        score: int,
        at: datetime,
        *,
        model: type[Answered] = ResponseSubmitted,
        version: int = 1,
        account: str | None = "acme",
        contact: str = "ana",
        words: str = "Nobody called back.",
        **more: object,
    ) -> Event[Any]:
        """One answer, sealed as the collector does."""
        contact_id = derive("contact", contact)
        person = self.names.get(
            contact, Person(name=contact.title(), email=f"{contact}@acme.test", phone="+46701234567")
        )
        async with self.db.begin() as tx:
            sealed = await self.sealer.seal(tx.conn, [(contact_id, person)])
            spoken = await self.sealer.seal(tx.conn, [(contact_id, Words(texts={"why": words}))])
        values: dict[str, Any] = {
            "response_id": str(derive("response", response)),
            "survey_id": str(derive("survey", response)),
            "version": version,
            "snapshot": snapshot(account, contact),
            "at": at,
            "received_at": at,
            "first_at": at,
            "primary": "score",
            "mood": mood(score, self.scale),
            "low": _LOW[self.scale],
            "scores": (Score(question="score", type=self.scale, value=score),),
            "words": spoken[0],
            "person": sealed[0],
            "close_the_loop": CloseTheLoop(),
            **more,
        }
        return event(model.model_validate(values), at)

    def withdrawn(
        self, response: str, at: datetime, *, version: int, account: str | None = "acme", contact: str = "ana"
    ) -> Event[Any]:
        """An answer no longer counts."""
        data = ResponseWithdrawn(
            response_id=str(derive("response", response)),
            survey_id=str(derive("survey", response)),
            version=version,
            snapshot=snapshot(account, contact),
            at=at,
            reason="machine",
        )
        return event(data, at)


def mood(score: int, scale: QuestionType) -> Mood:
    """Unhappy at or below the default limit, happy above the middle of what is left."""
    if score <= _LOW[scale]:
        return Mood.UNHAPPY
    return Mood.HAPPY if score >= SCALES[scale][1] - 1 else Mood.PASSIVE


def event(data: Payload, at: datetime) -> Event[Any]:
    """An event with the id that its producer derives."""
    subject = str(getattr(data, f"{data.AGGREGATE}_id", ""))
    identity = f"{subject}/{getattr(data, 'version', 0)}"
    return Event(str(derive(data.TYPE, identity)), "/afterword/test", data.TYPE, at, subject, "key", data)


@dataclass
class Mailer:
    """Takes mails, or refuses them."""

    trouble: SendError | None = None
    sent: list[tuple[UUID, str, Text]] = field(default_factory=list)

    async def __call__(self, mail_id: UUID, to: str, _name: str, text: Text) -> None:
        """Take one."""
        if self.trouble is not None:
            raise self.trouble
        self.sent.append((mail_id, to, text))


@dataclass
class Team:
    """The people of a test, by first name."""

    ids: dict[str, UUID] = field(default_factory=dict)

    async def add(self, tx: Tx, name: str, role: Role = Role.REP) -> UUID:
        """One active user."""
        from shared.security import access_store  # noqa: PLC0415 - only tests with a database need it

        user_id = derive("user", name)
        new = NewUser(email=f"{name}@afterword.test", name=name.title(), role=role)
        await access_store.save_new_user(tx.conn, user_id, new, tx.now)
        self.ids[name] = user_id
        return user_id
