"""Scores as they are now, and what was found in them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.contracts.model import Family, Instant, LocalText, Payload
from shared.contracts.topics import Topic


class ScoreChanged(Payload):
    """The state of one headline cell; `score` is None while nobody answered, never 0.

    `histogram` counts answers by value; `low` and `high` bound the 95 % interval with each answer for itself.
    `GET /v1/scores` knows more: how alike colleagues answer, and how many people were asked.
    """

    TYPE: ClassVar[str] = "score.changed.v1"
    TOPIC: ClassVar[Topic] = Topic.SCORES
    AGGREGATE: ClassVar[str] = "cell"

    cell: str
    version: int
    metric: str
    family: Family
    dimension: str
    value: str
    n: int
    score: float | None
    low: float | None
    high: float | None
    histogram: dict[str, int]
    at: Instant


class ScoreDropped(Payload):
    """A score fell by more than chance explains: the last 30 days against the 90 before (R68).

    `chance` is that of such a fall where nothing changed, all scores that were looked at that day counted
    in; `low` and `high` bound the change; `happened` names releases, incidents and changes since.
    """

    TYPE: ClassVar[str] = "score.dropped.v1"
    TOPIC: ClassVar[Topic] = Topic.FINDINGS
    AGGREGATE: ClassVar[str] = "none"

    cell: str
    metric: str
    before: float
    after: float
    n_before: int
    n_after: int
    programme: str = ""
    family: Family | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    happened: tuple[str, ...] = ()
    at: Instant


class ThemeRising(Payload):
    """A theme is named in more open answers than before, by more than chance explains (R68, R70, R80).

    The last 30 days against the 90 before, each programme held against itself; told once for a rise.
    `theme` is its key in the dictionary, `names` what it is called by language, `team` whom it concerns.
    `n_...` are the answers that name it, `negative_...` those of them that complain, `comments_...` all open
    answers, `accounts` those that named it in the 30 days. `before` and `after` are percent of the open
    answers, `before` as if each programme had brought as large a part of them as it did in the 30 days;
    `low` and `high` bound the change, `chance` is that of such a rise where nothing changed, all themes of
    that day counted in. `programmes` are those in which it is named more, the most first; `happened` names
    releases, incidents and changes since. No word of anybody is in it.
    """

    TYPE: ClassVar[str] = "theme.rising.v1"
    TOPIC: ClassVar[Topic] = Topic.FINDINGS
    AGGREGATE: ClassVar[str] = "none"

    theme: str
    n_before: int
    n_after: int
    names: LocalText = Field(default_factory=dict)
    team: str = ""
    comments_before: int = 0
    comments_after: int = 0
    negative_before: int = 0
    negative_after: int = 0
    accounts: int = 0
    before: float | None = None
    after: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    programmes: tuple[str, ...] = ()
    happened: tuple[str, ...] = ()
    at: Instant


class ChurnRising(Payload):
    """More customers leave than before, by more than chance explains (R68).

    The last 30 days against the 180 before; told once for a rise. `left_...` are accounts that left,
    `renewed_...` those whose contract was renewed, `accounts_...` those there were on a usual day. `before`
    and `after` are percent of the accounts that left in 30 days; `expected` accounts would have left in the
    last 30 days at the rate of before. They left `low` to `high` times as often as before (95 %), `high` is
    None where nobody had left; `chance` is that of such a rise where nothing changed. `happened` names
    releases, incidents and changes since.

    All customers are meant, or those of one `value` of `dimension` (tier, product). While more of all
    customers leave, tiers and products are no event of their own: those that rise by themselves stand in
    `parts`, as `tier:small`.
    """

    TYPE: ClassVar[str] = "churn.rising.v1"
    TOPIC: ClassVar[Topic] = Topic.FINDINGS
    AGGREGATE: ClassVar[str] = "none"

    left_before: int
    left_after: int
    expected: float
    renewed_before: int = 0
    renewed_after: int = 0
    accounts_before: int = 0
    accounts_after: int = 0
    before: float | None = None
    after: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    dimension: str = ""
    value: str = ""
    parts: tuple[str, ...] = ()
    happened: tuple[str, ...] = ()
    at: Instant
