"""Each row of the touchpoint catalogue, and each of its variants: event, plan, gate, request.

What the guides say stands in the rows below, apart from the programmes: who is asked out of all who are
there, after how long in their own calendar, by which kind of question, and with which "why" to which score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.collector.domain.answers import is_asked
from services.trigger.domain.backtest.people import People
from services.trigger.domain.backtest.simulation import Simulation
from services.trigger.domain.model import Decision, Plan
from services.trigger.domain.programme import Edition, edition_of, resolve
from services.trigger.domain.survey import Request, survey_of
from services.trigger.domain.timing import WEEKDAYS
from services.trigger.domain.when import BY_HAND
from shared.config.documents import read_documents
from shared.contracts.forms import SCALES, Form, Question, QuestionType
from shared.contracts.reasons import Outcome
from shared.contracts.surveys import SurveyRequested
from shared.contracts.touchpoints import Touchpoint
from tests.unit.trigger.support import ORGANISATION

FOLDER = Path(__file__).parents[3] / "programmes" / "presets"
NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
"""A Monday two weeks before the clocks of Europe change, and after those of America did."""
STARTED = date(2026, 2, 1)
RENEWS = date(2026, 9, 30)
LOCALES = ("en", "es", "sv")
ZONES = {"boss": "Europe/Madrid", "user": "Europe/Stockholm", "clerk": "America/New_York"}
PEOPLE: dict[str, dict[str, str]] = {
    "boss": {"persona": "decision_maker", "job_function": "management", "role": "stakeholder"},
    "user": {"persona": "user", "job_function": "engineering", "role": "main_contact"},
    "clerk": {"persona": "user", "job_function": "finance", "role": "observer"},
    "small": {"persona": "decision_maker", "job_function": "management", "role": "stakeholder"},
}
"""Three of a key account, and one who decides at a small one."""

ALL, BOSS, USERS = {"boss", "user", "clerk"}, {"boss"}, {"user", "clerk"}
REASONS = {
    QuestionType.NPS: (range(7), range(7, 9), range(9, 11)),
    QuestionType.CSAT: (range(1, 3), range(3, 4), range(4, 6)),
    QuestionType.CES: (range(1, 4), range(4, 6), range(6, 8)),
}
"""The groups of a score, unhappy first, as the guides have them."""


@dataclass(frozen=True)
class Row:
    """What a guide says of a touchpoint; `after` in days, months or hours: `14d`, `6mo`, `24h`."""

    numbers: tuple[str, ...]
    key: str
    asks: set[str]
    kind: str
    after: str = ""
    events: tuple[str, ...] = ()
    variant: str = ""
    about: str = ""
    named: tuple[str, ...] = ("user",)
    roles: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    every: int = 0
    before: int = 0


def of_event(number: str, key: str, event: str, after: str, kind: str, **more: Any) -> Row:
    """After something happened to whom the event names."""
    return Row((number,), key, more.pop("asks", {"user"}), kind, after, (event,), **more)


def series(number: str, key: str, months: int, asks: set[str], **more: Any) -> Row:
    """Again and again at an account, everybody on a day of their own."""
    return Row((number,), key, asks, "nps", every=months, **more)


def ticket(
    number: str, key: str, kind: str = "csat", event: str = "support_ticket.resolved", **more: Any
) -> Row:
    return of_event(number, key, event, "24h", kind, about="ticket", **more)


DONE, THERE = "project.completed", ("boss", "user", "clerk")
ROWS = [
    of_event("R11", "saas-onboarding", "customer.signed_up", "14d", "ces"),
    of_event("R11", "saas-onboarding", "customer.signed_up", "14d", "csat", variant="csat"),
    ticket("R12", "saas-support"),
    of_event("R13", "saas-new-feature", "feature.released", "7d", "csat", about="feature", named=(),
             facts={"product": "CRM"}, asks=USERS),
    series("R14", "saas-relationship-users", 3, USERS),
    series("R14", "saas-relationship-decision-makers", 6, BOSS | {"small"}),
    of_event("R15", "manufacturing-delivery", "order.delivered", "2h", "csat", about="order"),
    of_event("R16", "manufacturing-purchase", "purchase.completed", "6mo", "csat", about="order"),
    ticket("R17", "manufacturing-support"),
    series("R18", "manufacturing-relationship", 6, BOSS | {"small"}),
    of_event("R19", "marketing-project-end", DONE, "2d", "nps", about="project", named=THERE, asks=ALL),
    of_event("R19", "marketing-project-end", DONE, "3mo", "nps", about="project", named=THERE, asks=ALL,
             variant="after-3-months"),
    of_event("R19", "marketing-project-end", DONE, "6mo", "nps", about="project", named=THERE, asks=ALL,
             variant="after-6-months"),
    of_event("R20", "marketing-long-project", "project.started", "6mo", "nps", about="project", named=THERE,
             asks=ALL),
    of_event("R20", "marketing-long-project", DONE, "6mo", "nps", about="project", named=THERE, asks=ALL,
             variant="after"),
    of_event("R21", "fintech-onboarding", "integration.completed", "3d", "csat", named=THERE),
    of_event("R21", "fintech-onboarding", "customer.signed_up", "3d", "csat", named=THERE),
    of_event("R21", "fintech-onboarding", "integration.completed", "3d", "nps", named=THERE, variant="nps"),
    Row(("R22",), "fintech-first-transactions", {"clerk"}, "csat", "24h", ("transaction.completed",) * 3,
        named=THERE),
    of_event("R23", "fintech-usage", "customer.signed_up", "3mo", "csat", named=THERE, asks=USERS),
    ticket("R24", "fintech-incident", event="incident.resolved", named=THERE, roles={"clerk": "reporter"},
           asks={"clerk"}),
    series("R25", "fintech-relationship", 3, BOSS | {"small"}),
    series("R25", "fintech-relationship", 6, ALL | {"small"}, variant="half-yearly-with-users"),
    of_event("R26", "logistics-delivery", "order.delivered", "0h", "csat", about="order", named=THERE,
             roles={"clerk": "receiver"}, asks={"clerk"}),
    of_event("R27", "logistics-tracking", "tracking.viewed", "1h", "ces", about="order"),
    ticket("R28", "logistics-claim", event="claim.resolved"),
    series("R29", "logistics-relationship", 6, BOSS),
    Row(("R29",), "logistics-relationship", BOSS, "nps", "0h", (BY_HAND,), variant="on-request", named=THERE),
    of_event("R29", "logistics-relationship", "account.updated", "14d", "nps", variant="account-management",
             named=(), asks=BOSS, facts={"phase": "account_management"}),
    of_event("R30", "services-service-end", "service.completed", "24h", "csat"),
    of_event("R30", "services-project-end", DONE, "3d", "csat", about="project", named=THERE,
             asks={"boss", "user"}),
    of_event("R30", "services-project-end", DONE, "3d", "nps", about="project", named=THERE,
             asks={"boss", "user"}, variant="nps"),
    of_event("R31", "services-progress", "project.started", "1mo", "nps", about="project", named=THERE),
    of_event("R31", "services-progress", "project.started", "3mo", "nps", about="project", named=THERE,
             variant="quarterly"),
    ticket("R32", "services-support"),
    series("R33", "services-relationship", 12, BOSS | {"small"}),
    series("R33", "services-relationship", 3, BOSS | {"small"}, variant="every-3-months"),
    series("R33", "services-relationship", 6, BOSS | {"small"}, variant="every-6-months"),
    of_event("R34", "billing-implementation", "implementation.completed", "30d", "nps"),
    of_event("R34", "billing-first-cycle", "billing_cycle.closed", "2d", "nps"),
    ticket("R34", "billing-support", "nps"),
    Row(("R34",), "billing-renewal", BOSS, "nps", before=90),
    Row(("R35",), "any-renewal", BOSS, "nps", before=60),
    Row(("R36",), "any-deal-closed", {"user"}, "nps", "0h", (BY_HAND,)),
    of_event("R36", "any-first-use", "feature.first_used", "24h", "nps"),
    of_event("R78", "any-after-recovery", "support.contacted", "2h", "csat"),
    ticket("R89", "any-support-effort", "ces"),
    of_event("R89", "any-buying", "purchase.completed", "2d", "ces", about="order"),
    of_event("R89", "any-buying", "purchase.completed", "2d", "csat", about="order", variant="csat"),
    of_event("R90", "medical-delivery", "order.delivered", "2h", "csat", about="order"),
    ticket("R90", "medical-support"),
    series("R90", "medical-relationship", 6, ALL | {"small"}),
    of_event("R90", "advisory-onboarding", "contract.signed", "1mo", "csat"),
    of_event("R90", "advisory-review", "service.completed", "24h", "csat"),
    series("R90", "advisory-relationship", 6, ALL | {"small"}),
    of_event("R90", "retail-delivery", "order.delivered", "2h", "csat", about="order"),
    ticket("R90", "retail-claim", event="claim.resolved"),
    series("R90", "retail-relationship", 3, ALL | {"small"}),
]  # fmt: skip


@cache
def definitions() -> dict[str, dict[str, Any]]:
    files = [path for path in sorted(FOLDER.glob("*.yaml")) if path.stem != "groups"]
    return {doc.data["key"]: doc.data for path in files for doc in read_documents(path.read_text("utf-8"))}


@dataclass
class Asked:
    """Who was asked: when, by which plan, and with what."""

    at: datetime
    plan: Plan
    survey: SurveyRequested


class Town:
    """The people of the rows, in a simulation of trigger, and what one programme asks of them."""

    def __init__(self, of: Edition, locale: str, roles: dict[str, str]) -> None:
        self.of, self.locale, self.roles = of, locale, roles
        self.asked: dict[str, Asked] = {}
        self.simulation = Simulation([of], ORGANISATION, self._note, People())

    def _note(self, at: datetime, decision: Decision) -> None:
        if decision.outcome is not Outcome.REQUESTED or decision.step:
            return
        state = self.simulation
        assert decision.plan_id is not None
        assert decision.contact_id is not None
        plan = state.diary.book.plans[decision.plan_id]
        contact = state.people.contacts[decision.contact_id]
        account = state.people.accounts[plan.account_id] if plan.account_id else None
        survey = survey_of(Request(plan, self.of, contact, account, ORGANISATION), at)
        self.asked.setdefault(contact.external_id, Asked(at, plan, survey))

    def person(self, name: str) -> dict[str, str]:
        told = PEOPLE[name] | {"role": self.roles.get(name, PEOPLE[name]["role"])}
        zone = ZONES.get(name, "Asia/Tokyo")
        return {"id": name, "email": f"{name}@kund.example", "locale": self.locale, "zone": zone, **told}

    def happen(self, kind: str, number: int = 0, at: datetime = NOW, **data: Any) -> None:
        told = Touchpoint.model_validate({"occurred_at": at, **data})
        self.simulation.happen(kind, "/crm", f"{kind}-{number}-{at.isoformat()}", told, at)

    def company(self, name: str = "kund", **more: Any) -> dict[str, Any]:
        tier = "small" if name == "small" else "key"
        owner = "Rita Berg <rita@nordlicht.example>"
        return {"id": name, "name": name.title(), "tier": tier, "started_on": STARTED, "owner": owner, **more}

    def settle(self) -> None:
        """Everybody is known from before, as a customer and as a user of the product."""
        early = NOW - timedelta(days=20)
        for name in PEOPLE:
            about = {"contact": self.person(name) | {"role": ""}, "account": self.company(_home(name))}
            self.happen("product.used", 0, early, product="CRM", **about)


def _home(name: str) -> str:
    return "small" if name == "small" else "kund"


def play(row: Row, locale: str) -> dict[str, Asked]:
    of = edition_of(resolve(definitions()[row.key], row.variant))
    town = Town(of, locale, row.roles)
    town.settle()
    facts = dict(row.facts)
    phase = {"phase": facts.pop("phase")} if "phase" in facts else {}
    if row.about:
        facts["subject"] = {"kind": row.about, "id": "77"}
    if row.before:
        town.happen("contract.renewal_date_set", account=town.company(), renewal_on=RENEWS)
    for number, kind in enumerate(row.events):
        folk = [town.person(name) for name in row.named]
        if kind == BY_HAND:
            facts["context"] = {"programme": row.key}
        account: dict[str, Any] = {} if kind == "feature.released" else {"account": town.company(**phase)}
        town.happen(kind, number, contacts=folk, **account, **facts)
    town.simulation.until(NOW + timedelta(days=760))
    return town.asked


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row,
            id=f"{row.numbers[0]}-{row.key}-{row.variant or 'plain'}-{(row.events or ('date',))[0]}",
            marks=pytest.mark.requirement(*row.numbers, "R38", "R47"),
        )
        for row in ROWS
    ],
)
def test_a_row_asks_whom_it_means_when_it_should_with_its_own_questions(row: Row, locale: str) -> None:
    asked = play(row, locale)
    drawn = row.key == "saas-new-feature"  # every second user, drawn by their ids
    assert asked.keys() <= row.asks if drawn else asked.keys() == row.asks
    assert asked
    for name, one in asked.items():
        assert one.survey.snapshot.locale == locale
        assert one.survey.form.primary == row.kind
        _in_time(row, name, one)
        _asks_each_group_its_own_why(one.survey.form, locale)
        for text in (one.survey.letter.subject, one.survey.letter.intro, one.survey.form.title):
            assert text[locale].strip()


def _in_time(row: Row, name: str, one: Asked) -> None:
    """In the person's own calendar, never early, and in the hours that the programme keeps."""
    zone = ZoneInfo(ZONES.get(name, "Asia/Tokyo"))
    due = one.plan.first_due_at.astimezone(zone)
    if row.every:
        assert _months(STARTED, row.every) <= due.date() < _months(STARTED, 2 * row.every)
    elif row.before:
        assert due.date() == RENEWS - timedelta(days=row.before)
    elif row.after.endswith("h"):
        assert one.plan.first_due_at == NOW + timedelta(hours=int(row.after[:-1]))
    else:
        told = NOW.astimezone(zone)
        days, months = _read(row.after)
        assert due.date() == _months(told.date(), months) + timedelta(days=days)
        assert due.time() == told.time(), "the clock at the recipient stays, whatever clocks changed"
    assert one.plan.first_due_at <= one.at < one.plan.stale_at
    _in_its_hours(one, zone)


def _in_its_hours(one: Asked, zone: ZoneInfo) -> None:
    hours = one.survey.send_hours
    if hours is None:
        assert one.at == one.plan.first_due_at, "at any time means at once"
        return
    here = one.at.astimezone(zone)
    assert here.weekday() in hours.days, WEEKDAYS[here.weekday()]
    assert hours.opens <= here.hour * 60 + here.minute < hours.closes


def _read(text: str) -> tuple[int, int]:
    return (0, int(text[:-2])) if text.endswith("mo") else (int(text[:-1]), 0)


def _months(day: date, number: int) -> date:
    index = day.year * 12 + day.month - 1 + number
    return day.replace(year=index // 12, month=index % 12 + 1)


def _asks_each_group_its_own_why(form: Form, locale: str) -> None:
    """R38: one open question for each score, another one for each group, in the reader's language."""
    core = next(question for question in form.questions if question.id == form.primary)
    lowest, highest = SCALES[core.type]
    why = {score: _why(form, core, score) for score in range(lowest, highest + 1)}
    asked = []
    for group in REASONS[core.type]:
        (only,) = {question.id: question for score in group for question in why[score]}.values()
        assert all(len(why[score]) == 1 for score in group)
        asked.append(only.text[locale])
    assert len(set(asked)) == len(REASONS[core.type])
    assert form.low == max(REASONS[core.type][0])
    calls = [score for score in why if any(q.id == "call_me" for q in _shown(form, core, score))]
    assert calls == list(REASONS[core.type][0]), "whoever is unhappy is offered a call"


def _shown(form: Form, core: Question, score: int) -> Iterator[Question]:
    return (q for q in form.questions if is_asked(q, {core.id: score}.get))


def _why(form: Form, core: Question, score: int) -> list[Question]:
    return [question for question in _shown(form, core, score) if question.type is QuestionType.TEXT]


def test_every_preset_and_every_variant_has_its_row() -> None:
    written = {(key, name) for key, data in definitions().items() for name in ("", *data.get("variants", {}))}
    assert {(row.key, row.variant) for row in ROWS} == written


@pytest.mark.requirement("R29")
def test_an_account_that_is_not_in_account_management_is_not_asked_about_it() -> None:
    of = edition_of(resolve(definitions()["logistics-relationship"], "account-management"))
    town = Town(of, "en", {})
    town.settle()
    town.happen("account.updated", account=town.company(phase="sales"))
    town.happen("account.updated", 1, account=town.company("small", phase="account_management"))
    town.simulation.until(NOW + timedelta(days=60))
    assert town.asked == {}


@pytest.mark.requirement("R22")
def test_two_transactions_are_no_first_transactions() -> None:
    town = Town(edition_of(definitions()["fintech-first-transactions"]), "en", {})
    town.settle()
    for number in range(2):
        town.happen("transaction.completed", number, contact=town.person("clerk"), account=town.company())
    town.simulation.until(NOW + timedelta(days=60))
    assert town.asked == {}


@pytest.mark.requirement("R30", "R90")
@pytest.mark.parametrize("key", ["services-service-end", "advisory-review"])
def test_the_end_of_a_later_service_is_asked_about_too(key: str) -> None:
    town = Town(edition_of(definitions()[key]), "en", {})
    town.settle()
    asked = []
    for number in range(3):
        at = NOW + timedelta(days=60 * number)
        town.simulation.until(at)
        town.happen("service.completed", number, at, contact=town.person("user"), account=town.company())
        town.simulation.until(at + timedelta(days=30))
        asked.append(town.asked.pop("user").at)
    assert len(asked) == 3
