"""Due reminders and surveys whose time is over."""

from __future__ import annotations

from uuid import UUID

from services.trigger.domain.facts import Asks
from services.trigger.domain.model import Ask, Decision
from services.trigger.domain.naming import Blind
from services.trigger.domain.reminder_gate import decide_reminder
from services.trigger.domain.reminding import after_reminder
from services.trigger.handlers.facts import MEMORY, load_facts
from services.trigger.handlers.ledger import record
from services.trigger.store import asks, brakes, directory, programmes
from services.trigger.worker.due import BATCH
from shared.contracts.model import Snapshot
from shared.contracts.reasons import Outcome
from shared.contracts.surveys import SurveyClosed, SurveyReminderRequested
from shared.db.database import Database, Tx
from shared.runtime.failpoints import failpoint
from shared.values import altered


class DueReminders:
    """Reminders pass the gate like first invitations (R49)."""

    def __init__(self, db: Database, blind: Blind) -> None:
        self._db = db
        self._blind = blind

    async def run(self) -> int:
        """Decide about one batch of due reminders; returns how many."""
        async with self._db.begin() as tx:
            due = await asks.due_reminders(tx.conn, tx.now, BATCH)
            if not due:
                return 0
            contacts = await directory.lock_contacts(tx.conn, [ask.contact_id for ask in due], skip_busy=True)
            claimed = await asks.claim_reminders(
                tx.conn, [ask.survey_id for ask in due if ask.contact_id in contacts], tx.now
            )
            if not claimed:
                return 0
            failpoint("trigger.after_reminder_claim")
            facts = await load_facts(tx.conn, tx.now, self._blind, acting=True)
            companies = sorted({ask.account_id for ask in claimed if ask.account_id})
            facts.contacts, facts.accounts = contacts, await directory.get_accounts(tx.conn, companies)
            recent = await asks.recent_asks(tx.conn, sorted(contacts), [], tx.now - MEMORY)
            facts.asks = Asks(recent)
            facts.holds = await brakes.holds_on(tx.conn, sorted(contacts), companies)
            editions = await programmes.editions_of(tx.conn, [(a.programme, a.version) for a in claimed])
            decisions: list[tuple[str, Decision]] = []
            after: list[Ask] = []
            for ask in claimed:
                edition = editions[ask.programme, ask.version]
                decision = decide_reminder(ask, edition, facts)
                decisions.append(("", decision))
                contact = contacts[ask.contact_id]
                after.append(after_reminder(ask, decision, edition, contact, facts.organisation))
                if decision.outcome is Outcome.REQUESTED:
                    _announce(ask, after[-1], tx)
            failpoint("trigger.after_reminder_gate")
            await asks.save_asks(tx.conn, after)
            await record(tx, decisions)
            return len(claimed)


def _announce(ask: Ask, after: Ask, tx: Tx) -> None:
    snapshot = Snapshot.model_validate_json(ask.snapshot)
    reminder = SurveyReminderRequested(
        survey_id=str(ask.survey_id),
        version=after.event_version,
        step=ask.next_step,
        snapshot=snapshot,
        requested_at=tx.now,
    )
    tx.emit(reminder, identity=f"{ask.survey_id}/{ask.next_step}", key=snapshot.key)


class Closing:
    """Announces surveys whose time for answers is over."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> int:
        """Close one batch; returns how many."""
        async with self._db.begin() as tx:
            over = await asks.claim_closing(tx.conn, tx.now, BATCH)
            closed: dict[UUID, Ask] = {}
            for ask in over:
                version = ask.event_version + 1
                snapshot = Snapshot.model_validate_json(ask.snapshot)
                survey = SurveyClosed(
                    survey_id=str(ask.survey_id), version=version, snapshot=snapshot, closed_at=ask.closes_at
                )
                tx.emit(survey, identity=str(ask.survey_id), key=snapshot.key)
                closed[ask.survey_id] = altered(
                    ask, closed_at=tx.now, next_step_at=None, event_version=version
                )
            if closed:
                failpoint("trigger.after_closing_claim")
                await asks.save_asks(tx.conn, closed.values())
            return len(closed)
