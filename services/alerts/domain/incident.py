"""Which incident an answer is about, as far as its survey says so."""

from __future__ import annotations

from shared.contracts.model import Snapshot

KIND = "incident"
_NAMES = ("incident_id", "incident")


def incident_of(snapshot: Snapshot) -> str:
    """The incident's id in the system that reported it; empty when the survey was about something else.

    The survey's subject says it, else what its event carried: a support ticket may name its incident.
    """
    if snapshot.subject_kind == KIND and snapshot.subject_id:
        return snapshot.subject_id
    return next((found for name in _NAMES if (found := snapshot.context.get(name, "").strip())), "")
