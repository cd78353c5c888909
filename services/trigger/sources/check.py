"""`afterword sources check`: is the file fit to run? Every complaint says where, and what to do."""

from __future__ import annotations

from services.trigger.domain.findings import Finding, Severity
from services.trigger.sources.definition import Sources
from shared.config.check import check


def read_sources(name: str, text: str) -> tuple[Sources | None, list[Finding]]:
    """The sources of a file, or what is wrong with it."""
    checked = check(text, Sources, begins="sources:", described="docs/sources.md")
    return checked.value, [
        Finding(Severity.ERROR, name, one.line, one.path, f"{one.reason.rstrip('.')}.", one.what_to_do)
        for one in checked.complaints
    ]
