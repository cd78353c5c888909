"""`/badges/{key}.json` for everybody; `/v1/scores/badges` for whoever publishes and takes back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.badges import (
    LABEL_CHARS,
    LEAST,
    MOST_LEAST,
    USUAL_LEAST,
    Badge,
    Period,
    Shown,
    Wanted,
    Why,
)
from services.scoring.domain.histogram import Metric
from services.scoring.domain.windows import span_of
from services.scoring.handlers import badges, quoting
from services.scoring.handlers.badges import NotPublishedError
from services.scoring.handlers.comments import words
from services.scoring.handlers.showcase import Showcase
from services.scoring.store import badges as store
from shared.contracts.model import Family
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock, Machine
from shared.runtime.ids import derive, random_id
from shared.security.access import Principal, Scope, require_scope
from shared.security.public import PublicSigner
from shared.web.caching import SAME, AskedAgain, unless_known
from shared.web.cursors import after_instant, text_cursor
from shared.web.paths import PLAIN, Key
from shared.web.problems import Problem
from shared.web.routing import join

VALID = timedelta(hours=24)
"""How long a signature holds: a copy of what was published is not what is published."""

OPEN = {"Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*"}
"""May be kept, and is asked about each time: consent that was taken back is gone at once."""

_GONE: dict[int | str, dict[str, Any]] = {410: {"description": "It was taken back."}}

Reader = Annotated[Principal, Depends(require_scope(Scope.SCORES_READ))]
Chooser = Annotated[Principal, Depends(require_scope(Scope.RESPONSES_READ))]
Writer = Annotated[Principal, Depends(require_scope(Scope.PROGRAMMES_WRITE))]
Reference = Annotated[str, Header(alias="idempotency-key", max_length=200)]
Reason = Annotated[Why, Query(description="why it is taken back")]


class QuoteOut(BaseModel):
    """Words of a happy person who agreed that they are published, without name and company."""

    words: str
    language: str
    month: str = Field(description="of the answer, as 2026-03")


class PublicBadge(BaseModel):
    """A published score. NPS in points from -100 to 100, CSAT and CES in percent, as whole numbers.

    Too few answers publish nothing: `n`, `score`, `low` and `high` are null then, and there are no quotes.
    """

    key: str
    label: str
    metric: Metric
    family: Family
    first: date
    last: date = Field(description="last day of the answers, UTC")
    n: int | None
    score: int | None
    low: int | None = Field(description="lower end of the 95 % interval")
    high: int | None = Field(description="upper end of the 95 % interval")
    quotes: list[QuoteOut]


class SignedBadge(BaseModel):
    """`badge` is for reading. What proves it is `jws`, whose claim `badge` says the same."""

    badge: PublicBadge
    jws: str = Field(description="JSON Web Token (EdDSA): iss, sub, iat, exp, badge")
    keys: str = Field(description="where the public keys are")


class PublicKey(BaseModel):
    """A key that checks signatures (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class KeySet(BaseModel):
    """All keys that signatures in use can have been made with, the current one first."""

    keys: list[PublicKey]


class BadgeWanted(BaseModel):
    """A score to publish."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    label: str = Field(
        min_length=1, max_length=LABEL_CHARS, pattern=PLAIN, description="stands above the score, in public"
    )
    programme: str = Field(min_length=1, max_length=200, pattern=PLAIN)
    metric: Metric
    period: Period = Field(default=Period.DAYS_365, description="days up to today")
    least: int = Field(
        default=USUAL_LEAST, ge=LEAST, le=MOST_LEAST, description="answers below which nothing is published"
    )


class BadgeOut(BaseModel):
    """A badge as it stands; who published it and who took it back is told by id."""

    id: UUID
    key: str
    url: str = Field(description="the page to embed; with .json behind it the signed numbers")
    label: str
    programme: str
    family: Family
    metric: Metric
    period: Period
    least: int
    published_at: datetime
    published_by: str
    taken_back_at: datetime | None
    taken_back_by: str
    reason: str


class BadgesOut(BaseModel):
    """Badges, those that stand first, the newest before; `next` is the cursor of what follows."""

    badges: list[BadgeOut]
    next: str | None


class OfferedOut(BaseModel):
    """A comment whose writer agreed; `chosen`: it is published with the badge."""

    response_id: UUID
    day: date
    language: str
    words: str
    chosen: bool


class BadgeRoutes:
    """Publishes and shows.

    Args:
        showcase: What everybody sees; its library opens words for whoever chooses some, too.
        signer: Signs what is published.
        machine: Its time is in signatures, since other machines compare it with theirs.
        public_url: Where badges are reached.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        machine: Machine,
        showcase: Showcase,
        signer: PublicSigner,
        public_url: str,
    ) -> None:
        self._db = db
        self._clock = clock
        self._machine = machine
        self._library = showcase.library
        self._showcase = showcase
        self._signer = signer
        self._url = public_url.rstrip("/")

    def router(self) -> APIRouter:
        """All routes."""
        router = APIRouter()
        join(router, self._open(), self._ours())
        return router

    def _open(self) -> APIRouter:
        router = APIRouter(prefix="/badges", tags=["badges"])

        @router.get("/keys.json", response_model=KeySet, responses=SAME)
        async def keys(request: Request) -> Response:
            """The public keys of signatures: a JSON Web Key Set (RFC 7517)."""
            return _json(request, self._signer.key_set())

        @router.get("/{key}.json", response_model=SignedBadge, responses=SAME | _GONE)
        async def numbers(request: Request, key: Key) -> Response:
            """A published score with its signature; it may be kept, and asked about with its ETag."""
            found = await self._showcase.look(key)
            if found is None:
                raise Problem(410, "This badge was taken back.", what_to_do="Remove it from your page.")
            return _json(request, self._signed(told(found)).model_dump(mode="json"))

        return router

    def _signed(self, badge: PublicBadge) -> SignedBadge:
        # The same within the hour, so that whoever has it already hears that nothing changed.
        at = self._machine.wall().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        claims = {"badge": badge.model_dump(mode="json")}
        jws = self._signer.sign(self._url, badge.key, claims, at, VALID)
        return SignedBadge(badge=badge, jws=jws, keys=f"{self._url}/badges/keys.json")

    def _ours(self) -> APIRouter:
        router = APIRouter(prefix="/v1/scores", tags=["badges"], route_class=AskedAgain, responses=SAME)
        self._publishing(router)
        self._choosing(router)
        return router

    def _publishing(self, router: APIRouter) -> None:
        @router.get("/badges")
        async def listed(
            _who: Reader,
            cursor: Annotated[str, Query(max_length=200)] = "",
            limit: Annotated[int, Query(ge=1, le=200)] = 100,
        ) -> BadgesOut:
            """Badges; those that stand first."""
            async with self._db.read() as conn:
                found = await store.listed(conn, _after(cursor), limit + 1)
            more = len(found) > limit
            return BadgesOut(
                badges=[self._out(one) for one in found[:limit]],
                next=_cursor(found[limit - 1]) if more else None,
            )

        @router.post("/badges", status_code=201)
        async def publish(wanted: BadgeWanted, who: Writer, reference: Reference = "") -> BadgeOut:
            """Publish a score. The same `Idempotency-Key` gives the same badge."""
            ident = derive("badge", reference) if reference else random_id()
            asked = Wanted(**dict(wanted))
            try:
                async with self._db.begin() as tx:
                    return self._out(await badges.publish(tx, ident, asked, by=who.actor))
            except NotPublishedError as error:
                todo = "Publish a score that GET /v1/scores tells."
                raise Problem(409, f"{error}.", what_to_do=todo, field=error.field) from error

        @router.delete("/badges/{badge}")
        async def take_back(badge: UUID, who: Writer, reason: Reason) -> BadgeOut:
            """Take a badge back for good. Repeated safely."""
            async with self._db.begin() as tx:
                found = await badges.take_back(tx, badge, reason, by=who.actor)
            if found is None:
                raise _unknown()
            return self._out(found)

    def _choosing(self, router: APIRouter) -> None:
        @router.get("/badges/{badge}/quotes")
        async def offered(badge: UUID, _who: Chooser) -> list[OfferedOut]:
            """Comments of happy people who agree that they are published: the newest of the badge's days."""
            async with self._db.read() as conn:
                one = await _one(conn, badge)
                span = span_of(one.wanted.period.window, self._clock.now().date())
                found = await store.offered(conn, one, span)
                said = await words(
                    self._library.sealer, conn, [(each.contact_id, each.words) for each in found]
                )
            return [
                OfferedOut(
                    response_id=each.response_id, day=each.day, language=each.language, words=text,
                    chosen=each.chosen,
                )
                for each, text in zip(found, said, strict=True)
            ]  # fmt: skip

        @router.put("/badges/{badge}/quotes/{response}", status_code=204)
        async def choose(badge: UUID, response: UUID, who: Writer) -> None:
            """Publish the words of an answer, as they are now, beside the score."""
            async with self._db.begin() as tx:
                one = await _one(tx.conn, badge)
                if not await badges.choose(tx, one, response, by=who.actor):
                    raise Problem(
                        409,
                        "These words may not be published: their writer does not agree, or they do not belong"
                        " to the badge.",
                        what_to_do=f"Choose from GET /v1/scores/badges/{badge}/quotes.",
                        field="response",
                    )

        @router.delete("/badges/{badge}/quotes/{response}", status_code=204)
        async def leave_out(badge: UUID, response: UUID, who: Writer) -> None:
            """Publish them no longer."""
            async with self._db.begin() as tx:
                await badges.leave_out(tx, await _one(tx.conn, badge), response, by=who.actor)

        @router.delete("/comments/{response}/consent", status_code=204)
        async def unquote(response: UUID, who: Writer) -> None:
            """Their writer took back by word that they may be quoted: from now on nobody else sees them."""
            async with self._db.begin() as tx:
                if not await quoting.unquote(tx, response, by=who.actor):
                    raise Problem(404, "There is no such answer that may be quoted.", field="response")

    def _out(self, badge: Badge) -> BadgeOut:
        wanted = badge.wanted
        return BadgeOut(
            id=badge.id,
            key=badge.key,
            url=f"{self._url}/badges/{badge.key}",
            label=wanted.label,
            programme=wanted.programme,
            family=Family(badge.family),
            metric=wanted.metric,
            period=wanted.period,
            least=wanted.least,
            published_at=badge.published_at,
            published_by=badge.published_by,
            taken_back_at=badge.taken_back_at,
            taken_back_by=badge.taken_back_by,
            reason=badge.reason,
        )


def told(found: Shown) -> PublicBadge:
    """What everybody may know of a badge."""
    badge, score = found.badge, found.score
    return PublicBadge(
        key=badge.key,
        label=badge.wanted.label,
        metric=badge.wanted.metric,
        family=Family(badge.family),
        first=found.span.first,
        last=found.span.last,
        n=score.n if score else None,
        score=_whole(score.value) if score else None,
        low=_whole(score.low) if score else None,
        high=_whole(score.high) if score else None,
        quotes=[
            QuoteOut(words=one.words, language=one.language, month=f"{one.day:%Y-%m}") for one in found.quotes
        ],
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _json(request: Request, content: Any) -> Response:  # noqa: ANN401 - whatever JSON has
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return unless_known(request, body, "application/json", OPEN)


def _cursor(badge: Badge) -> str:
    return text_cursor(badge.published_at.isoformat(), "stands" if badge.stands else "", str(badge.id), "")


def _after(cursor: str) -> store.After | None:
    if not (after := after_instant(cursor)):
        return None
    at, stands, badge, _ = after
    try:
        return bool(stands), at, UUID(badge)
    except ValueError as error:
        raise Problem(422, "cursor: take it from `next` of the page before.", field="cursor") from error


async def _one(conn: Connection, badge: UUID) -> Badge:
    found = await store.one(conn, badge)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> Problem:
    return Problem(404, "There is no such badge.", what_to_do="Look in the list: GET /v1/scores/badges.")
