"""Badges: published, seen by everybody, taken back; each step is in the audit log."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from services.scoring.domain.asking import Span, ask
from services.scoring.domain.badges import (
    LABEL_CHARS,
    LEAST,
    MOST_LEAST,
    MOST_QUOTES,
    Badge,
    Quote,
    Shown,
    Wanted,
    Why,
    shown,
)
from services.scoring.domain.metrics import Score
from services.scoring.domain.windows import before, span_of
from services.scoring.handlers.comments import Library, words
from services.scoring.store import badges as store
from services.scoring.store import queries, reports
from shared.db.database import Connection, Tx
from shared.runtime.ids import random_token
from shared.security.access_store import audit

KEY_BYTES = 12


class NotPublishedError(ValueError):
    """A badge cannot be published; `field` is what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


async def publish(tx: Tx, ident: UUID, wanted: Wanted, *, by: str) -> Badge:
    """Publish a score; the same id again gives the badge there is.

    Raises:
        NotPublishedError: There is no such programme, its answers have other scores alone, or a value is out
            of its bounds.
    """
    if not 1 <= len(wanted.label.strip()) <= LABEL_CHARS or not wanted.label.isprintable():
        raise NotPublishedError("label", f"a badge needs a label of 1 to {LABEL_CHARS} printable characters")
    if not LEAST <= wanted.least <= MOST_LEAST:
        raise NotPublishedError("least", f"a badge needs at least {LEAST} to {MOST_LEAST} answers")
    family = await store.family_of(tx.conn, wanted.programme)
    if family is None:
        raise NotPublishedError("programme", f"there is no programme {wanted.programme!r}")
    told = {
        found.histogram.metric for found in await queries.scores(tx.conn, ask(programme=wanted.programme))
    }
    if told and wanted.metric not in told:
        there = ", ".join(sorted(told))
        raise NotPublishedError(
            "metric", f"no answer to {wanted.programme} tells {wanted.metric.value}; there is {there}"
        )
    badge = Badge(ident, random_token(KEY_BYTES), wanted, family, tx.now, by)
    if await store.add(tx.conn, badge):
        what = {"programme": wanted.programme, "metric": wanted.metric.value, "period": wanted.period.value}
        await audit(tx.conn, tx.now, by, "badge.published", f"badge:{ident}", least=wanted.least, **what)
        return badge
    known = await store.one(tx.conn, ident)
    assert known is not None  # noqa: S101 - badges are never deleted
    return known


async def take_back(tx: Tx, ident: UUID, why: Why, *, by: str) -> Badge | None:
    """Take a badge back for good; None when there is none. Repeating changes nothing."""
    if await store.take_back(tx.conn, ident, tx.now, by, why):
        await audit(tx.conn, tx.now, by, "badge.taken_back", f"badge:{ident}", reason=why.value)
    return await store.one(tx.conn, ident)


async def choose(tx: Tx, badge: Badge, response_id: UUID, *, by: str) -> bool:
    """Publish the words of an answer beside a badge; False where their writer does not agree, or not now."""
    span = span_of(badge.wanted.period.window, tx.now.date())
    version = await store.choose(tx.conn, badge, span, response_id, tx.now, by)
    if version is None:
        return False
    subject = f"badge:{badge.id}"
    await audit(
        tx.conn, tx.now, by, "badge.quote_chosen", subject, response=str(response_id), version=version
    )
    return True


async def leave_out(tx: Tx, badge: Badge, response_id: UUID, *, by: str) -> None:
    """Publish the words of an answer no longer."""
    if await store.leave_out(tx.conn, badge.id, response_id):
        subject = f"badge:{badge.id}"
        await audit(tx.conn, tx.now, by, "badge.quote_left_out", subject, response=str(response_id))


async def public(conn: Connection, library: Library, badge: Badge, today: date) -> Shown:
    """What everybody sees of a badge: the very number of the score pages, words only while they agree."""
    return await with_words(conn, library, badge, today, await score_of(conn, badge, today))


async def score_of(conn: Connection, badge: Badge, today: date) -> Score | None:
    """The score of a badge as the score pages have it; None while nobody answered."""
    wanted = badge.wanted
    span = span_of(wanted.period.window, today)
    earlier = before(span, wanted.period.window) or span
    compared = await reports.compared(conn, span, earlier, programme=wanted.programme, family=badge.family)
    return next((one.change.after for one in compared if one.metric is wanted.metric), None)


async def with_words(
    conn: Connection, library: Library, badge: Badge, today: date, score: Score | None
) -> Shown:
    """A badge with its score, and with words of those who agree at this moment."""
    span = span_of(badge.wanted.period.window, today)
    masked = shown(badge, span, score, ())
    if masked.score is None:
        return masked
    return shown(badge, span, score, await _quotes(conn, library, badge, span))


async def _quotes(conn: Connection, library: Library, badge: Badge, span: Span) -> list[Quote]:
    found = await store.chosen(conn, badge, span, MOST_QUOTES)
    said = await words(library.sealer, conn, [(one.contact_id, one.words) for one in found])
    return [Quote(text, one.language, one.day) for one, text in zip(found, said, strict=True)]
