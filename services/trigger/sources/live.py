"""`sources.yaml` as it stands: a changed file is taken up without a restart, a broken one changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from services.trigger.domain.findings import Finding, Severity
from services.trigger.sources.check import read_sources
from services.trigger.sources.mapping import SourceDecoder
from shared.bus.model import Record
from shared.config.files import text_of
from shared.contracts.envelope import Event


class LiveSources:
    """What the file says, and what is wrong with it if it is not fit to run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._decoder: SourceDecoder | None = None
        self._seen = ""
        self.findings: tuple[Finding, ...] = ()

    def topics(self) -> tuple[str, ...]:
        """The topics that are read at present; none while there was no file yet."""
        return self._decoder.topics if self._decoder else ()

    def decode(self, record: Record) -> Event[Any] | None:
        """A record's event; None for one of a topic that the file names no more.

        Raises:
            Undecodable: It cannot be read.
        """
        known = self._decoder is not None and record.topic in self._decoder.topics
        return self._decoder(record) if known and self._decoder else None

    def refresh(self) -> bool:
        """Look at the file; True when it changed and is taken up.

        A file that is gone goes on as it was: somebody may be writing it anew.
        """
        text = text_of(self._file)
        digest = hashlib.sha256((text or "").encode()).hexdigest() if text is not None else "gone"
        if digest == self._seen:
            return False
        self._seen = digest
        if text is None:
            self.findings = (self._gone(),) if self._decoder else ()
            return False
        sources, findings = read_sources(self._file.name, text)
        self.findings = tuple(findings)
        if sources is None:
            return False
        self._decoder = SourceDecoder(sources)
        return True

    def _gone(self) -> Finding:
        reason = "the file is gone; what it said last goes on."
        what_to_do = "Write it again, or restart without it."
        return Finding(Severity.ERROR, self._file.name, 1, "", reason, what_to_do)
