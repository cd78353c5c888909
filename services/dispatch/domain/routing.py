"""By which channel a step of a survey goes: by preference, the next one where one did not get through.

A channel that fails hands its step on; one that stays silent is followed by the next at the next step, which
trigger asked for as a reminder. Either way it is one ask: no channel ever adds a step of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from shared.contracts.model import Channel
from shared.contracts.reasons import Reason

PASSED_ON_FOR = frozenset({Reason.NO_CHANNEL, Reason.INVALID_ADDRESS, Reason.BOUNCED})
"""What says that this channel does not reach the person; anything else is about the ask itself."""


def next_channel(
    preferred: Sequence[Channel], before: Collection[Channel], now: Collection[Channel]
) -> Channel | None:
    """The channel for a step; None when all of them were tried in it.

    Args:
        preferred: the survey's channels in order of preference.
        before: channels of earlier steps, silent so far; they come last, in the order of preference.
        now: channels of this step that did not get through.
    """
    fresh = [channel for channel in preferred if channel not in before]
    silent = [channel for channel in preferred if channel in before]
    return next((channel for channel in (*fresh, *silent) if channel not in now), None)
