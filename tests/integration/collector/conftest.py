"""A collector on a database of its own."""

from __future__ import annotations

from tests.support.collecting import collector, start_collector

__all__ = ["collector", "start_collector"]
