"""What accounts said, added up one by one: an oracle for the sums that the database makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.scoring.domain.definitions import People, Told, Weighed
from services.scoring.domain.design import Voices, summed
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, is_difference


class Voice(NamedTuple):
    """What the people of one persona of one account said; the account is empty where it is not known."""

    account: str
    persona: str
    voices: Voices


def told_by(metric: Metric, voices: Sequence[Voice], values: Mapping[str, float]) -> Told:
    """All answers to one metric of one family, with the annual value of accounts as far as it is known."""
    whole = _by_account(voices)
    valued = {account: one for account, one in whole.items() if values.get(account, 0) > 0}
    return Told(
        _people(metric, voices),
        _people(metric, [one for one in voices if one.persona == "decision_maker"]),
        weighed(metric, [(one, 1.0) for one in whole.values()]),
        weighed(metric, [(one, values[account]) for account, one in valued.items()]),
        sum(one.voices.n for one in voices),
    )


def weighed(metric: Metric, accounts: Sequence[tuple[Voices, float]]) -> Weighed:
    """Accounts with their weights."""
    sign = 1 if is_difference(metric) else 0
    shares = [(weight, one.n, one.high / one.n, one.low / one.n) for one, weight in accounts]
    said = [(w, high - sign * low) for w, _, high, low in shares]
    return Weighed(
        len(accounts),
        _split([one for one, _ in accounts]),
        sum(w for w, *_ in shares),
        sum(w * high for w, _, high, _ in shares),
        sum(w * low for w, _, _, low in shares),
        sum(w * w / n for w, n, _, _ in shares),
        sum(w * w for w, *_ in shares),
        sum(w * w * one for w, one in said),
        sum(w * w * one * one for w, one in said),
    )


def _people(metric: Metric, voices: Sequence[Voice]) -> People:
    named = _by_account(voices)
    alone = [
        one
        for voice in voices
        if not voice.account
        for n, high, low in (voice.voices,)
        for one in [Voices(1, 1, 0)] * high + [Voices(1, 0, 1)] * low + [Voices(1, 0, 0)] * (n - high - low)
    ]
    said = [*named.values(), *alone]
    return People(_split(said), summed(said, difference=is_difference(metric)), len(named))


def _by_account(voices: Sequence[Voice]) -> dict[str, Voices]:
    found: dict[str, Voices] = {}
    for account, _, one in voices:
        if account:
            known = found.get(account, Voices(0, 0, 0))
            found[account] = Voices(known.n + one.n, known.high + one.high, known.low + one.low)
    return found


def _split(said: Sequence[Voices]) -> Split:
    n, high, low = (sum(one[place] for one in said) for place in range(3))
    return Split(high, n - high - low, low)
