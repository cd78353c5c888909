"""The life of one message, as a table (rule 6: never send twice).

    planned ──claim──► claimed ──call──► handing_over ──accept──► handed_over
       ▲                  │                   │  │ └──refuse───► failed
       │◄─────release─────┤                   │  └────lose─────► uncertain ──accept/refuse (late evidence)──►
       │                  ├──suppress─► suppressed
       │                  └──reject───► failed
       └──────────────────────defer───────────┘

    uncertain ──send_again──► planned ──► …, and back by call_off or lose: never worse known than before

`handing_over` is committed before the provider is called. A message found there after a crash may or may not
have gone out; plain SMTP cannot tell, so it becomes `uncertain` and is never repeated: a missed survey costs
less than a double one, and a reminder follows anyway. Only a person may decide that it is sent again; then it
ends handed over, or is as uncertain as it was: what a second try is refused says nothing of the first.

A message whose channel surely did not reach the person, before the call or after it, may be `passed_on`: the
next channel of the same survey takes its place. What is uncertain is passed on only when the provider says
later that it did not arrive.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a message stands; the label of metrics and the word in the books."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    HANDING_OVER = "handing_over"
    HANDED_OVER = "handed_over"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPPRESSED = "suppressed"
    PASSED_ON = "passed_on"


class Happening(StrEnum):
    """What moves a message."""

    CLAIM = "claim"
    RELEASE = "release"
    SUPPRESS = "suppress"
    REJECT = "reject"
    CALL = "call"
    ACCEPT = "accept"
    DEFER = "defer"
    REFUSE = "refuse"
    LOSE = "lose"
    SEND_AGAIN = "send_again"
    CALL_OFF = "call_off"
    PASS_ON = "pass_on"  # noqa: S105 - a happening, not a secret


OPEN = frozenset({State.PLANNED, State.CLAIMED, State.HANDING_OVER})
"""States in which something is still to happen by itself; the books count them as open."""

TRANSITIONS: dict[tuple[State, Happening], State] = {
    (State.PLANNED, Happening.CLAIM): State.CLAIMED,
    (State.CLAIMED, Happening.RELEASE): State.PLANNED,
    (State.CLAIMED, Happening.SUPPRESS): State.SUPPRESSED,
    (State.CLAIMED, Happening.REJECT): State.FAILED,
    (State.CLAIMED, Happening.CALL): State.HANDING_OVER,
    (State.HANDING_OVER, Happening.ACCEPT): State.HANDED_OVER,
    (State.HANDING_OVER, Happening.DEFER): State.PLANNED,
    (State.HANDING_OVER, Happening.REFUSE): State.FAILED,
    (State.HANDING_OVER, Happening.LOSE): State.UNCERTAIN,
    (State.UNCERTAIN, Happening.SEND_AGAIN): State.PLANNED,
    (State.PLANNED, Happening.CALL_OFF): State.UNCERTAIN,
    (State.CLAIMED, Happening.CALL_OFF): State.UNCERTAIN,
    (State.UNCERTAIN, Happening.ACCEPT): State.HANDED_OVER,
    (State.UNCERTAIN, Happening.REFUSE): State.FAILED,
    (State.CLAIMED, Happening.PASS_ON): State.PASSED_ON,
    (State.HANDING_OVER, Happening.PASS_ON): State.PASSED_ON,
    (State.UNCERTAIN, Happening.PASS_ON): State.PASSED_ON,
    (State.HANDED_OVER, Happening.PASS_ON): State.PASSED_ON,
}
"""Every legal move. What is not here cannot happen: the store takes the guards of its statements from it."""


def sources(happening: Happening) -> tuple[State, ...]:
    """The states in which something can happen."""
    return tuple(state for state, what in TRANSITIONS if what is happening)


def target(happening: Happening) -> State:
    """The state that follows; each happening has exactly one."""
    return next(after for (_, what), after in TRANSITIONS.items() if what is happening)
