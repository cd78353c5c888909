"""Two questions want the same person: the more important one goes first, also one that comes due later."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.trigger.domain import consent
from services.trigger.domain.audience import Person, person_fits
from services.trigger.domain.decisions import deferred
from services.trigger.domain.facts import Facts, Rival
from services.trigger.domain.model import Contact, Decision, Plan, Scalar
from services.trigger.domain.moments import moment_of
from services.trigger.domain.parties import of_account, open_to
from services.trigger.domain.places import LOOK_AGAIN
from services.trigger.domain.programme import Edition
from services.trigger.domain.timing import Span, end_of
from shared.contracts.directory import Consent
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Reason


def outranked(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    """Asking now would quarantine the person when something more important comes due: that one goes first."""
    rules = edition.programme.quarantine
    if rules.exempt or plan.contact_id is None:
        return None
    rivals = facts.rivals.get(plan.contact_id)
    if not rivals:
        return None
    above = [r for r in rivals if r.priority > plan.priority and not r.exempt and r.plan_id != plan.id]
    contact = facts.contact_of(plan)
    above = [rival for rival in above if contact is None or _wanted(rival, contact)]
    if not above:
        return None
    zone = facts.place_of(plan).zone
    family = edition.programme.family
    for rival in sorted(above, key=lambda r: (-r.priority, r.due_at)):
        due_at = max(rival.due_at, facts.now)
        related = rival.family is family
        if due_at < _free(facts.now, rival.quarantine, rival.apart if related else None, zone):
            inputs: dict[str, Scalar] = {
                "by": rival.programme,
                "priority": rival.priority,
                "own_priority": plan.priority,
            }
            free_at = _free(due_at, rules.contact, rules.family if related else None, zone)
            known_at = max(rival.resolved_at, facts.now + LOOK_AGAIN) if rival.resolved_at else free_at
            # The other may yet fall away, so even a wait that seems too long lasts until the moment is over.
            until = min(free_at, known_at, plan.stale_at)
            return deferred(plan, Reason.OUTRANKED, until, inputs)
    return None


def _wanted(rival: Rival, contact: Contact) -> bool:
    """Whether a person wants to be asked the other question, as far as they said; else it keeps nobody."""
    if rival.opt_in and contact.consent is not Consent.GIVEN:
        return False
    return rival.family is None or not consent.refuses(contact, rival.programme, rival.family)


def _free(at: datetime, quarantine: Span, apart: Span | None, zone: ZoneInfo) -> datetime:
    """When somebody who is asked at an instant may be asked again; `apart`: by what is of the same family."""
    alone = end_of(at, quarantine, zone)
    return max(alone, end_of(at, apart, zone)) if apart else alone


def rival_of(
    audience: Plan, plan: Plan, edition: Edition, facts: Facts, part: str | None = None
) -> Rival | None:
    """An audience that is not yet resolved, as a rival of a plan for one person who will be in it.

    `part`: the person's role in what the audience is about, "" for one without a name; None when they take no
    part in it.
    """
    # Whatever is not more important never goes first, nor what begins for nobody within its quarantine.
    rules = edition.programme.quarantine
    if audience.priority <= plan.priority or audience.due_at >= facts.now + rules.reach:
        return None
    contact = facts.contact_of(plan)
    waits = facts.brakes.on(audience.programme, audience.account_id)
    if contact is None or waits or audience.shadow or edition.state is not ProgrammeState.ACTIVE:
        return None
    meant = open_to(audience, edition, contact) and (of_account(edition) or part is not None)
    home = audience.account_id or contact.account_id
    account = facts.accounts.get(home) if home else None
    if not meant or person_fits(edition.programme.audience, Person(contact, part or ""), account):
        return None
    due_at, _ = moment_of(edition, audience.moment, contact, account, facts.organisation)
    # When an audience falls away, those of its account are woken; whoever else waits for it looks again.
    resolved_at = None if audience.account_id == plan.account_id else audience.due_at
    return Rival(
        audience.id, audience.programme, audience.priority, due_at, rules.contact,
        exempt=rules.exempt, resolved_at=resolved_at, family=edition.programme.family, apart=rules.family,
        opt_in=edition.programme.consent == "opt_in",
    )  # fmt: skip
