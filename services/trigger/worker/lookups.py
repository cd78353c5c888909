"""Look-ups: parked reports are leased, their partner is asked outside any transaction, the result is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.trigger import metrics
from services.trigger.connectors.contract import Connector, Found
from services.trigger.domain.reports import Gap, Named, Report
from services.trigger.handlers.intake import tell
from services.trigger.store import parked
from services.trigger.store.parked import Waiting
from shared.db.database import Database
from shared.errors import SendError
from shared.runtime.clock import Machine
from shared.runtime.ids import random_id
from shared.runtime.logging import get_logger
from shared.security.sealing import Sealer

LEASE = timedelta(minutes=2)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
REFUSED_PAUSE = timedelta(hours=6)
log = get_logger("lookups")


class LookUps:
    """Asks the partners of whom a connector is set up."""

    def __init__(
        self, db: Database, sealer: Sealer, machine: Machine, connectors: Mapping[str, Connector]
    ) -> None:
        self._db = db
        self._sealer = sealer
        self._machine = machine
        self._connectors = connectors

    async def run(self) -> int:
        """One batch of each partner; returns how many reports were looked up."""
        return sum([await self._ask(name, connector) for name, connector in self._connectors.items()])

    async def _ask(self, provider: str, connector: Connector) -> int:
        token, wall = random_id(), self._machine.wall()
        async with self._db.begin() as tx:
            waiting = await parked.lease(tx.conn, provider, wall, wall + LEASE, token)
        if not waiting:
            return 0
        found: Mapping[Gap, Found] = {}
        failure: SendError | None = None
        try:
            found = await connector.find(list(dict.fromkeys(_gap(one.report) for one in waiting)))
        except SendError as error:
            failure = error
            log.warning("look_up_failed", provider=provider, error=str(error), permanent=error.permanent)
        async with self._db.begin() as tx:
            ours = await parked.leased(tx.conn, token)
            mine = [one for one in waiting if one.id in ours]
            known = [one for one in mine if _gap(one.report) in found]
            await tell(tx, self._sealer, [completed(one.report, found[_gap(one.report)]) for one in known])
            await parked.release(tx.conn, [one.id for one in known], tx.now)
            for one in mine:
                if one not in known:
                    why = "look_up_failed" if failure else "looked_up_in_vain"
                    await parked.after_look_up(tx.conn, [one.id], why, self._again(one, failure))
        result = "failed" if failure else "found"
        metrics.LOOK_UPS.labels(provider, result).inc(len(mine if failure else known))
        metrics.LOOK_UPS.labels(provider, "in_vain").inc(0 if failure else len(mine) - len(known))
        return len(waiting)

    def _again(self, one: Waiting, failure: SendError | None) -> datetime | None:
        """When to ask again after a failure; whoever the partner does not know is not asked for again."""
        if failure is None:
            return None
        if failure.permanent:
            return self._machine.wall() + REFUSED_PAUSE
        pause = min(FIRST_PAUSE * (1 << min(one.tries - 1, 10)), LONGEST_PAUSE)
        return self._machine.wall() + max(pause, failure.retry_after or pause)


def completed(report: Report, found: Found) -> Report:
    """The report with the person in it, and the company unless the report names one."""
    missing, *others = report.touchpoint.people
    person = found.contact.model_copy(update={"role": missing.role})
    gap = _gap(report)
    touchpoint = report.touchpoint.model_copy(
        update={
            "contact": None,
            "contacts": (person, *others),
            "account": report.touchpoint.account or found.account,
        }
    )
    aka: Sequence[str] = report.aka if gap.kind is Named.CONTACT else (*report.aka, gap.name)
    return replace(report, touchpoint=touchpoint, gap=None, aka=tuple(aka))


def _gap(report: Report) -> Gap:
    assert report.gap is not None  # noqa: S101 - only such reports are parked
    return report.gap
