"""What a programme's answers are broken down by."""

from __future__ import annotations

import pytest

from services.scoring.domain.asking import NoSuchRollup
from services.scoring.domain.cutting import path_of
from services.scoring.domain.facts import DIMENSIONS
from services.scoring.domain.splitting import KEPT, SPLITS, split_of

ALL = [one for those in SPLITS.values() for one in those]


@pytest.mark.requirement("R61", "R67")
def test_every_dimension_of_an_answer_can_be_chosen_once() -> None:
    assert set(DIMENSIONS) - {"programme"} <= set(ALL)
    assert len(ALL) == len(set(ALL))
    for name in (*ALL, "context.carrier"):
        assert split_of(name) == name
        assert path_of(name), "an answer has it"
    assert split_of("") == KEPT[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("moon", "choose one of tier, industry"), ("context.", "or context.<name>"),
        ("programme", "all of one programme"), ("account", "accounts have a page"),
        ("tier+region", "there is no dimension"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_there_is(name: str, said: str) -> None:
    with pytest.raises(NoSuchRollup, match=said):
        split_of(name)
