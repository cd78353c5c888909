"""Looks at `sources.yaml` again and again, and says when it is taken up and when not."""

from __future__ import annotations

from services.trigger import metrics
from services.trigger.sources.live import LiveSources
from shared.runtime.logging import get_logger

log = get_logger("sources")


class SourceWatch:
    """The loop over the file. Each instance follows its own copy, so that all end up reading the same."""

    def __init__(self, sources: LiveSources) -> None:
        self._sources = sources
        self._said: object = None

    async def run(self) -> int:
        """Look once; returns 1 when the file was taken up."""
        taken = self._sources.refresh()
        findings = self._sources.findings
        metrics.SOURCE_FINDINGS.set(len(findings))
        if taken:
            log.info("sources_taken_up", topics=len(self._sources.topics()))
        if findings != self._said:
            for finding in findings:
                log.warning("sources_refused", line=finding.line, path=finding.path, why=finding.reason)
        self._said = findings
        return int(taken)
