"""The last look: every "no" with its reason, and which one wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.dispatch.domain.address import Address
from services.dispatch.domain.look import (
    VIEW_PATIENCE,
    Facts,
    Go,
    Suppress,
    Verdict,
    Wait,
    last_look,
    view_is_current,
)
from shared.contracts.reasons import Reason

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
CLEAR = Facts(of_survey=True, address=Address("anna", "customer.example"), expires_at=NOW + timedelta(days=1))
NOTE = replace(CLEAR, of_survey=False)
ALL: dict[str, Any] = {
    "erased": True,
    "blocked": Reason.OPTED_OUT,
    "cancelled": True,
    "answered": True,
    "superseded": True,
    "closed": True,
    "paused": True,
    "address": None,
    "own_company": True,
}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(CLEAR, Go(), id="nothing speaks against it"),
        pytest.param(replace(CLEAR, erased=True), Suppress(Reason.ERASED), id="erased"),
        pytest.param(replace(CLEAR, blocked=Reason.OPTED_OUT), Suppress(Reason.OPTED_OUT), id="said stop"),
        pytest.param(replace(CLEAR, blocked=Reason.BOUNCED), Suppress(Reason.BOUNCED), id="dead address"),
        pytest.param(replace(CLEAR, cancelled=True), Suppress(Reason.CANCELLED), id="cancelled"),
        pytest.param(replace(CLEAR, answered=True), Suppress(Reason.ANSWERED), id="answered"),
        pytest.param(replace(CLEAR, superseded=True), Suppress(Reason.SUPERSEDED), id="superseded"),
        pytest.param(replace(CLEAR, closed=True), Suppress(Reason.EXPIRED), id="closed"),
        pytest.param(replace(CLEAR, expires_at=NOW), Suppress(Reason.EXPIRED), id="expires now"),
        pytest.param(
            replace(CLEAR, expires_at=NOW + timedelta(microseconds=1)), Go(), id="expires in a moment"
        ),
        pytest.param(replace(CLEAR, paused=True), Wait(), id="paused"),
        pytest.param(
            replace(CLEAR, paused=True, closed=True), Suppress(Reason.EXPIRED), id="paused too long"
        ),
        pytest.param(replace(CLEAR, address=None), Suppress(Reason.INVALID_ADDRESS), id="no address"),
        pytest.param(replace(CLEAR, own_company=True), Suppress(Reason.OWN_COMPANY), id="one of us"),
        pytest.param(replace(NOTE, answered=True, cancelled=True), Go(), id="a note thanks for the answer"),
        pytest.param(
            replace(NOTE, blocked=Reason.OPTED_OUT), Suppress(Reason.OPTED_OUT), id="no note either"
        ),
    ],
)
def test_the_last_look(facts: Facts, expected: Verdict) -> None:
    assert last_look(facts, NOW) == expected


def test_erasure_wins_over_everything() -> None:
    assert last_look(replace(CLEAR, **ALL), NOW) == Suppress(Reason.ERASED)


@pytest.mark.parametrize(
    ("step", "lag", "waited", "expected"),
    [
        pytest.param(0, None, timedelta(), True, id="nobody answers before the first mail"),
        pytest.param(1, 0, timedelta(), True, id="all read"),
        pytest.param(1, 1, timedelta(), False, id="one unread"),
        pytest.param(1, None, timedelta(), False, id="nobody knows"),
        pytest.param(1, 7, VIEW_PATIENCE - timedelta(seconds=1), False, id="a little longer"),
        pytest.param(1, 7, VIEW_PATIENCE, True, id="long enough"),
        pytest.param(2, None, VIEW_PATIENCE, True, id="long enough without knowing"),
    ],
)
def test_a_step_needs_a_current_view(
    step: int, lag: int | None, waited: timedelta, *, expected: bool
) -> None:
    assert view_is_current(step=step, lag=lag, waited=waited) is expected
