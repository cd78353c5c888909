"""A request that passed the gate, as the complete event that dispatch and collector need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parseaddr
from functools import lru_cache
from uuid import UUID

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from services.trigger.domain.model import (
    Account,
    Ask,
    Contact,
    Organisation,
    Plan,
    identity,
    owner_address,
    place_of,
)
from services.trigger.domain.programme import Edition
from services.trigger.domain.timing import end_of
from shared.contracts.forms import Letter
from shared.contracts.model import Channel, Snapshot, dump_part
from shared.contracts.surveys import SendHours, SurveyRequested
from shared.values import altered
from shared.windows import Place, Window

_PASS_ON = {
    "en": "Please pass this on to {name}, {account}: it is their personal link.",
    "es": "Por favor, reenvíe este mensaje a {name}, {account}: el enlace es personal.",
    "sv": "Skicka gärna detta vidare till {name}, {account}: länken är personlig.",
}
"""First line of a mail that the account's owner gets (R36)."""
_LETTERS = 1000
"""Letters of one edition that are kept: one for each sender."""


@dataclass(frozen=True, slots=True)
class Request:
    """One plan that is asked now, with everything known about it."""

    plan: Plan
    edition: Edition
    contact: Contact
    account: Account | None
    organisation: Organisation


def survey_id_of(plan_id: UUID) -> UUID:
    """A plan becomes at most one survey."""
    return identity("survey", plan_id)


def survey_of(request: Request, now: datetime) -> SurveyRequested:
    """The event that asks one person."""
    programme = request.edition.programme
    place = place_of(request.contact, request.account, request.organisation)
    locale = language_for(request.contact.locale, programme.title, request.organisation.locales)
    return SurveyRequested(
        survey_id=str(survey_id_of(request.plan.id)),
        snapshot=snapshot_of(request, locale, str(place.zone)),
        person=request.contact.person,
        form=programme.form,
        letter=letter_of(request),
        channels=programme.send.channels,
        requested_at=now,
        closes_at=end_of(now, programme.send.open_for, place.zone),
        fresh_until=request.plan.stale_at,
        send_hours=send_hours(programme.send.rule, place, outside=programme.send.outside_before_stale),
        close_the_loop=programme.loop,
        slots=slots_of(request, locale),
        pass_on_to=owner_address(request.account) if programme.send.to_owner and request.account else "",
    )


@lru_cache(maxsize=1024)
def send_hours(window: Window | None, place: Place, *, outside: bool) -> SendHours | None:
    """When messages to somebody somewhere may leave; None = at any time."""
    if window is None:
        return None
    return SendHours(
        days=tuple(sorted(window.days)),
        opens=window.opens,
        closes=window.closes,
        zone=str(place.zone),
        country=place.country if window.skip_holidays else "",
        outside_before_stale=outside,
    )


def ask_of(request: Request, survey: SurveyRequested) -> Ask:
    """The reservation that goes with a request; its reminders are planned by the caller."""
    reserved = reservation(request.plan, request.edition, survey.requested_at, survey.closes_at)
    return altered(reserved, snapshot=dump_part(survey.snapshot).decode())


def reservation(plan: Plan, edition: Edition, asked_at: datetime, closes_at: datetime) -> Ask:
    """The place that a plan for one person takes up when it is asked."""
    assert plan.contact_id is not None  # noqa: S101 - audiences are resolved before anybody is asked
    return Ask(
        survey_id=survey_id_of(plan.id),
        plan_id=plan.id,
        programme=edition.key,
        version=edition.version,
        family=edition.programme.family,
        contact_id=plan.contact_id,
        account_id=plan.account_id,
        asked_at=asked_at,
        closes_at=closes_at,
    )


def snapshot_of(request: Request, locale: str, zone: str) -> Snapshot:
    """What is known at the moment of asking; later events carry it unchanged."""
    plan, contact, account = request.plan, request.contact, request.account
    programme = request.edition.programme
    return Snapshot(
        programme=request.edition.key,
        version=request.edition.version,
        family=programme.family,
        touchpoint=plan.moment.touchpoint,
        contact_id=str(contact.id),
        account_id=str(plan.account_id) if plan.account_id else None,
        account_name=account.name if account else "",
        tier=account.tier if account else None,
        industry=account.industry if account else "",
        size=account.size if account else "",
        owner=account.owner if account else "",
        persona=contact.persona,
        job_function=contact.job_function,
        product=plan.moment.product,
        service_type=plan.moment.service_type,
        region=account.region if account else "",
        locale=locale,
        zone=zone,
        channel=programme.send.channels[0] if programme.send.channels else Channel.EMAIL,
        stage=programme.stage,
        subject_kind=plan.moment.subject_kind,
        subject_id=plan.moment.subject_id,
        context=dict(plan.moment.context),
        breakdown=programme.breakdown,
    )


def letter_of(request: Request) -> Letter:
    """The mail's wording under the name of a person (R51)."""
    wording, organisation = request.edition.programme.wording, request.organisation
    name, email = parseaddr(request.edition.programme.send.signed_by(request.contact.persona))
    name = name.replace("{account_owner}", owner_name(request.account) or organisation.sender.name)
    name, email = name or organisation.sender.name, email or organisation.sender.email
    sender = (name, email, organisation.sender.reply_to or email)
    letters = request.edition.programme.letters
    if sender not in letters:
        if request.edition.programme.send.to_owner:
            wording = _passed_on(wording)
        if len(letters) >= _LETTERS:
            letters.clear()
        letters[sender] = wording.model_copy(
            update=dict(zip(("sender_name", "sender_email", "reply_to"), sender, strict=True))
        )
    return letters[sender]


def _passed_on(letter: Letter) -> Letter:
    """The wording for the account's owner, who is to hand the link on."""
    intro = {tag: f"{_PASS_ON.get(tag, _PASS_ON['en'])}\n\n{text}" for tag, text in letter.intro.items()}
    return letter.model_copy(update={"intro": intro})


def slots_of(request: Request, locale: str) -> dict[str, str]:
    """Values of every slot that is not personal; none is ever empty, so that no sentence has a hole."""
    moment, organisation = request.plan.moment, request.organisation
    return {
        "product": moment.product or organisation.name,
        "account": (request.account.name if request.account else "") or organisation.name,
        "organisation": organisation.name,
        "account_owner": owner_name(request.account) or organisation.sender.name,
        "agent": moment.context.get("agent") or organisation.name,
        "subject": moment.subject_id or organisation.name,
        "renewal_date": written_date(moment.renewal_on, locale),
    }


def owner_name(account: Account | None) -> str:
    """An account manager's name, read from the address: `maria.lind@…` signs as Maria Lind."""
    local = account.owner.partition("@")[0] if account and "@" in account.owner else ""
    return " ".join(
        part.capitalize() for part in local.replace("_", ".").replace("-", ".").split(".") if part.isalpha()
    )


def written_date(day: date | None, locale: str) -> str:
    """A date in the words of a language; "" without a date."""
    if day is None:
        return ""
    try:
        return str(format_date(day, "long", locale=Locale.parse(locale, sep="-")))
    except (UnknownLocaleError, ValueError):
        return day.isoformat()


def language_for(wanted: str, texts: dict[str, str], offered: tuple[str, ...]) -> str:
    """The language to write in.

    The person's tag, then its plain language, then the organisation's first one.
    """
    candidates = (wanted, wanted.partition("-")[0].lower(), *offered, *texts)
    return next((tag for tag in candidates if tag in texts), "en")
