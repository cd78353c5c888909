"""Named places where a test can make the process fail: every boundary between two effects has one.

`AFTERWORD_FAILPOINT=name:hit:action` arms one for a process, for instance `unit.after_commit:2:exit`, or for
one service `alerts/unit.after_commit:2:exit`.
Actions: `raise` (FailpointHit), `unavailable` (as if Postgres or the broker went away), `exit` (as kill
-9), `die` (the same for a test that hosts the services in its own process: nothing that runs catches it).
Unarmed it only counts.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from shared.errors import Unavailable


class FailpointHit(Exception):
    """An armed failpoint was reached."""


class Died(BaseException):
    """The process is to be taken for dead; only the test that armed it may catch this."""


@dataclass(frozen=True, slots=True)
class Armed:
    """Fail at the `hit`-th time that `name` is reached (1 = first)."""

    name: str
    hit: int
    action: str


_hits: Counter[str] = Counter()
_armed: list[Armed] = []


def failpoint(name: str, service: str = "") -> None:
    """Mark a boundary; fails here when armed for this hit.

    Args:
        name: the boundary.
        service: whose it is, where all services share the code; then it counts as `service/name` too.
    """
    _reach(name)
    if service:
        _reach(f"{service}/{name}")


def _reach(name: str) -> None:
    _hits[name] += 1
    for armed in _armed:
        if armed.name == name and armed.hit == _hits[name]:
            _fail(armed)


def arm(spec: str) -> None:
    """Arm from text `name:hit:action`; several are separated by commas."""
    for one in filter(None, spec.split(",")):
        name, hit, action = one.rsplit(":", 2)
        _armed.append(Armed(name, int(hit), action))


def disarm() -> None:
    """Forget what is armed and counted."""
    _armed.clear()
    _hits.clear()


def hits() -> dict[str, int]:
    """How often each name was reached."""
    return dict(_hits)


def _fail(armed: Armed) -> None:
    if armed.action == "exit":
        os._exit(137)
    if armed.action == "unavailable":
        raise Unavailable(f"failpoint {armed.name}")
    if armed.action == "die":
        raise Died(armed.name)
    raise FailpointHit(armed.name)
