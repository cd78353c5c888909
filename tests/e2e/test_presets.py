"""Each row of the touchpoint catalogue through all five services: event, mail, unhappy answer, ticket.

All presets are played, an industry at a time, before the first test looks at what became of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.trigger.domain.by_hand import AskedByHand
from services.trigger.domain.programme import Programme, edition_of
from services.trigger.domain.timing import WEEKDAYS
from services.trigger.handlers.asking import ask_by_hand
from shared.config.documents import read_documents
from shared.embedded.postgres import PostgresAddress
from tests.support.books import balanced
from tests.support.databases import SERVICES, cloned, ensure_template
from tests.support.house import House, opened, someone
from tests.support.postbox import Mail
from tests.support.rooms import ROOT
from tests.support.townsfolk import answer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("presets"),
]

PRESETS = ROOT / "programmes" / "presets"
START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
NUMBERS = {
    "saas-onboarding": ("R11", "R79"), "saas-support": ("R12",), "saas-new-feature": ("R13",),
    "saas-relationship-users": ("R14",), "saas-relationship-decision-makers": ("R14", "R59"),
    "manufacturing-delivery": ("R15",), "manufacturing-purchase": ("R16",), "manufacturing-support": ("R17",),
    "manufacturing-relationship": ("R18",), "marketing-project-end": ("R19",),
    "marketing-long-project": ("R20",), "fintech-onboarding": ("R21",),
    "fintech-first-transactions": ("R22",),
    "fintech-usage": ("R23",), "fintech-incident": ("R24",), "fintech-relationship": ("R25",),
    "logistics-delivery": ("R26",), "logistics-tracking": ("R27",), "logistics-claim": ("R28",),
    "logistics-relationship": ("R29", "R60"), "services-service-end": ("R30",),
    "services-project-end": ("R30",), "services-progress": ("R31",), "services-support": ("R32",),
    "services-relationship": ("R33",), "billing-implementation": ("R34",), "billing-first-cycle": ("R34",),
    "billing-support": ("R34",), "billing-renewal": ("R34",), "any-renewal": ("R35",),
    "any-deal-closed": ("R36",), "any-first-use": ("R36",), "any-support-effort": ("R89",),
    "any-buying": ("R89",), "any-after-recovery": ("R78",), "medical-delivery": ("R90",),
    "medical-support": ("R90",), "medical-relationship": ("R90",), "advisory-onboarding": ("R90",),
    "advisory-review": ("R90",), "advisory-relationship": ("R90",), "retail-delivery": ("R90",),
    "retail-claim": ("R90",), "retail-relationship": ("R90",),
}  # fmt: skip
"""The requirements that each preset stands for."""

SCORES = {"nps": (0, 11), "csat": (1, 6), "ces": (1, 8)}
WORST = {"nps": 0, "csat": 1, "ces": 1}
OWNER = "rita@nordlicht.example"


@dataclass(frozen=True)
class Row:
    """One preset: the events of its touchpoint, who is in them, and how soon it may ask at the earliest."""

    key: str
    kind: str
    events: tuple[str, ...]
    earliest: timedelta
    latest: timedelta
    facts: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)
    locale: str = "en"

    @property
    def who(self) -> dict[str, Any]:
        """The one person of the row's own company."""
        told = {"locale": self.locale, "zone": "Europe/Stockholm", **self.person}
        return someone("ann", self.key, **told)

    @property
    def to(self) -> str:
        """Who gets the mail."""
        return OWNER if self.key == "any-deal-closed" else str(self.who["email"])


def days(number: float) -> timedelta:
    return timedelta(days=number)


def subject(kind: str, ident: str = "77") -> dict[str, Any]:
    return {"subject": {"kind": kind, "id": ident}}


USER, BOSS = {"persona": "user"}, {"persona": "decision_maker"}
SINCE = {"started_on": date(2026, 2, 1)}
TICKET, ORDER, PROJECT = subject("ticket"), subject("order"), subject("project")
QUARTER, HALF, YEAR = days(190), days(380), days(760)


def relation(key: str, every: timedelta, person: dict[str, Any], locale: str = "en", **account: Any) -> Row:
    """A row that begins with an account and asks within two of its periods."""
    return Row(key, "nps", ("account.updated",), days(0), every, {}, person, SINCE | account, locale)


FILES: dict[str, tuple[Row, ...]] = {
    "saas": (
        Row("saas-onboarding", "ces", ("customer.signed_up",), days(14), days(22), {"product": "Cloud"},
            locale="es"),
        Row("saas-support", "csat", ("support_ticket.resolved",), days(1), days(5), TICKET, locale="sv"),
        Row("saas-new-feature", "csat", ("product.used", "feature.released"), days(7), days(14),
            {"product": "Desk", **subject("feature", "f")}, USER),
        relation("saas-relationship-users", QUARTER, USER),
        relation("saas-relationship-decision-makers", HALF, BOSS, "es"),
    ),
    "manufacturing": (
        Row("manufacturing-delivery", "csat", ("order.delivered",), timedelta(hours=2), days(3), ORDER),
        Row("manufacturing-purchase", "csat", ("purchase.completed",), days(180), days(200), ORDER,
            locale="sv"),
        Row("manufacturing-support", "csat", ("support_ticket.resolved",), days(1), days(5), TICKET),
        relation("manufacturing-relationship", HALF, BOSS),
    ),
    "marketing": (
        Row("marketing-project-end", "nps", ("project.completed",), days(2), days(9), PROJECT,
            {"role": "participant"}),
        Row("marketing-long-project", "nps", ("project.started",), days(180), days(200),
            subject("project", "long"),
            {"role": "participant"}),
    ),
    "fintech": (
        Row("fintech-onboarding", "csat", ("integration.completed",), days(3), days(10), {"product": "Pay"},
            {"job_function": "engineering"}),
        Row("fintech-first-transactions", "csat", ("transaction.completed",) * 3, days(1), days(9),
            {"product": "Pay"},
            {"job_function": "finance"}),
        Row("fintech-usage", "csat", ("customer.signed_up",), days(88), days(105), {"product": "Pay"}, USER),
        Row("fintech-incident", "csat", ("incident.resolved",), days(1), days(5), TICKET,
            {"role": "reporter"}),
        relation("fintech-relationship", QUARTER, BOSS, "es"),
    ),
    "logistics": (
        Row("logistics-delivery", "csat", ("order.delivered",), days(0), timedelta(hours=1), ORDER,
            {"role": "receiver"}),
        Row("logistics-tracking", "ces", ("tracking.viewed",), timedelta(hours=1), timedelta(hours=2),
            subject("order", "78")),
        Row("logistics-claim", "csat", ("claim.resolved",), days(1), days(5), TICKET, locale="es"),
        relation("logistics-relationship", HALF, BOSS, tier="key"),
    ),
    "services": (
        Row("services-service-end", "csat", ("service.completed",), days(1), days(5)),
        Row("services-project-end", "csat", ("project.completed",), days(3), days(10), PROJECT,
            {"role": "stakeholder"}),
        Row("services-progress", "nps", ("project.started",), days(28), days(38), subject("project", "p9"),
            {"role": "main_contact"}, locale="sv"),
        Row("services-support", "csat", ("support_ticket.resolved",), days(1), days(5), TICKET),
        relation("services-relationship", YEAR, BOSS),
    ),
    "billing": (
        Row("billing-implementation", "nps", ("implementation.completed",), days(29.9), days(38)),
        Row("billing-first-cycle", "nps", ("billing_cycle.closed",), days(2), days(9)),
        Row("billing-support", "nps", ("support_ticket.resolved",), days(1), days(5), TICKET),
        Row("billing-renewal", "nps", ("contract.renewal_date_set",), days(1), days(40),
            {**subject("contract"), "renews_in": 120}, BOSS),
    ),
    "any": (
        Row("any-renewal", "nps", ("contract.renewal_date_set",), days(29), days(50),
            {**subject("contract"), "renews_in": 90}, BOSS),
        Row("any-first-use", "nps", ("feature.first_used",), days(1), days(5), {"product": "App"}),
        Row("any-support-effort", "ces", ("support_ticket.resolved",), days(1), days(5), TICKET),
        Row("any-buying", "ces", ("purchase.completed",), days(2), days(9), ORDER),
        Row("any-after-recovery", "csat", ("support.contacted",), timedelta(hours=2), days(3),
            subject("ticket", "78")),
        Row("any-deal-closed", "nps", (), days(0), days(1)),
    ),
    "medical-supply": (
        Row("medical-delivery", "csat", ("order.delivered",), timedelta(hours=2), days(3), ORDER),
        Row("medical-support", "csat", ("support_ticket.resolved",), days(1), days(5), TICKET),
        relation("medical-relationship", HALF, USER),
    ),
    "financial-advisory": (
        Row("advisory-onboarding", "csat", ("contract.signed",), days(28), days(38)),
        Row("advisory-review", "csat", ("service.completed",), days(1), days(5)),
        relation("advisory-relationship", HALF, BOSS),
    ),
    "retail-supply-chain": (
        Row("retail-delivery", "csat", ("order.delivered",), timedelta(hours=2), days(3), ORDER),
        Row("retail-claim", "csat", ("claim.resolved",), days(1), days(5), TICKET),
        relation("retail-relationship", QUARTER, BOSS),
    ),
}  # fmt: skip


@dataclass
class Played:
    """What became of a row: when its events were told, its mail, and the tickets that the answer opened."""

    told_at: datetime
    mail: Mail | None = None
    sent_at: datetime | None = None
    tickets: int = 0


@pytest.fixture(scope="module")
def played(
    postgres_server: PostgresAddress, run_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Played]:
    """All presets, each industry in a house of its own."""
    return asyncio.run(_play_all(postgres_server, run_folder, tmp_path_factory.mktemp("presets")))


async def _play_all(server: PostgresAddress, run_folder: Path, folder: Path) -> dict[str, Played]:
    template = await ensure_template(server, SERVICES, run_folder)
    found: dict[str, Played] = {}
    for name, rows in FILES.items():
        own = folder / name
        own.mkdir()
        for file in (f"{name}.yaml", "groups.yaml"):
            (own / file).write_text((PRESETS / file).read_text("utf-8"))
        async with cloned(server, template) as database, opened(database, START, programmes=own) as house:
            found |= await _play(house, rows)
            await balanced(house)
    return found


async def _play(house: House, rows: tuple[Row, ...]) -> dict[str, Played]:
    """Tell the events of an industry, let time pass, and answer every row's mail as badly as can be."""
    found = {row.key: Played(house.clock.now()) for row in rows}
    for row in rows:
        await _tell(house, row)
    end = house.clock.now() + max(row.latest for row in rows)
    await house.settle()
    while missing := [row for row in rows if found[row.key].mail is None]:
        for row in missing:
            if mail := _mail_of(house, row):
                found[row.key].mail, found[row.key].sent_at = mail, house.clock.now()
                await answer(house, mail, WORST[row.kind], why_low="Far too slow.")
        due = await house.next_due()
        if due is None or due > end:
            break
        await house.until(due)
    for row in rows:
        found[row.key].tickets = await house.admin.fetchval(_TICKETS, row.key)
    return found


_TICKETS = """
select count(distinct v.ticket_id) from alerts.voices v
join alerts.answers a on a.response_id = v.response_id
where a.programme = $1 and v.state = 'unhappy'
"""


def _mail_of(house: House, row: Row) -> Mail | None:
    """The mail by which a row's programme asks; other programmes may write to the same person."""
    begins = _programme(row.key).letter.subject[row.locale].partition("{")[0]
    return next((m for m in house.mails(row.to) if m.scores and m.subject.startswith(begins)), None)


async def _tell(house: House, row: Row) -> None:
    account = {"id": row.key, "name": row.key.title(), "owner": OWNER, **row.account}
    facts = dict(row.facts)
    if ahead := facts.pop("renews_in", None):
        facts["renewal_on"] = house.clock.now().date() + timedelta(days=ahead)
    for kind in row.events:
        who: dict[str, Any] = {} if kind == "feature.released" else {"contact": row.who, "account": account}
        await house.tell(kind, **who, **facts)
    if not row.events:
        await house.tell("account.updated", contact=row.who, account=account)
        await house.settle()
        trigger = house.service("trigger").platform
        asked = AskedByHand(email=row.who["email"], account=row.key)
        async with trigger.db.begin() as tx:
            await ask_by_hand(tx, trigger.sealer, row.key, [asked], reference="r1", by="Rita")


@cache
def _programme(key: str) -> Programme:
    for name in FILES:
        for document in read_documents((PRESETS / f"{name}.yaml").read_text("utf-8")):
            if document.data["key"] == key:
                return edition_of(document.data).programme
    raise KeyError(key)


def _marks(key: str) -> list[pytest.MarkDecorator]:
    """The requirements of a row, which its file names beside it."""
    return [pytest.mark.requirement(*NUMBERS[key])]


@pytest.mark.requirement("R37", "R38", "R54", "R72", "R95")
@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.key, marks=_marks(row.key)) for rows in FILES.values() for row in rows]
)
def test_each_row_asks_in_its_time_and_an_unhappy_answer_opens_a_ticket(
    played: dict[str, Played], row: Row
) -> None:
    one = played[row.key]
    assert one.mail is not None, "nobody was asked"
    assert one.sent_at is not None
    assert one.told_at + row.earliest <= one.sent_at <= one.told_at + row.latest
    assert set(one.mail.scores) == set(range(*SCORES[row.kind]))
    assert one.tickets == 1
    window = _programme(row.key).send.window
    if not isinstance(window, str):
        local = one.sent_at.astimezone(ZoneInfo("Europe/Stockholm"))
        assert WEEKDAYS[local.weekday()] in window.days


def test_every_row_of_every_file_is_played() -> None:
    texts = [(PRESETS / f"{name}.yaml").read_text("utf-8") for name in FILES]
    written = {document.data["key"] for text in texts for document in read_documents(text)}
    assert written == {row.key for rows in FILES.values() for row in rows} == NUMBERS.keys()
