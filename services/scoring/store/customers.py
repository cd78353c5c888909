"""Customers as a whole: what their people said and everything around it, weighed into a health score."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from services.scoring.domain.asking import Question, Span
from services.scoring.domain.design import Design, Voices
from services.scoring.domain.health import Health, Part, Signs, health, share_of
from services.scoring.domain.health import Question as Asked
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, Split, score, scored
from services.scoring.store import accounts, queries, voices
from services.scoring.store.around import Account
from services.scoring.store.judging import judged
from shared.contracts.model import Family, Persona, Tier
from shared.db.database import Connection, Database

_T = TypeVar("_T")
_PERSONAS = frozenset(Persona)

LOOKED_BACK = timedelta(days=365)
"""Answers that an account's scores and health are made of."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One account: who it is, what is known around it, its health, its scores by question and persona."""

    account: Account
    around: accounts.Around
    health: Health
    silent_days: int | None
    scores: Mapping[tuple[Metric, Family, str], Score]
    """By metric, kind of survey and persona; the empty persona is everybody together."""

    @property
    def answers(self) -> int:
        """Answers to all questions, of everybody together."""
        return sum(one.n for (_, _, persona), one in self.scores.items() if not persona)


@dataclass(frozen=True, slots=True)
class Pool:
    """Small accounts of one segment together (R62)."""

    family: str
    value: str
    score: Score


async def customers(
    conn: Connection, found: Sequence[Account], now: datetime, weights: Mapping[Part, float]
) -> list[Customer]:
    """Everything about some accounts, in a few statements."""
    around = await accounts.around(conn, _ids(found), now)
    said = await _said(conn, found, now)
    return _customers(found, around, said, await _usual(conn, now), now, weights)


async def customers_beside(
    db: Database,
    found: Sequence[Account],
    now: datetime,
    weights: Mapping[Part, float],
    other: Callable[[Connection], Awaitable[_T]],
) -> tuple[list[Customer], _T]:
    """The same for who waits for it: read side by side, and something else with it."""
    around, said, usual, beside = await db.at_once(
        lambda conn: accounts.around(conn, _ids(found), now),
        lambda conn: _said(conn, found, now),
        lambda conn: _usual(conn, now),
        other,
    )
    return _customers(found, around, said, usual, now, weights), beside


async def customer(
    conn: Connection, account: UUID, now: datetime, weights: Mapping[Part, float]
) -> Customer | None:
    """One account; None where it is not known."""
    found = await accounts.one(conn, account)
    return (await customers(conn, [found], now, weights))[0] if found else None


async def pools(conn: Connection, span: Span) -> list[Pool]:
    """Small accounts by persona: too few answers each to be read alone."""
    found = await judged(conn, Question("tier+persona", f"{Tier.SMALL}\x1f", exact=False, span=span))
    return [Pool(one.family, one.value.partition("\x1f")[2], one.score) for one in found]


def _ids(found: Sequence[Account]) -> list[UUID]:
    return [one.account_id for one in found]


def _year(now: datetime) -> Span:
    return Span((now - LOOKED_BACK).date(), now.date())


async def _said(conn: Connection, found: Sequence[Account], now: datetime) -> dict[UUID, list[voices.Spoken]]:
    year = _year(now)
    return await voices.said_by(conn, _ids(found), year.first, year.last)


async def _usual(conn: Connection, now: datetime) -> dict[Asked, float]:
    """The share that all customers reach together, by metric and kind of survey."""
    found: dict[Asked, float] = {}
    for one in await queries.scores(conn, Question("total", "", exact=True, span=_year(now))):
        metric, parts = one.histogram.metric, score(one.histogram).split
        found[metric, Family(one.family)] = share_of(metric, Voices(parts.n, parts.high, parts.low))
    return found


def _customers(
    found: Sequence[Account],
    around: Mapping[UUID, accounts.Around],
    said: Mapping[UUID, Sequence[voices.Spoken]],
    usual: Mapping[Asked, float],
    now: datetime,
    weights: Mapping[Part, float],
) -> list[Customer]:
    return [
        _customer(one, around[one.account_id], said.get(one.account_id, []), usual, now, weights)
        for one in found
    ]


def _customer(
    account: Account,
    around: accounts.Around,
    said: Sequence[voices.Spoken],
    usual: Mapping[Asked, float],
    now: datetime,
    weights: Mapping[Part, float],
) -> Customer:
    whole: dict[Asked, Voices] = {}
    scores: dict[tuple[Metric, Family, str], Score] = {}
    for one in said:
        known = whole.get((one.metric, one.family), Voices(0, 0, 0))
        whole[one.metric, one.family] = Voices(*(a + b for a, b in zip(known, one.voices, strict=True)))
        if one.persona in _PERSONAS:
            scores[one.metric, one.family, one.persona] = pooled_of_one(one.metric, one.voices)
    for (metric, family), spoken in whole.items():
        scores[metric, family, ""] = pooled_of_one(metric, spoken)
    silent = (now.date() - around.last_day).days if around.last_day else None
    signs = Signs(whole, around.open_tickets, around.support_tickets, around.usage, silent)
    return Customer(account, around, health(signs, usual, weights), silent, scores)


def pooled_of_one(metric: Metric, said: Voices) -> Score:
    """The score of one account: its own people are the whole that is spoken of, not a sample of accounts."""
    return scored(metric, Split(said.high, said.n - said.high - said.low, said.low), Design(accounts=said.n))
