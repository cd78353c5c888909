"""What happened around answers, in the words that scores need: a number for usage, a label for the rest."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.directory import ContextKind, ContextRecorded

USAGE_NUMBERS = ("usage", "active_users", "sessions", "events", "value", "count")
"""Where a usage report has its number; the first of these that it has counts."""

_LABELS = ("title", "name", "release", "version", "feature", "change", "incident", "ref")


def number_of(told: ContextRecorded) -> float | None:
    """How much somebody used, if this says it."""
    if told.kind is not ContextKind.USAGE:
        return None
    for name in USAGE_NUMBERS:
        value = told.data.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def label_of(told: ContextRecorded) -> str:
    """What it is called on a chart: `Release 4.2`, else the event and its product."""
    data: Mapping[str, object] = told.data
    named = next((str(data[name]) for name in _LABELS if data.get(name)), "")
    return named[:80] or told.product[:80]


RENEWAL_DATE = "renewal_date"
"""What is kept of a day that was set for a renewal: it says nothing of whether the customer stays."""


def kind_of(told: ContextRecorded) -> str:
    """What it is kept as: its kind, but for a renewal that is only expected."""
    expected = told.kind is ContextKind.RENEWAL and told.data.get("event") != "contract.renewed"
    return RENEWAL_DATE if expected else told.kind.value
