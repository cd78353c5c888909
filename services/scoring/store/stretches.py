"""Stretches of 32 days, with which the index of answers by contact begins.

Ids are spread at random. An index that begins with them is written at a place of its own for each answer;
one that begins with the stretch is written where today's answers lie, in few pages. Whoever looks for an id
looks once in each stretch: PostgreSQL 18 skips from one to the next by itself, in those that are said or,
where none is, in all there are.
"""

from __future__ import annotations

_DAYS = 32
"""A change of it needs the index anew (`migrations/versions/0030_stretches.py`)."""


def stretch(day: str) -> str:
    """The number of the stretch that a day falls into, in SQL, as the index has it."""
    return f"(({day} - date '2000-01-01') / {_DAYS})"
