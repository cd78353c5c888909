"""Pages of lists that are worked out whole, as scores are: each begins behind the last of the page before.

A list is ordered by a natural key, texts that no two of it share. What is added or vanishes while somebody
reads page by page neither repeats nor hides anything else.

They are worked out whole for a page, too. What is said of one value hangs on all others where many are
compared (better or worse with all comparisons counted in), and whoever adds up sums of a rollup by value
reads the same cells for a part of its values; nearly every list has room on one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Query

from shared.web.cursors import after_texts, text_cursor

T = TypeVar("T")
Key = tuple[str, ...]

USUAL = 1000
MOST = 5000
LONGEST_CURSOR = 3000
"""Names of products, changes and attributes stand in it in full; longer addresses are refused by servers."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The page that is asked for.

    Attributes:
        after: key of the last of the page before; None for the first page.
        limit: how many it holds at most.
    """

    after: Key | None
    limit: int

    def of(self, found: Iterable[T], key: Callable[[T], Key]) -> tuple[list[T], str | None]:
        """The page, and the cursor of the next; None where nothing follows."""
        keyed = sorted(((key(one), one) for one in found), key=lambda pair: pair[0])
        behind = [pair for pair in keyed if self.after is None or pair[0] > self.after]
        shown = behind[: self.limit]
        following = text_cursor(*shown[-1][0]) if len(behind) > len(shown) else None
        return [one for _, one in shown], following


def paging(parts: int) -> Callable[[str, int], Paging]:
    """What a route depends on whose list has keys of so many texts.

    Args:
        parts: texts of a key; a cursor of another list has another number of them.
    """

    def asked(
        cursor: Annotated[
            str, Query(max_length=LONGEST_CURSOR, description="`next` of the page before")
        ] = "",
        limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
    ) -> Paging:
        return Paging(after_texts(cursor, parts), limit)

    return asked
