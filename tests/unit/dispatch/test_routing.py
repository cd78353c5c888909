"""By which channel a step goes: preferred first, the next where one failed or stayed silent, none twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.routing import next_channel
from shared.contracts.model import Channel

E, S, A = Channel.EMAIL, Channel.SMS, Channel.IN_APP


@pytest.mark.requirement("R52")
@pytest.mark.parametrize(
    ("preferred", "before", "now", "expected"),
    [
        pytest.param([E], [], [], E, id="the first message"),
        pytest.param([E], [], [E], None, id="nothing else is left"),
        pytest.param([S, E], [], [S], E, id="one failed"),
        pytest.param([S, E], [S], [], E, id="one stayed silent"),
        pytest.param([E], [E], [], E, id="a reminder by the only channel"),
        pytest.param([S, E], [S], [E], S, id="the next one failed, the silent one reminds"),
        pytest.param([S, E], [S], [E, S], None, id="all failed in this step"),
        pytest.param([A, S, E], [A, S, E], [], A, id="all were silent: from the start again"),
    ],
)
def test_the_next_channel(
    preferred: list[Channel], before: list[Channel], now: list[Channel], expected: Channel | None
) -> None:
    assert next_channel(preferred, before, now) is expected


@given(
    preferred=st.lists(st.sampled_from(Channel), unique=True, min_size=1),
    before=st.sets(st.sampled_from(Channel)),
)
def test_a_step_tries_each_channel_once_at_most(preferred: list[Channel], before: set[Channel]) -> None:
    tried: list[Channel] = []
    while (channel := next_channel(preferred, before, tried)) is not None:
        tried.append(channel)
    assert sorted(tried) == sorted(preferred)
