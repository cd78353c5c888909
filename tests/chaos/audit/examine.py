"""Run all checks over the evidence, in one snapshot of the database."""

from __future__ import annotations

import asyncpg

from shared.db.database import Connection
from shared.runtime.clock import Machine, SystemMachine
from tests.chaos.audit import (
    answers,
    ground,
    intake,
    liveness,
    privacy,
    scores,
    sending,
    tickets,
    timers,
    transport,
)
from tests.chaos.audit.check import Check, Needs
from tests.chaos.evidence import Anomaly, Evidence, Report, Unchecked
from tests.chaos.journal import Planted, Probed

CHECKS: tuple[Check, ...] = tuple(
    check
    for part in (intake, timers, sending, answers, scores, tickets, transport, privacy, liveness)
    for check in part.CHECKS
)
ELSEWHERE = (
    Unchecked("order", "E4", "the end of one run says nothing about other orders: property tests of trigger"),
    Unchecked("isolation", "E7", "one deployment serves one organisation"),
    Unchecked("tokens", "C5", "a state does not show who was let in: tests of tokens and pages"),
)
"""Promises that no look at what is left can judge, and where they are held instead."""


async def audit(evidence: Evidence) -> list[Anomaly]:
    """Name every broken promise; an empty list means that all that could be checked holds."""
    return list((await examine(evidence)).anomalies)


async def examine(evidence: Evidence) -> Report:
    """Check everything, and say what could not be checked."""
    conn = await connected(evidence.dsn)
    try:
        transaction = conn.transaction(isolation="repeatable_read")
        await transaction.start()
        try:
            return await inspect(conn, evidence)
        finally:
            await transaction.rollback()
    finally:
        await conn.close()


async def connected(dsn: str) -> asyncpg.Connection:
    """A connection with the auditor's own tables, which remembers the plans of all checks."""
    conn = await asyncpg.connect(
        dsn,
        server_settings={"application_name": "afterword_auditor"},
        statement_cache_size=1000,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
    )
    await ground.prepare(conn)
    return conn


async def inspect(conn: Connection, evidence: Evidence, machine: Machine | None = None) -> Report:
    """Check everything inside the transaction of such a connection, which must be rolled back afterwards."""
    machine = machine or SystemMachine()
    started = machine.monotonic()
    await conn.execute("set transaction read only")
    read = await ground.fill(conn, evidence)
    anomalies: list[Anomaly] = []
    unchecked: list[Unchecked] = list(ELSEWHERE)
    checked: list[str] = []
    for check in CHECKS:
        missing = _missing(check, evidence)
        if missing is not None:
            unchecked.append(Unchecked(check.name, check.invariant, missing.value))
            continue
        found = await check.look(conn, evidence)
        checked.append(check.name)
        if found.count:
            anomalies.append(Anomaly(check.name, check.invariant, found.count, found.ids, check.meaning))
    return Report(tuple(anomalies), tuple(unchecked), tuple(checked), read, machine.monotonic() - started)


def _missing(check: Check, evidence: Evidence) -> Needs | None:
    journal = evidence.journal
    given = {
        Needs.REST: evidence.at_rest,
        Needs.JOURNAL: journal is not None,
        Needs.MAILS: evidence.mails is not None,
        Needs.LOG: evidence.log is not None,
        Needs.LOGS: bool(evidence.logs),
        Needs.CANARIES: journal is not None and bool(journal.of(Planted)),
        Needs.PROBES: journal is not None and bool(journal.of(Probed)),
    }
    return next((need for need in check.needs if not given[need]), None)
