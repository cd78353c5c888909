"""What CRMs have in common: batches that one record spoils, and fields that somebody made there or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from uuid import UUID

from services.scoring.domain.crm import FIGURES, GONE, Kind, Refused, Taken, Update
from shared.errors import SendError

REMEMBERED = 3600.0
"""Machine seconds for which a partner's fields are believed to be as they were."""
_NOT_FOUND = 404

Outcomes = dict[UUID, Taken | Refused]


async def apart(
    write: Callable[[Sequence[Update]], Awaitable[Outcomes]],
    updates: Sequence[Update],
    spoilt: Collection[int],
) -> Outcomes:
    """Write a batch; one record that is found fault with spoils it, so it is halved down to that one.

    Args:
        write: writes some of them at once, or raises SendError for all.
        updates: what is to be written.
        spoilt: statuses by which a partner says that something in the batch is wrong.

    Raises:
        SendError: the partner fails as a whole.
    """
    try:
        return await write(updates)
    except SendError as error:
        if error.status not in spoilt:
            raise
        if len(updates) == 1:
            return {updates[0].id: GONE if error.status == _NOT_FOUND else Refused(str(error))}
    half = len(updates) // 2
    return await apart(write, updates[:half], spoilt) | await apart(write, updates[half:], spoilt)


class Fields:
    """Those of our fields that a partner has, remembered for a while.

    Args:
        field_of: the name of a figure's field; its case does not matter.
    """

    def __init__(self, field_of: Callable[[str], str]) -> None:
        self._field_of = field_of
        self._known: dict[Kind, tuple[float, Mapping[str, str]]] = {}

    async def of(
        self, kind: Kind, now: float, ask: Callable[[], Awaitable[Iterable[str]]]
    ) -> Mapping[str, str]:
        """The partner's names of our fields by figure; it is asked for all its fields once in a while.

        Raises:
            SendError: it was asked and failed.
        """
        until, fields = self._known.get(kind, (now, {}))
        if now >= until:
            there = {name.lower(): name for name in await ask() if name}
            ours = {figure: there.get(self._field_of(figure).lower(), "") for figure in FIGURES[kind]}
            fields = {figure: name for figure, name in ours.items() if name}
            self._known[kind] = (now + REMEMBERED, fields)
        return fields

    def forget(self) -> None:
        """Ask again next time: something about the fields was refused."""
        self._known.clear()


def within(updates: Iterable[Update], fields: Collection[str]) -> tuple[list[Update], Outcomes]:
    """Updates cut down to figures that have a field, and what all of them come to if that succeeds."""
    cut = [
        Update(one.id, one.record, {name: value for name, value in one.figures.items() if name in fields})
        for one in updates
    ]
    return [one for one in cut if one.figures], {one.id: Taken(frozenset(one.figures)) for one in cut}
