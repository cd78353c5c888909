"""`/v1/scores/facts` and `/v1/scores/tables`: what scores are made of, and the pages' tables as files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, NoSuchRollup, Span
from services.scoring.domain.facts import State
from services.scoring.domain.health import Part
from services.scoring.domain.metrics import Group
from services.scoring.domain.periods import Step
from services.scoring.domain.references import References
from services.scoring.domain.splitting import split_of
from services.scoring.domain.tables import SHAPES, Needed, Table
from services.scoring.domain.windows import Window, before, span_of
from services.scoring.handlers.answering import Narrowing, asked_for
from services.scoring.handlers.comments import Library
from services.scoring.handlers.programmes import known_programme
from services.scoring.handlers.seeing import may_see
from services.scoring.handlers.tables import Shelf, Wanted, ended_of, pages_of
from services.scoring.store import accounts, exports
from shared.contracts.model import Family, Tier
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Principal, Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.cursors import after_day, cursor_of
from shared.web.exports import FILES, Format, sent
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope(Scope.SCORES_READ))]
NEEDED = {
    Needed.NOTHING: Scope.SCORES_READ,
    Needed.ACCOUNTS: Scope.ACCOUNTS_READ,
    Needed.ANSWERS: Scope.EXPORTS_READ,
}
Standing = Literal["counted", "held", "withdrawn", "all"]


class FactsOut(BaseModel):
    """Facts by day and id; `next` is the cursor of what follows, None at the end."""

    facts: list[dict[str, Any]]
    next: str | None


class Filters(Narrowing):
    """Filters of the pages; dates win over the period."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    programme: str = Field("", max_length=200)
    family: Family | None = None
    period: Window = Window.DAYS_90
    first: date | None = Field(None, alias="from", description="first day, UTC")
    last: date | None = Field(None, alias="to", description="last day, UTC")
    step: Step = Step.MONTH
    split: str = Field(
        "tier",
        max_length=100,
        description="dimension of the breakdown of a programme, as tier, region, context.carrier",
    )
    tier: Tier | None = None
    owner: str = Field("", max_length=200)
    name: str = Field("", max_length=200, description="part of an account's name")
    mood: Group | None = Field(
        None,
        description="accounts whose contract was renewed or ended within a year: what most had said, in"
        " `programme` or in all",
    )
    left: bool | None = Field(None, description="whether their contract ended")
    state: Standing = Field("counted", description="of facts: counted, held, withdrawn, or all")
    theme: str = Field("", max_length=40)
    tone: str = Field("", max_length=20)
    language: str = Field("", max_length=2)
    locale: str = Field("en", max_length=10, description="of names of themes")

    def span(self, today: date) -> Span:
        """The days."""
        if self.first or self.last:
            return Span(self.first or FIRST_DAY, self.last or LAST_DAY)
        return span_of(self.period, today)

    def facts(self, span: Span) -> exports.WantedFacts:
        """Which facts are wanted."""
        states = tuple(State) if self.state == "all" else (State(self.state),)
        family = self.family.value if self.family else None
        return exports.WantedFacts(span, states, self.programme, family, self.account)


Asked = Annotated[Filters, Query()]


class FactFilters(Filters):
    """With the place where a list goes on."""

    cursor: str = Field("", max_length=200)
    limit: int = Field(500, ge=1, le=2000)


def routes(
    db: Database, clock: Clock, library: Library, references: References, weights: Mapping[Part, float]
) -> APIRouter:
    """The routes. Facts and words need `exports:read`, as answers do; tables of accounts `accounts:read`."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AskedAgain)
    shelf = Shelf(db, library, references, weights)

    @router.get("/facts", dependencies=[Depends(require_scope(Scope.EXPORTS_READ))], responses=SAME)
    async def facts(asked: Annotated[FactFilters, Query()]) -> FactsOut:
        """The answers that scores are made of, as they count now: by the day of the answer, without words."""
        wanted = asked.facts(asked.span(clock.now().date()))
        after = after_day(asked.cursor) or exports.START
        async with db.read() as conn:
            found = await exports.facts(conn, wanted, after, asked.limit + 1)
        shown = found[: asked.limit]
        more = len(found) > asked.limit
        last = exports.place_of(shown[-1]) if more else None
        return FactsOut(facts=shown, next=cursor_of(last[0].toordinal(), last[1]) if last else None)

    @router.get("/tables/{table}", response_class=StreamingResponse, responses=FILES)
    async def table(
        table: Table,
        principal: Reader,
        asked: Asked,
        format: Format = Format.CSV,  # noqa: A002 - as addresses say
    ) -> StreamingResponse:
        """A table of the pages, with the same filters, as `csv`, `ndjson` or `parquet`."""
        _may_have(table, principal)
        wanted = _wanted(asked, table, clock)
        async with shelf.db.read() as conn:
            if table is Table.BREAKDOWN:
                await may_see(conn, (wanted.dimension,), principal.scopes, field="split")
            await known_programme(conn, asked.programme)
        return sent(f"scores-{table}", format, pages_of(table, shelf, wanted), SHAPES[table].columns)

    return router


def _may_have(table: Table, principal: Principal) -> None:
    needed = NEEDED[SHAPES[table].needed]
    if needed not in principal.scopes:
        raise Problem(
            403,
            f"The table {table} needs the scope {needed}.",
            what_to_do="Ask an admin for a key with it, or for a role that has it.",
        )


def _wanted(asked: Filters, table: Table, clock: Clock) -> Wanted:
    if SHAPES[table].of_programme and not asked.programme:
        raise Problem(422, f"programme: the table {table} is of one programme; name it.", field="programme")
    try:
        split = split_of(asked.split)
    except NoSuchRollup as error:
        raise Problem(422, f"split: {error}.", field="split") from error
    now = clock.now()
    family = asked.family.value if asked.family else None
    span = asked.span(now.date())
    earlier = before(span, None if asked.first or asked.last else asked.period)
    tier = asked.tier.value if asked.tier else ""
    answers = ended = None
    if table is Table.ANSWERS:
        answers = asked_for(asked.programme, family, span, asked.split, asked)
    else:
        said_in = asked.programme if asked.mood else ""
        ended = ended_of(asked.metric, asked.mood, now.date(), left=asked.left, programme=said_in)
    return Wanted(
        now, span, earlier, asked.facts(span), asked.programme, family,
        asked.step, split, accounts.Wanted(tier, asked.owner, asked.name, ended), asked.theme,
        asked.tone, asked.language, asked.locale, answers,
    )  # fmt: skip
