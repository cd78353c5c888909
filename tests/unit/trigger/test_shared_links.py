"""Which link somebody means, and how one ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.trigger.domain.shared_links import Why, named, withdrawn
from shared.contracts.surveys import SurveyShared
from tools.examples import example

pytestmark = pytest.mark.requirement("R52")
LINK = SurveyShared.model_validate(example(SurveyShared) | {"withdrawn_at": None})


def links(*ids_and_labels: tuple[str, str]) -> list[SurveyShared]:
    return [LINK.model_copy(update={"link_id": ident, "label": label}) for ident, label in ids_and_labels]


def test_a_link_is_named_by_its_label_or_by_the_first_eight_letters_of_its_id() -> None:
    known = links(("1234abcd-0", "wall"), ("1234abce-0", "wall"), ("9999abce-0", "1234abcd"))
    assert named(known, " wall ") == known[:2]
    assert named(known, "1234ABCE") == [known[1]]
    assert named(known, "1234abcd-0") == [known[0]]
    assert named(known, "1234abc") == [], "seven letters are a label at most"
    assert named(known, "1234abcd") == [known[0]], "an id goes before a label"
    assert named(known, "fair") == named(known, "") == []


def test_a_link_is_taken_back_once() -> None:
    now = LINK.shared_at + timedelta(days=1)
    gone = withdrawn(LINK, now, Why.MISUSED, "user:1")
    assert (gone.version, gone.withdrawn_at, gone.reason) == (LINK.version + 1, now, "misused")
    assert withdrawn(gone, now + timedelta(days=1), Why.NOT_NEEDED, "user:2") == gone
