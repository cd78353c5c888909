"""How a shared link ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.trigger.domain.shared_links import Why, withdrawn
from shared.contracts.surveys import SurveyShared
from tools.examples import example

pytestmark = pytest.mark.requirement("R52")
LINK = SurveyShared.model_validate(example(SurveyShared) | {"withdrawn_at": None})


def test_a_link_is_taken_back_once() -> None:
    now = LINK.shared_at + timedelta(days=1)
    gone = withdrawn(LINK, now, Why.MISUSED, "user:1")
    assert (gone.version, gone.withdrawn_at, gone.reason) == (LINK.version + 1, now, "misused")
    assert withdrawn(gone, now + timedelta(days=1), Why.NOT_NEEDED, "user:2") == gone
