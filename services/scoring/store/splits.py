"""Parts of a programme's answers side by side: from sums where they are kept, else from the newest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.scoring.domain.asking import FIRST_DAY, Span, ask
from services.scoring.domain.cutting import cut
from services.scoring.domain.design import Clustering
from services.scoring.domain.histogram import Metric
from services.scoring.domain.rollups import CONTEXT, JOINT
from services.scoring.domain.segments import Segment, segments
from services.scoring.domain.splitting import KEPT, MOST_READ
from services.scoring.store import bindings, queries
from services.scoring.store.cuts import Cutting, cutting
from services.scoring.store.judging import judged
from services.scoring.store.queries import Found
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Parts:
    """Answers of a programme by the values of one dimension.

    Attributes:
        span: days of which they were asked for.
        today: the last day of which there can be answers.
        rows: the parts.
        bounds: how far colleagues are in the same one, by family.
        read: what was read to find them; None where sums are kept.
    """

    span: Span
    today: date
    rows: Sequence[Found]
    bounds: Mapping[str, float]
    read: Cutting | None = None

    @property
    def since(self) -> date | None:
        """The day back to which answers were read, where there were more of them; None where all count."""
        return self.read.since if self.read and not self.read.complete else None

    def of(self, metric: Metric, family: str, whole: int, clustering: Clustering) -> list[Segment]:
        """Parts of one score, each against all others.

        Args:
            metric: what is scored.
            family: kind of survey.
            whole: answers of the programme in the span, with those of which the part is not known.
            clustering: how they hang together by account.
        """
        among = min(whole, self.read.answers) if self.since and self.read else whole
        mine = [
            (one.value.split(JOINT)[-1], one.histogram)
            for one in self.rows
            if (one.family, one.histogram.metric) == (family, metric)
        ]
        bound = self.bounds.get(family, 1.0)
        return segments(mine, self._days(), clustering, bound=bound, among=among)

    def _days(self) -> int | None:
        first = self.since or self.span.first
        return None if first == FIRST_DAY else max(1, (min(self.span.last, self.today) - first).days + 1)


async def parts(
    conn: Connection, programme: str, dimension: str, span: Span, family: str | None, today: date
) -> Parts:
    """A programme's answers of a span by what they are broken down by.

    Args:
        conn: connection.
        programme: whose answers.
        dimension: as `split_of` has it.
        span: days.
        family: kind of survey; None for any.
        today: the last day of which there can be answers.
    """
    rows: Sequence[Found] = ()
    if dimension in KEPT or dimension.startswith(CONTEXT):
        rows = await queries.scores(
            conn, ask(programme=programme, dimension=dimension, family=family, span=span)
        )
    read = None
    if not rows and dimension not in KEPT:
        # Of attributes that the programme does not name there are no sums either.
        wanted = cut(dimension, programme=programme, family=family, span=span)
        read = await cutting(conn, wanted, MOST_READ)
        rows = read.found
    held = await bindings.bounds(conn, {one.family for one in rows}, (dimension,))
    return Parts(span, today, rows, held, read)


async def told(
    conn: Connection, programme: str, dimension: str, span: Span, family: str | None, today: date
) -> tuple[dict[tuple[Metric, str], list[Segment]], Parts]:
    """The same as scores by metric and family, each part against all others."""
    found = await parts(conn, programme, dimension, span, family, today)
    wholes = await judged(conn, ask(programme=programme, family=family, span=span)) if found.rows else []
    return {
        (one.score.metric, one.family): found.of(
            one.score.metric, one.family, one.histogram.n, one.clustering
        )
        for one in wholes
    }, found
