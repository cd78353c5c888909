"""What an ask says about its moment: that somebody was asked then, and perhaps answered soon."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.trigger.domain.best_moment import PATIENCE, Seen, segment_of, slot_at
from services.trigger.domain.model import Ask
from shared.windows import Place


class Moment(NamedTuple):
    """A kind of people, the local day they were asked on, and the band of hours."""

    segment: str
    day: date
    band: int


def news_of(pairs: Iterable[tuple[Ask, Ask]]) -> dict[Moment, Seen]:
    """What changed in what asks say, as each was and as it is; what changed nothing is left out."""
    asked: Counter[Moment] = Counter()
    answered: Counter[Moment] = Counter()
    for before, after in pairs:
        for ask, sign in ((before, -1), (after, 1)):
            for moment, heard in _said(ask):
                asked[moment] += sign
                answered[moment] += sign * heard
    return {
        moment: Seen(asked[moment], answered[moment]) for moment in asked if asked[moment] or answered[moment]
    }


def _said(ask: Ask) -> Iterator[tuple[Moment, bool]]:
    """What an ask that reached somebody says; one that came back says nothing."""
    if ask.handed_over_at is None or ask.released_at is not None or ask.family is None:
        return
    told = json.loads(ask.snapshot)
    slot, day = slot_at(ask.handed_over_at, Place(ZoneInfo(told.get("zone") or "UTC")))
    segment = segment_of(ask.family, told.get("persona"), told.get("locale") or "")
    heard = ask.heard_at is not None and ask.heard_at - ask.handed_over_at <= PATIENCE
    yield Moment(segment, day, slot.band), heard
