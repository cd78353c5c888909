"""A scoring service with a quarter of answers, served to a real browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from services.scoring.api import comments, crm, results, routes, tables
from services.scoring.api.badges import BadgeRoutes
from services.scoring.app import references_of
from services.scoring.domain.health import WEIGHTS
from services.scoring.handlers.comments import Library, library, reading
from services.scoring.handlers.showcase import Showcase
from services.scoring.pages import pages
from services.scoring.pages.answers import answer_pages
from services.scoring.pages.badge import badge_pages
from services.scoring.pages.badges import operator_pages
from services.scoring.pages.comments import comment_pages
from services.scoring.pages.compare import compare_pages
from services.scoring.pages.crm import crm_pages
from services.scoring.pages.results import result_pages
from services.scoring.pages.views import Thresholds
from services.scoring.worker.churn import watching as watching_churn
from services.scoring.worker.themes import watching
from shared.contracts.directory import ContextKind
from shared.contracts.forms import QuestionType
from shared.contracts.model import Family, Payload, Persona, Tier
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.responses import Answered, Mood, Words
from shared.db.database import Database
from shared.runtime.clock import Clock, FakeMachine, FixedClock
from shared.runtime.ids import derive
from shared.security.access import Access, Role
from shared.security.keyring import KeyRing
from shared.security.people import NewUser, SignedIn
from shared.security.public import PublicSigner
from shared.security.sealing import Sealer
from shared.web.app import web_app
from shared.web.routing import join
from shared.words.file import dictionary_of
from tests.support.customers import happened, leaving
from tests.support.scoring import Scoring, answer, handed_over, requested, snapshot
from tests.support.visitors import cheap_passwords

CONNECTED = ("hubspot", "salesforce")
PASSWORD = "correct horse battery staple"
_TITLES = {
    "onboarding-ces": {"en": "Onboarding", "es": "Puesta en marcha", "sv": "Introduktion"},
    "ticket-csat": {"en": "Support ticket resolved", "es": "Ticket resuelto", "sv": "Ärende löst"},
    "delivery-csat": {"en": "Order delivered", "es": "Pedido entregado", "sv": "Order levererad"},
    "renewal-nps": {"en": "Before renewal", "es": "Antes de renovar", "sv": "Före förnyelse"},
    "pulse-nps": {"en": "Half-yearly pulse", "es": "Pulso semestral", "sv": "Halvårspuls"},
}
_STORY: Sequence[tuple[str, QuestionType, Family, Sequence[int], int]] = (
    ("onboarding-ces", QuestionType.CES, Family.TRANSACTIONAL, (7, 6, 6, 7, 5, 3, 7, 6), 40),
    ("ticket-csat", QuestionType.CSAT, Family.TRANSACTIONAL, (5, 4, 5, 3, 2, 5, 4, 4, 1), 90),
    ("delivery-csat", QuestionType.CSAT, Family.TRANSACTIONAL, (5, 4), 3),
    ("renewal-nps", QuestionType.NPS, Family.TRANSACTIONAL, (9, 10, 8, 3, 9, 7, 10, 6, 0, 9), 63),
    ("pulse-nps", QuestionType.NPS, Family.RELATIONSHIP, (10, 9, 9, 8, 7, 9, 2), 34),
)
"""Programme, question, family, the answers that come round and round, and how many."""


async def quarter(scoring: Scoring, today: datetime) -> None:
    """Ninety days of answers to five programmes; every second survey is answered."""
    told: list[Payload] = [
        ProgrammePublished(
            programme=name, version="v", revision=1, state=ProgrammeState.ACTIVE, family=family,
            definition={"title": _TITLES[name]},
        )
        for name, _, family, _, _ in _STORY
    ]  # fmt: skip
    for place, (name, question, family, values, count) in enumerate(_STORY):
        for number in range(count):
            at = today - timedelta(days=85 * number / count)
            told += _asked_and_answered(1000 * place + number, name, question, family, values, at)
    await scoring.take(*told)


async def quarter_before(scoring: Scoring, today: datetime) -> None:
    """The ninety days before: support was far better, onboarding far worse, the rest about the same."""
    told: list[Payload] = []
    story: Sequence[tuple[int, Sequence[int], int]] = (
        (0, (3, 2, 6, 1, 5, 3), 40), (1, (5, 5, 4), 90), (3, (9, 10, 8, 3, 9, 7, 10, 6, 1, 9), 60),
    )  # fmt: skip
    for place, values, count in story:
        name, question, family, _, _ = _STORY[place]
        for number in range(count):
            at = today - timedelta(days=95 + 80 * number / count)
            told += _asked_and_answered(20_000 + 1000 * place + number, name, question, family, values, at)
    await scoring.take(*told)


def _asked_and_answered(
    number: int, name: str, question: QuestionType, family: Family, values: Sequence[int], at: datetime
) -> list[Payload]:
    snap = snapshot(
        name,
        family=family,
        tier=list(Tier)[number % 3],
        persona=list(Persona)[number % 2],
        industry=("logistics", "saas", "manufacturing")[number % 3],
        region=("emea", "amer")[number % 2],
        account_id=str(derive("account", 1000 + number)),
    )
    asked_at = at - timedelta(days=1)
    silent = 50_000 + number
    return [
        requested(number, asked_at, snap),
        requested(silent, asked_at, snap),
        handed_over(number, asked_at).model_copy(update={"snapshot": snap}),
        handed_over(silent, asked_at).model_copy(update={"snapshot": snap}),
        answer(number, values[number % len(values)], type_=question, snapshot=snap, at=at, asked_at=asked_at),
    ]


def access_to(db: Database, clock: Clock) -> Access:
    """Sign-in with passwords that are cheap to check."""
    return Access(db, clock, FakeMachine(), passwords=cheap_passwords(), secure=False)


async def signed_in(access: Access, role: Role = Role.VIEWER, locale: str = "en") -> str:
    """The session token of a new person."""
    email = f"{role}-{locale}@example.com"
    invitation = await access.invite(NewUser(email=email, name="Vera Viewer", role=role, locale=locale))
    await access.set_up(invitation.token, PASSWORD)
    session = await access.sign_in(email, PASSWORD, None)
    assert isinstance(session, SignedIn)
    return session.token


_DICTIONARY = dictionary_of(None)


def library_of(clock: FixedClock) -> Library:
    """The shipped dictionary, with the keys that tests seal with."""
    sealer = Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, clock.now)
    return library(sealer, _DICTIONARY)


async def spoken(db: Database, clock: FixedClock, texts: Sequence[tuple[str, Payload]]) -> None:
    """Answers with words: sealed, taken in, and read."""
    shelf = library_of(clock)
    told: list[Payload] = []
    async with db.begin() as tx:
        for text, payload in texts:
            assert isinstance(payload, Answered)
            words = Words(texts={"why": text})
            (sealed,) = await shelf.sealer.seal(tx.conn, [(UUID(payload.snapshot.contact_id), words)])
            told.append(payload.model_copy(update={"words": sealed}))
    await Scoring(db).take(*told)
    read_round = reading(db, shelf.sealer, shelf.ready)
    while await read_round():
        pass


_COMMENTS = (
    ("The delivery was late again and nobody informed us", 2, "en"),
    ("Support is great, but the invoices are never right", 9, "en"),
    ("Leveransen kom tre dagar för sent och två kartonger var trasiga", 3, "sv"),
    ("El soporte tarda mucho, aunque el equipo es muy amable", 7, "es"),
    ("Great product, no problems at all", 1, "en"),
    ("Always on time. These words may be shown.", 10, "en"),
)


def comments_of(now: datetime) -> list[tuple[str, Payload]]:
    """What six people wrote; only the last agreed that it is shown."""
    told: list[tuple[str, Payload]] = []
    for number, (text, value, locale) in enumerate(_COMMENTS):
        mood = Mood.UNHAPPY if value <= 6 else Mood.PASSIVE if value <= 8 else Mood.HAPPY
        snap = snapshot("renewal-nps", locale=locale, contact_id=str(derive("contact", 900 + number)))
        at = now - timedelta(days=number)
        agreed = ("quote",) if "may be shown" in text else ()
        values: dict[str, Any] = {"mood": mood, "snapshot": snap, "at": at, "permissions": agreed}
        told.append((text, answer(70_000 + number, value, **values)))
    return told


CALM = ("Fine", "Great support", "Late delivery", "Fine")
ANGRY = ("Invoices are wrong", "Fine")


def season(first: int, around: datetime, texts: Sequence[str], **changes: Any) -> list[tuple[str, Payload]]:
    """Forty unhappy comments of the twenty days up to one, each of another customer; texts come in turn."""
    told: list[tuple[str, Payload]] = []
    for number in range(first, first + 40):
        at = around - timedelta(days=number % 20)
        said = snapshot(
            account_id=str(derive("account", number)), contact_id=str(derive("contact", number)), **changes
        )
        given: dict[str, Any] = {"snapshot": said, "mood": Mood.UNHAPPY, "at": at, "first_at": at}
        told.append((texts[number % len(texts)], answer(100_000 + number, 3, **given)))
    return told


async def risen(db: Database, clock: FixedClock) -> None:
    """Sixty days of calm comments, then twenty of wrong invoices, and somebody who looks at them."""
    now = clock.now()
    calm = season(0, now - timedelta(days=40), CALM) + season(100, now - timedelta(days=60), CALM)
    await spoken(db, clock, calm + season(200, now - timedelta(days=1), ANGRY))
    await watching(db, library_of(clock))()


async def left_more(db: Database, clock: FixedClock) -> None:
    """Six of sixty customers left after a release, and somebody looks at it."""
    now = clock.now()
    release = happened(ContextKind.RELEASE, "feature.released", now - timedelta(days=15))
    await Scoring(db).take(*leaving(now, 6), release)
    await watching_churn(db)()


def application(db: Database, clock: FixedClock, access: Access) -> FastAPI:
    """The web application of scoring alone."""
    app = web_app(access, "http://127.0.0.1")
    signer = PublicSigner(KeyRing(2, {1: b"s" * 32, 2: b"t" * 32}))
    showcase = Showcase(db, clock, db.machine, library_of(clock))
    numbers = BadgeRoutes(db, clock, FakeMachine(), showcase, signer, "http://127.0.0.1")
    join(app, numbers.router())
    join(app, badge_pages(showcase))
    join(app, operator_pages(db, clock, library_of(clock), "http://127.0.0.1"))
    join(app, comments.routes(db, clock, library_of(clock)))
    join(app, comment_pages(db, clock, library_of(clock)))
    join(app, answer_pages(db, clock, library_of(clock)))
    join(app, compare_pages(db, clock))
    join(app, results.routes(db, clock, references_of(None)))
    join(app, result_pages(db, clock, references_of(None)))
    join(app, tables.routes(db, clock, library_of(clock), references_of(None), WEIGHTS))
    join(app, crm.routes(db, CONNECTED))
    join(app, crm_pages(db, CONNECTED))
    join(app, routes(db, clock))
    join(app, pages(db, clock, Thresholds(floor=0.2, target=0.5)))
    return app
