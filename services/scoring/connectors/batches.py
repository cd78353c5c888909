"""What CRMs have in common: batches that one record spoils, and fields that somebody made there or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from services.scoring.domain.crm import FIGURES, GONE, Kind, Refused, Taken, Update
from shared.errors import SendError

REMEMBERED = 3600.0
"""Machine seconds for which a partner's fields are believed to be as they were."""
_NOT_FOUND = 404

Outcomes = dict[UUID, Taken | Refused]
Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


async def apart(
    ask: Callable[[Sequence[Thing]], Awaitable[dict[UUID, Answer]]],
    things: Sequence[Thing],
    spoilt: Collection[int],
    alone: Callable[[Thing, SendError], dict[UUID, Answer]],
) -> dict[UUID, Answer]:
    """Ask about a batch; one thing that is found fault with spoils it, so it is halved down to that one.

    Args:
        ask: asks about some at once, or raises SendError for all.
        things: what is to be asked about.
        spoilt: statuses by which a partner says that something in the batch is wrong.
        alone: what becomes of the one that was wrong.

    Raises:
        SendError: the partner fails as a whole.
    """
    try:
        return await ask(things)
    except SendError as error:
        if error.status not in spoilt:
            raise
        if len(things) == 1:
            return alone(things[0], error)
    half = len(things) // 2
    first = await apart(ask, things[:half], spoilt, alone)
    return first | await apart(ask, things[half:], spoilt, alone)


def refused(update: Update, error: SendError) -> Outcomes:
    """What becomes of an update that a partner finds fault with."""
    return {update.id: GONE if error.status == _NOT_FOUND else Refused(str(error))}


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
