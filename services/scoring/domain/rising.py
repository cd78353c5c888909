"""When does a theme of open answers deserve that its team is told?

The bar is that of a drop (`dropping`): the last 30 days against the 90 before, all themes of the day counted
in, at most one in a hundred false (R68). Two things would look like a rise and are none. Who asks more people
about invoices hears more of invoices: each programme is held against itself, by direct standardisation, so
that `before` is the share that would have named the theme had each programme brought the part of all comments
that it brings now. And colleagues complain of the same outage: comments of one account count as far as they
differ, and fewer than three accounts are no rise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.scoring.domain.change import Change, Verdict, compare, discoveries
from services.scoring.domain.design import Design, Sums
from services.scoring.domain.dropping import FALSE_SHARE
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, Split, interval_of

LEAST_ACCOUNTS = 3
"""What fewer customers name is theirs, not a rise."""

MOST_PROGRAMMES = 5


@dataclass(frozen=True, slots=True)
class Naming:
    """Who named a theme in one span.

    Attributes:
        by_programme: comments that name it.
        negative: how many of them complain.
        accounts: accounts that named it.
        between: squared comments that name it by comments of each account, added up.
    """

    by_programme: Mapping[str, int] = field(default_factory=dict)
    negative: int = 0
    accounts: int = 0
    between: float = 0.0

    @property
    def n(self) -> int:
        """Comments that name it."""
        return sum(self.by_programme.values())


@dataclass(frozen=True, slots=True)
class Heard:
    """The comments of one span, of programmes that brought some in both spans.

    Attributes:
        by_programme: comments.
        accounts: accounts that they are of.
        sizes: squared comments of each account, added up.
        themes: who named what.
    """

    by_programme: Mapping[str, int] = field(default_factory=dict)
    accounts: int = 0
    sizes: int = 0
    themes: Mapping[str, Naming] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Comments."""
        return sum(self.by_programme.values())

    def naming(self, theme: str) -> Naming:
        """Who named a theme; nobody where it is not known."""
        return self.themes.get(theme, Naming())

    def sums(self, theme: str) -> Sums:
        """The comments added up by account, each for or against having named a theme."""
        named = self.naming(theme)
        return Sums(self.accounts, self.n, self.sizes, named.n, named.n, named.between)


@dataclass(frozen=True, slots=True)
class Rise:
    """A theme that rises, with the chance of such a rise once all comparisons of the day are counted in.

    `change.before` is what was to be expected of the comments of now; its `split` are the comments that were
    there. `programmes` are those in which it is named more, the most first.
    """

    theme: str
    change: Change
    chance: float
    before: Naming
    after: Naming
    programmes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A rise as it was told on `day`; on `seen` it was last there.

    `before` and `after` are percent of comments; `n_...` are the comments that name the theme, `negative_...`
    those of them that complain, `comments_...` all of them.
    """

    theme: str
    day: date
    seen: date
    names: Mapping[str, str]
    team: str
    before: float
    after: float
    n_before: int
    n_after: int
    comments_before: int
    comments_after: int
    negative_before: int
    negative_after: int
    accounts: int
    programmes: Sequence[str]

    def name(self, locale: str) -> str:
        """The theme in the reader's language, else in English, else its key."""
        return self.names.get(locale[:2]) or self.names.get("en") or self.theme


def rises(before: Heard, now: Heard) -> list[Rise]:
    """The themes that rise, the surest first.

    Args:
        before: comments of the span before.
        now: comments of the span that is looked at.
    """
    themes = sorted({*before.themes, *now.themes})
    changes = [(theme, _change(theme, before, now)) for theme in themes]
    compared = [(theme, change) for theme, change in changes if change.chance is not None]
    chances = discoveries([change.chance or 0.0 for _, change in compared])
    found = [
        Rise(theme, change, chance, before.naming(theme), after, _programmes(theme, before, now))
        for (theme, change), chance in zip(compared, chances, strict=True)
        for after in (now.naming(theme),)
        if change.verdict is Verdict.BETTER and chance <= FALSE_SHARE and after.accounts >= LEAST_ACCOUNTS
    ]
    return sorted(found, key=lambda one: (one.chance, one.theme))


def untold(found: Sequence[Rise], quiet: Collection[str]) -> list[Rise]:
    """Rises that nobody was told of yet.

    Args:
        found: what rises today.
        quiet: themes that were told of and have not rested since.
    """
    return [one for one in found if one.theme not in quiet]


def _change(theme: str, before: Heard, now: Heard) -> Change:
    then, since = before.sums(theme), now.sums(theme)
    alike = max(then.intraclass, since.intraclass)
    named, n = before.naming(theme), now.n
    parts = [
        (count / n, named.by_programme.get(programme, 0), before.by_programme[programme])
        for programme, count in now.by_programme.items()
    ]
    expected = sum(part * hits / of for part, hits, of in parts)
    worth = 1 / sum(part * part / of for part, _, of in parts) if parts else 0.0
    return compare(
        _score(then, expected, worth, alike),
        _score(since, since.total / n if n else 0.0, n, alike),
    )


def _score(sums: Sums, share: float, worth: float, alike: float) -> Score:
    """A share as a score.

    Args:
        sums: the comments.
        share: of them that name the theme.
        worth: comments that are as sure, before it is counted in that colleagues are alike.
        alike: how much colleagues are alike.
    """
    split = Split(sums.total, 0, sums.n - sums.total)
    if not sums.n:
        return Score(Metric.CSAT, split, None, None, None)
    design = Design(1 + (sums.sizes / sums.n - 1) * alike, sums.accounts)
    around = interval_of(Metric.CSAT, share, 0, design.effective(sums.n) * worth / sums.n)
    return Score(Metric.CSAT, split, 100 * share, 100 * around.low, 100 * around.high, design)


def _programmes(theme: str, before: Heard, now: Heard) -> tuple[str, ...]:
    then, since = before.naming(theme).by_programme, now.naming(theme).by_programme
    more = {
        programme: since.get(programme, 0) - count * then.get(programme, 0) / before.by_programme[programme]
        for programme, count in now.by_programme.items()
    }
    grown = [programme for programme, many in more.items() if many > 0]
    return tuple(sorted(grown, key=lambda one: (-more[one], one))[:MOST_PROGRAMMES])
