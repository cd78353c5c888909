"""Which answers an address names: those behind one number, for the page of answers and its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.scoring.domain.asking import Span, crossings
from services.scoring.domain.cohorts import answered_within
from services.scoring.domain.cutting import MOST_FACTS
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.domain.sides import NoSuchSide, Side, cut_of
from services.scoring.handlers.comparing import NotChosen, Where
from services.scoring.store import answers, sides
from services.scoring.store.answers import After, Given, Wanted
from services.scoring.store.sides import Extent
from shared.db.database import Connection
from shared.web.problems import Problem


class Narrowing(BaseModel):
    """What narrows a list of answers, besides programme, family and days."""

    account: Annotated[UUID | None, NotChosen] = None
    by: Literal["", "answered", "asked"] = Field(
        "", description="of answers: `asked` where the days are those on which the surveys were handed over"
    )
    metric: Annotated[Metric | None, NotChosen] = Field(
        None, description="of answers: what was scored; of accounts, with mood: by what they had said"
    )
    group: Annotated[Group | None, NotChosen] = Field(None, description="of answers: of `metric`")
    value: Annotated[int | None, NotChosen] = Field(None, description="of answers: the one of `metric`")
    of: str = Field("", max_length=200, description="of answers: the value that `split` is to have")
    where: Where = Field([], description="of answers: a cut, `dimension:value`, as `tier:key`")
    without: Where = Field([], description="of answers: what is taken out of the cut")
    attribute: str = Field("", max_length=200, description="of answers: those that rated it beside a score")
    rated: Annotated[Group | None, NotChosen] = Field(
        None, description="with attribute: high is satisfied (4, 5), middle neutral, low unhappy (1, 2)"
    )
    wish: str = Field("", max_length=200, description="of answers: those that choose a partner by it")
    wished: Literal["", "true"] = Field(
        "", description="of answers: those that were asked by what they choose a partner"
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of answers.

    Attributes:
        wanted: which.
        side: the cut that they are among; None where they are of a programme, an account or one part.
        seen: how far a cut was looked through; None without one.
    """

    wanted: Wanted
    side: Side | None
    seen: Extent | None

    async def after(self, conn: Connection, after: After | None, limit: int) -> list[Given]:
        """The next answers behind one, newest first."""
        if self.side and self.seen:
            return await answers.among(conn, self.seen.of(self.side), self.wanted, after, limit)
        return await answers.listed(conn, self.wanted, after, limit)


async def listing(conn: Connection, asked: Wanted, side: Side | None) -> Listing:
    """A list, with how far its cut can be looked through."""
    seen = await sides.extent(conn, side, asked.family, MOST_FACTS) if side else None
    return Listing(asked, side, seen)


def asked_for(
    programme: str, family: str | None, span: Span, split: str, more: Narrowing
) -> tuple[Wanted, Side | None]:
    """Which answers are wanted, and the cut that they are among.

    Raises:
        Problem: 422, the address does not mean anything.
    """
    _check(programme, family, split, more)
    asked = span if more.by == "asked" else None
    wanted = Wanted(
        programme, answered_within(asked) if asked else span, family, more.metric, more.group,
        split if more.of else "", more.of, more.account, asked, more.value, more.attribute, more.rated,
        more.wish, bool(more.wished),
    )  # fmt: skip
    if more.account or (programme and not (more.where or more.without)):
        return wanted, None
    try:
        return wanted, Side(wanted.span, cut_of(programme, more.where), cut_of("", more.without))
    except NoSuchSide as error:
        raise Problem(422, f"where: {error}.", field="where") from error


def _check(programme: str, family: str | None, split: str, more: Narrowing) -> None:
    cut = bool(more.where or more.without)
    if not (programme or cut or more.account or family):
        raise Problem(
            422, "Name whose answers are wanted.", field="programme",
            what_to_do="Say programme, account or family, or a cut, as where=tier:key.",
        )  # fmt: skip
    if more.account and cut:
        raise Problem(
            422, "Answers of an account are not cut further.", field="where",
            what_to_do="Leave where and without out, or account.",
        )  # fmt: skip
    if more.of and split not in crossings():
        raise Problem(422, f"split: choose one of {', '.join(crossings())}.", field="split")
    if (more.attribute or more.wish or more.wished) and (not programme or more.account or cut):
        raise Problem(
            422, "Ratings and wishes are those of one programme.", field="programme",
            what_to_do="Name the programme, and leave account, where and without out.",
        )  # fmt: skip
    _check_said(more)


def _check_said(more: Narrowing) -> None:
    if more.group and not more.metric:
        raise Problem(422, "metric: say of which score the group is.", field="metric")
    if more.value is not None and not more.metric:
        raise Problem(422, "metric: say of which score the value is.", field="metric")
    if more.value is not None and more.metric and more.value not in more.metric.scale:
        raise Problem(
            422, f"value: {more.metric} is answered with {more.metric.lowest} to {more.metric.highest}.",
            field="value",
        )  # fmt: skip
    if more.rated and not more.attribute:
        raise Problem(422, "attribute: say what was rated.", field="attribute")
