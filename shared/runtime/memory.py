"""Python's cycle collector, told what it may leave alone."""

from __future__ import annotations

import gc

ALLOCATIONS = 20_000
"""Net allocations between two looks at young objects; a request makes a few hundred, few in cycles."""


def spare_startup() -> None:
    """Take all that start-up made out of the collector's rounds: it stays until the process ends.

    Walking modules, models and routes again and again took 8 % of the time that answers need.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 20)
