"""Publishes the folder of programmes.

A changed file is taken up without a restart, a broken one changes nothing.

One publisher at a time, by lease, so that replicas with different files never flip-flop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from services.trigger import metrics
from services.trigger.domain.findings import Finding, Report, Severity
from services.trigger.domain.lint import check
from services.trigger.domain.model import Organisation
from services.trigger.handlers.organisation import ensure_organisation
from services.trigger.handlers.publishing import publish
from services.trigger.handlers.seeding import seed
from shared.config.files import text_of
from shared.db.database import Database
from shared.runtime.ids import random_id
from shared.runtime.lease import take_lease
from shared.runtime.logging import get_logger

PRESETS = "presets"
"""Folder of programmes to choose from: one runs when it is copied beside the others."""

log = get_logger("programmes")


class Publisher:
    """The loop that watches the folder."""

    def __init__(
        self,
        db: Database,
        folder: Path,
        defaults: Organisation,
        also: Callable[[], Sequence[Finding]] = tuple,
    ) -> None:
        """Publish what is in the folder; `also` says what is wrong with files beside it, to be shown."""
        self._db = db
        self._folder = folder
        self._defaults = defaults
        self._also = also
        self._holder = random_id()
        self._seen = ""

    async def run(self) -> int:
        """Look once; returns how many programmes were published or archived, or accounts got their series."""
        files = read_folder(self._folder)
        digest = hashlib.sha256(repr(sorted(files)).encode()).hexdigest()
        async with self._db.begin() as tx:
            if not await take_lease(tx.conn, "programmes", self._holder):
                self._seen = ""
                return 0
            organisation = await ensure_organisation(tx, self._defaults)
            also = tuple(self._also())
            digest += ",".join(organisation.locales) + repr(also)
            if digest == self._seen:
                return await seed(tx, organisation)
            report = check(files, organisation.locales) if files else _empty(self._folder)
            changed = await publish(tx, report, also)
        self._seen = digest
        for severity in Severity:
            count = sum(finding.severity is severity for finding in report.findings)
            metrics.PROGRAMME_FINDINGS.labels(severity).set(count)
        for finding in report.errors:
            log.warning(
                "programme_refused",
                file=finding.file,
                line=finding.line,
                path=finding.path,
                why=finding.reason,
            )
        return changed


def read_folder(folder: Path) -> list[tuple[str, str]]:
    """Name and text of every programme file of a folder and its sub-folders, but not of its presets.

    Too large or unreadable ones as broken YAML.
    """
    found: list[tuple[str, str]] = []
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        name = str(path.relative_to(folder))
        if name.startswith(f"{PRESETS}/"):
            continue
        text = text_of(path)
        found.append((name, "%gone" if text is None else text))
    return found


def _empty(folder: Path) -> Report:
    reason = "no programme file (*.yaml) is here; nothing is changed."
    return Report(
        (),
        (
            Finding(
                Severity.ERROR, str(folder.name), 1, "", reason, "Check AFTERWORD_TRIGGER_PROGRAMMES_DIR."
            ),
        ),
    )
