"""Due plans: claimed in batches, passed through the gate, asked.

Accounts are locked first, then contacts, then plans, as everywhere; whatever another instance holds is left
to it. Only then, in statements of their own, the asks are counted: two instances never exceed a cap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.trigger.domain import gate
from services.trigger.domain.decisions import of_plan
from services.trigger.domain.expanding import expand
from services.trigger.domain.facts import Facts
from services.trigger.domain.keeping import serves
from services.trigger.domain.model import Account, Ask, Contact, Decision, Plan, PlanState
from services.trigger.domain.naming import Blind
from services.trigger.domain.programme import Edition
from services.trigger.domain.reminding import reminder_at
from services.trigger.domain.survey import Request, ask_of, survey_id_of, survey_of
from services.trigger.domain.turns import in_turn
from services.trigger.handlers.crowds import crowds
from services.trigger.handlers.facts import load_facts, load_people
from services.trigger.handlers.freeing import give_places_back
from services.trigger.handlers.ledger import record
from services.trigger.handlers.recovery import Decided, tell_of_questions
from services.trigger.store import asks, directory, plans, programmes, shadow, slots
from services.trigger.worker.following import plans_ahead
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import CASE_RESOLVED
from shared.db.database import Database, Tx
from shared.runtime.failpoints import failpoint
from shared.runtime.lowmark import LowMark
from shared.values import altered

BATCH = 500

_FALLEN = frozenset({PlanState.SUPPRESSED, PlanState.CANCELLED})


@dataclass(slots=True)
class _Round:
    """What one round decides, before it is written."""

    plans: dict[UUID, Plan] = field(default_factory=dict)
    fresh: list[Plan] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    would_be: list[Ask] = field(default_factory=list)
    decisions: list[tuple[str, Decision]] = field(default_factory=list)
    served: set[UUID | None] = field(default_factory=set)
    """Accounts at which a place was taken by whom it was kept for, or is not needed any more."""

    def say(self, plan: Plan, decision: Decision) -> None:
        """Note a decision about a plan, with the event that made the plan."""
        self.decisions.append((plan.event_id, decision))


@dataclass(frozen=True, slots=True)
class Claim:
    """What one round holds: plans, and the people and companies whose rows are locked for them.

    `low`: before it nothing is left to claim once this round has committed; None when nothing was due.
    """

    plans: Sequence[Plan] = ()
    accounts: Mapping[UUID, Account] = field(default_factory=dict)
    contacts: Mapping[UUID, Contact] = field(default_factory=dict)
    low: datetime | None = None


class DuePlans:
    """The due loop."""

    def __init__(self, db: Database, blind: Blind) -> None:
        self._db = db
        self._blind = blind
        self._low: LowMark[datetime] = LowMark(db.machine)

    async def run(self) -> int:
        """Decide about one batch of due plans; returns how many were decided about."""
        async with self._db.begin() as tx:
            claim = await self.claim(tx)
            claimed = claim.plans
            if claimed:
                failpoint("trigger.after_plan_claim")
                await self._decide(claim, tx)
        self.claimed(claim)
        return len(claimed)

    async def claim(self, tx: Tx, limit: int = BATCH) -> Claim:
        """Lock what is due and free, with its people."""
        due = await plans.due_plans(tx.conn, tx.now, limit, self._low.begin())
        self._low.looked()
        if not due:
            return Claim()
        accounts = await directory.lock_accounts(
            tx.conn, [p.account_id for p in due if p.account_id], skip_busy=True
        )
        contacts = await directory.lock_contacts(
            tx.conn, [p.contact_id for p in due if p.contact_id], skip_busy=True
        )
        free = [p for p in due if _free(p, accounts, contacts)]
        claimed = await plans.claim_plans(tx.conn, free, tx.now)
        mine = {plan.id for plan in claimed}
        low = next((p.due_at for p in due if p.id not in mine), due[-1].due_at)
        return Claim(claimed, accounts, contacts, low)

    def claimed(self, claim: Claim) -> None:
        """The claim's transaction has committed: look on from where it ended."""
        if claim.low is not None:
            self._low.move(claim.low)

    async def _decide(self, claim: Claim, tx: Tx) -> None:
        claimed = claim.plans
        facts = await load_facts(tx.conn, tx.now, self._blind, acting=True)
        facts.accounts, facts.contacts = claim.accounts, claim.contacts
        editions = await programmes.editions_of(tx.conn, [(p.programme, p.version) for p in claimed])
        if any(edition.programme.send.learns for edition in editions.values()):
            facts.learned = await slots.learned(tx.conn)
        done = _Round()
        await self._expand([p for p in claimed if p.contact_id is None], editions, facts, done, tx)
        await self._pass([p for p in claimed if p.contact_id], editions, facts, done, tx)
        ahead = plans_ahead(claimed, editions, claim.accounts, claim.contacts, facts.organisation, tx)
        for plan, decision in await ahead:
            done.fresh.append(plan)
            done.say(plan, decision)
        failpoint("trigger.after_gate")
        await self._write(done, tx)

    async def _expand(
        self,
        parents: Sequence[Plan],
        editions: Mapping[tuple[str, str], Edition],
        facts: Facts,
        done: _Round,
        tx: Tx,
    ) -> None:
        """Resolve audiences that come due into one plan a person; the gate sees those in the next round."""
        if not parents:
            return
        pairs = [(parent, editions[parent.programme, parent.version]) for parent in parents]
        live: list[tuple[Plan, Edition]] = []
        for parent, edition in pairs:
            over = gate.stopped(parent, edition)
            if over:
                done.say(parent, over)
                done.plans[parent.id] = gate.settled(parent, over)
            else:
                live.append((parent, edition))
        found = await crowds(tx.conn, live, tx.now)
        for parent, edition in live:
            resolved = list(expand(parent, edition, found[parent.id], facts.organisation, tx.now))
            children = [plan for plan, _ in resolved if plan]
            for _, decision in resolved:
                done.say(parent, decision)
            done.fresh += children
            if children:
                done.plans[parent.id] = altered(parent, state=PlanState.EXPANDED)
                continue
            if edition.programme.keeps_places and parent.account_id:
                done.served.add(parent.account_id)
            reason = Reason.NOT_IN_AUDIENCE
            done.plans[parent.id] = altered(parent, state=PlanState.SUPPRESSED, reason=reason)
            nobody = {"why": "nobody of the account is in the audience"}
            done.say(parent, of_plan(parent, Outcome.SUPPRESSED, reason, nobody))

    async def _pass(
        self,
        due: Sequence[Plan],
        editions: Mapping[tuple[str, str], Edition],
        facts: Facts,
        done: _Round,
        tx: Tx,
    ) -> None:
        """Pass plans through the gate, the most important first, so that they take what caps leave."""

        def edition_of(plan: Plan) -> Edition:
            return editions[plan.programme, plan.version]

        await load_people(tx.conn, due, edition_of, facts)
        for plan in in_turn(due, edition_of, facts):
            edition = edition_of(plan)
            decision = gate.decide(plan, edition, facts)
            done.say(plan, decision)
            after = done.plans[plan.id] = gate.settled(plan, decision)
            if serves(after, edition, facts):
                done.served.add(after.account_id)
            if decision.outcome is Outcome.REQUESTED:
                done.asks.append(_request(plan, edition, facts, tx))
                facts.passed(done.asks[-1], plan)
            elif decision.outcome is Outcome.SHADOW:
                done.would_be.append(_would_be(plan, edition, facts))
                facts.passed(done.would_be[-1], plan)
            facts.decided(after)

    async def _write(self, done: _Round, tx: Tx) -> None:
        inserted = await plans.insert_plans(tx.conn, done.fresh)
        known = {plan.id for plan in done.fresh} - inserted
        # Before these are written: of them each has been told already whether a place is kept.
        await give_places_back(tx, done.served)
        await plans.settle_plans(tx.conn, list(done.plans.values()))
        await asks.save_asks(tx.conn, done.asks)
        await shadow.save_would_be(tx.conn, done.would_be)
        await record(tx, [(e, d) for e, d in done.decisions if d.plan_id not in known])
        cases = {one.id: one for one in done.plans.values() if one.moment.touchpoint == CASE_RESOLVED}
        if cases:
            tell_of_questions(tx, _of_cases(done, cases))
        # Whoever waited for a more important question that now falls away may ask again.
        fallen = [p for p in done.plans.values() if p.state in _FALLEN and not p.shadow]
        people = sorted({p.contact_id for p in fallen if p.contact_id})
        companies = sorted({p.account_id for p in fallen if p.account_id and not p.contact_id})
        if people:
            await plans.wake_plans(tx.conn, tx.now, [Reason.OUTRANKED], contacts=people)
        if companies:
            await plans.wake_plans(tx.conn, tx.now, [Reason.OUTRANKED], accounts=companies)


def _of_cases(done: _Round, cases: Mapping[UUID, Plan]) -> Iterator[Decided]:
    """What was decided about the questions of cases; of who is asked, until when answers are taken."""
    closing = {ask.plan_id: ask.closes_at for ask in done.asks}
    for _, decision in done.decisions:
        if decision.plan_id and decision.plan_id in cases:
            told = cases[decision.plan_id].moment.context
            yield Decided(decision, told, closing.get(decision.plan_id))


def _free(plan: plans.Due, accounts: Mapping[UUID, Any], contacts: Mapping[UUID, Any]) -> bool:
    """Whether this instance holds the locks of everybody the plan is about."""
    return (plan.account_id is None or plan.account_id in accounts) and (
        plan.contact_id is None or plan.contact_id in contacts
    )


def _would_be(plan: Plan, edition: Edition, facts: Facts) -> Ask:
    """What a programme in shadow would have asked now."""
    assert plan.contact_id is not None  # noqa: S101 - the gate suppresses plans without one
    return Ask(
        survey_id=survey_id_of(plan.id),
        plan_id=plan.id,
        programme=plan.programme,
        version=plan.version,
        family=edition.programme.family,
        contact_id=plan.contact_id,
        account_id=plan.account_id,
        asked_at=facts.now,
        closes_at=facts.now,
    )


def _request(plan: Plan, edition: Edition, facts: Facts, tx: Tx) -> Ask:
    """Announce a survey and reserve its place."""
    contact = facts.contact_of(plan)
    assert contact is not None  # noqa: S101 - the gate suppresses plans without one
    request = Request(plan, edition, contact, facts.account_of(plan), facts.organisation)
    survey = survey_of(request, tx.now)
    tx.emit(survey, identity=survey.survey_id, key=survey.snapshot.key)
    ask = ask_of(request, survey)
    return altered(ask, next_step_at=reminder_at(ask, edition, contact, facts.organisation))
