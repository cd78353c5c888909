"""The survey that an answer from a form tool is one to: what is known of it, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.collector.domain.form_answers import Read, Trouble
from services.collector.domain.forms import FormRule, misfits
from services.collector.domain.sharing import Somebody, facts_of
from shared.contracts.directory import AccountChanged
from shared.contracts.forms import Form
from shared.contracts.model import Channel, Family, Snapshot
from shared.contracts.programmes import ProgrammeState
from shared.contracts.surveys import CloseTheLoop

TOUCHPOINT = "form.answered"
_SILENT = frozenset({ProgrammeState.ARCHIVED, ProgrammeState.SHADOW})


@dataclass(frozen=True, slots=True)
class KnownProgramme:
    """A programme as it stands."""

    key: str
    version: str
    state: ProgrammeState
    family: Family
    form: Form
    loop: CloseTheLoop
    breakdown: tuple[str, ...]
    stage: str
    open_for_days: int


@dataclass(frozen=True, slots=True)
class Who:
    """Who answered, as far as it is known; `person` is sealed. Without `identified` the id is a stand-in."""

    contact_id: UUID
    identified: bool = False
    person: str = ""
    somebody: Somebody | None = None
    account: AccountChanged | None = None


def unfit(rule: FormRule, programme: KnownProgramme) -> Trouble | None:
    """Why no answer to a form may count in its programme."""
    if programme.state in _SILENT:
        reason = f"{programme.key} is {programme.state}"
        return Trouble("programme", reason, "Name a programme that asks, or make it active.")
    found = misfits(rule, programme.form)
    if not found:
        return None
    return Trouble(".".join(found[0].place), found[0].reason, found[0].what_to_do)


def snapshot_for(programme: KnownProgramme, rule: FormRule, read: Read, who: Who) -> Snapshot:
    """What is known of an answer; the directory knows better than the form whose company somebody is of."""
    somebody = who.somebody
    account = (somebody.account if somebody else None) or who.account
    plain = Snapshot(
        programme=programme.key,
        version=programme.version,
        family=programme.family,
        touchpoint=TOUCHPOINT,
        contact_id=str(who.contact_id),
        persona=somebody.persona if somebody else None,
        job_function=somebody.job_function if somebody else "",
        product=read.product,
        service_type=read.service_type,
        locale=rule.locale,
        channel=Channel.FORM,
        stage=programme.stage,
        subject_kind=read.subject_kind,
        subject_id=read.subject_id,
        context=dict(read.context),
        breakdown=programme.breakdown,
    )
    return plain.model_copy(update=facts_of(account)) if account else plain


def loop_for(programme: KnownProgramme, rule: FormRule, read: Read, who: Who, now: datetime) -> CloseTheLoop:
    """What follows an answer.

    No ticket where neither person nor company is known: nobody could close it. None, and no task, for what
    was answered so long ago that nobody waits for a call any more.
    """
    if now - read.at > timedelta(days=rule.care_within_days):
        quiet = {"ticket": False, "unhappy_task": "", "neutral_task": "", "happy_task": ""}
        return programme.loop.model_copy(update=quiet)
    known = who.identified or who.account is not None
    return programme.loop if known else programme.loop.model_copy(update={"ticket": False})
