"""Gathers what a campaign left behind, for the auditor."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.chaos import journal
from tests.chaos.audit import examine
from tests.chaos.audit.sources import read_mails, read_records
from tests.chaos.evidence import BrokerLog, Evidence, Report
from tests.chaos.fleet import Fleet


async def examined(fleet: Fleet, journal_file: Path, step: timedelta) -> Report:
    """Audit a fleet at rest."""
    evidence = Evidence(
        dsn=fleet.postgres.admin_dsn,
        journal=journal.read(journal_file),
        mails=read_mails(fleet.mail.mailbox),
        log=BrokerLog(await read_records(fleet.broker.direct), fleet.births) if fleet.broker.keeps else None,
        logs=sorted(fleet.folder.glob("*.log")),
        step=step,
    )
    return await examine(evidence)
