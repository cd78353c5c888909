"""Publishes the folder of programmes: a changed file is taken up without a restart, a broken one changes nothing.

One publisher at a time, by lease, so that replicas with different files never flip-flop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from services.trigger import metrics
from services.trigger.domain.lint import Checked, Finding, Report, Severity, check
from services.trigger.store import programmes
from services.trigger.store.programmes import Standing
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.db.database import Database, Tx
from shared.runtime.ids import random_id
from shared.runtime.lease import take_lease
from shared.runtime.logging import get_logger

MAX_FILE_BYTES = 512 * 1024

log = get_logger("programmes")


class Publisher:
    """The loop that watches the folder."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._holder = random_id()
        self._seen = ""

    async def run(self) -> int:
        """Look once; returns how many programmes were published or archived."""
        files = read_folder(self._folder)
        digest = hashlib.sha256(repr(sorted(files)).encode()).hexdigest()
        async with self._db.begin() as tx:
            if not await take_lease(tx.conn, "programmes", self._holder):
                self._seen = ""
                return 0
            organisation = await programmes.get_organisation(tx.conn)
            if organisation is None:
                return 0
            digest += ",".join(organisation.locales)
            if digest == self._seen:
                return 0
            report = check(files, organisation.locales) if files else _empty(self._folder)
            changed = await publish(tx, report)
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


async def publish(tx: Tx, report: Report) -> int:
    """Bring the published programmes in line with what a check could read; returns how many changed."""
    standing = {one.key: one for one in await programmes.standings(tx.conn)}
    broken = report.broken_files()
    changed = 0
    for checked in report.programmes:
        if checked.file not in broken:
            changed += await _publish_one(tx, checked, standing.get(checked.edition.key))
    if not broken and report.programmes:
        keys = {checked.edition.key for checked in report.programmes}
        gone = [s for s in standing.values() if s.key not in keys and s.state is not ProgrammeState.ARCHIVED]
        for one in gone:
            await programmes.set_state(tx.conn, one.key, ProgrammeState.ARCHIVED, tx.now)
            await announce(tx, one.key)
            changed += 1
    await programmes.replace_findings(tx.conn, report.findings)
    return changed


async def announce(tx: Tx, key: str) -> None:
    """Tell the others about a programme as it stands now."""
    found = [one for one in await programmes.standings(tx.conn) if one.key == key]
    definition = await programmes.definition_of(tx.conn, key)
    if found and definition is not None:
        tx.emit(announcement(found[0], definition), identity=f"{key}/{found[0].revision}", key=key)


def announcement(one: Standing, definition: dict[str, object]) -> ProgrammePublished:
    """The event about a programme as it stands."""
    return ProgrammePublished(
        programme=one.key,
        version=one.version,
        revision=one.revision,
        state=one.shown,
        family=str(definition["family"]),  # type: ignore[arg-type]
        definition=definition,
    )


def read_folder(folder: Path) -> list[tuple[str, str]]:
    """Name and text of every programme file of a folder and its sub-folders; too large or unreadable ones as broken YAML."""
    found: list[tuple[str, str]] = []
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        name = str(path.relative_to(folder))
        try:
            text = path.read_text("utf-8") if path.stat().st_size <= MAX_FILE_BYTES else "%too large"
        except (OSError, UnicodeDecodeError):
            text = "%not UTF-8 text"
        found.append((name, text))
    return found


def _empty(folder: Path) -> Report:
    reason = "no programme file (*.yaml) is here; nothing is changed."
    return Report(
        (), (Finding(Severity.ERROR, str(folder.name), 1, "", reason, "Check AFTERWORD_TRIGGER_PROGRAMMES."),)
    )


async def _publish_one(tx: Tx, checked: Checked, standing: Standing | None) -> int:
    edition = checked.edition
    same = standing and standing.version == edition.version and standing.state == edition.programme.state
    if same:
        return 0
    await programmes.save_edition(tx.conn, edition, checked.definition, checked.file, tx.now)
    await announce(tx, edition.key)
    log.info("programme_published", programme=edition.key, version=edition.version)
    return 1
