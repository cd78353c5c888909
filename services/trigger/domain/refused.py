"""What was refused at the door, counted by sender and reason until it is written down. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

MOST = 200
"""Reasons that are kept apart at a time; beyond them only the sender is."""

LONGEST = 300
_PLACE = re.compile(r"\[\d+\]")


class Refusal(NamedTuple):
    """Why a sender's request was not taken; never with a value of it."""

    sender: str
    reason: str
    what_to_do: str = ""


class Refusals:
    """Counts refusals.

    They are written down by a loop, not by the request: nobody who is refused makes us write.
    """

    def __init__(self) -> None:
        self._seen: Counter[Refusal] = Counter()

    def note(self, sender: str, reason: str, what_to_do: str = "") -> None:
        """One more request was refused; places in lists do not make it another reason."""
        refusal = Refusal(sender, _PLACE.sub("[]", reason).replace("\0", "")[:LONGEST], what_to_do)
        if refusal not in self._seen and len(self._seen) >= MOST:
            refusal = Refusal(sender, "more reasons than are kept apart; the log has each")
        self._seen[refusal] += 1

    def taken(self) -> list[tuple[Refusal, int]]:
        """What was counted since the last time, in order of sender and reason."""
        seen, self._seen = self._seen, Counter()
        by_line: dict[tuple[str, str], tuple[Refusal, int]] = {}
        for refusal, times in seen.items():
            known = by_line.get(refusal[:2], (refusal, 0))
            by_line[refusal[:2]] = (refusal, known[1] + times)
        return [by_line[key] for key in sorted(by_line)]

    def put_back(self, counted: list[tuple[Refusal, int]]) -> None:
        """What could not be written down is counted still."""
        self._seen.update(dict(counted))
