"""Every kind of moment and audience, from an event to the request, on a real database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.trigger.store import programmes as store
from services.trigger.worker.publisher import Publisher
from shared.contracts.programmes import ProgrammePublished
from shared.contracts.surveys import SurveyRequested
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.roles import Role, Scope
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.databases import OpenDatabase
from tests.support.trigger import DEFAULTS, World, begin, site_of

ACME = {"id": "a1", "name": "Acme", "owner": "rita@nordlicht.example"}
COMMON = """
title: {en: T, es: T, sv: T}
letter: {subject: {en: S, es: S, sv: S}, intro: {en: I, es: I, sv: I}}
primary: csat
questions:
  - id: csat
    type: csat
    text: {en: Q, es: Q, sv: Q}
    low_label: {en: L, es: L, sv: L}
    high_label: {en: H, es: H, sv: H}
  - {id: why, type: text, optional: true, text: {en: W, es: W, sv: W}}
"""
RULES = {
    "third": """
family: transactional
when: {touchpoint: transaction.completed, nth: 3, per: contact, fresh_for: 5d}
send: {window: anytime}
quarantine: {contact: 1d}
""",
    "progress": """
family: progress
when: {every: 1mo, anchor: project.started, until: project.completed, per: project, fresh_for: 7d}
audience: {who: project, role: [main_contact]}
send: {window: anytime}
quarantine: {contact: 7d}
""",
    "quarterly": """
family: relationship
group: keep
when: {every: 3mo, anchor: account.start, until: [account.churned], per: account, fresh_for: 30d}
audience: {who: account, max_per_account: 2, coverage: {decision_maker: 1, user: 1}}
send: {window: anytime}
quarantine: {contact: 7d}
""",
    "release": """
family: transactional
when: {touchpoint: feature.released, delay: 7d, per: product, fresh_for: 10d}
audience: {who: product}
send: {window: anytime}
quarantine: {contact: 1d}
""",
    "deal": """
family: transactional
when: {on: manual, fresh_for: 7d}
send: {window: anytime, deliver_to: owner}
quarantine: {contact: 1d}
""",
    "careful": """
family: transactional
when:
  touchpoint: order.delivered
  per: order
  hold_while: [dunning, {name: audit, from: audit.started, until: audit.ended}]
  fresh_for: 20d
send: {window: anytime}
quarantine: {contact: 1d}
""",
}
GROUPS = """
groups:
  keep:
    title: {en: Keep customers, es: Conservar clientes, sv: Behåll kunder}
    objective: churn
    secondary: [experience]
    goal: {metric: cancellations, change: "-30%", baseline: 6mo, by: 2027-06-30}
"""


def person(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "email": f"{name}@kund.example", "zone": "Europe/Stockholm", **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "own"
    made.mkdir()
    for key, rules in RULES.items():
        (made / f"{key}.yaml").write_text(f"key: {key}\n{rules}{COMMON}")
    (made / "groups.yaml").write_text(GROUPS)
    return made


@pytest.fixture
async def own(database: OpenDatabase, clock: FixedClock, sealer: Sealer, folder: Path) -> World:
    world = await begin(await database("trigger"), clock, sealer, folder)
    async with world.db.read() as conn:
        assert [f for f in await store.findings(conn) if f.severity == "error"] == []
    return world


async def asked(world: World, programme: str) -> list[str]:
    """Backend ids of whom a programme asked, in order."""
    surveys = [s for s in await world.said(SurveyRequested) if s.snapshot.programme == programme]
    async with world.db.read() as conn:
        rows = await conn.fetch("select id::text as id, external_id from contacts")
    names = {row["id"]: row["external_id"] for row in rows}
    await world.books()
    return [names[s.snapshot.contact_id] for s in surveys]


async def test_the_third_transaction_is_asked_about_and_the_count_survives_batches(own: World) -> None:
    for number in range(5):
        await own.tell("transaction.completed", contact=person("ann"), account=ACME)
        await own.due()
        assert len(await asked(own, "third")) == (1 if number >= 2 else 0)
    assert (await own.reasons()).count(("not_matched", "filtered")) == 4


@pytest.mark.requirement("R31")
async def test_a_project_is_asked_about_every_month_until_it_is_over(own: World) -> None:
    project: dict[str, Any] = {"subject": {"kind": "project", "id": "p1"}, "account": ACME}
    people = [person("boss", role="main_contact"), person("dev", role="participant")]
    await own.tell("project.started", contacts=people, **project)
    await own.until(own.clock.now() + timedelta(days=100))
    assert await asked(own, "progress") == ["boss"] * 3
    await own.tell("project.completed", contact=people[0], **project)
    await own.later(days=90)
    assert await asked(own, "progress") == ["boss"] * 3


@pytest.mark.requirement("R14", "R53", "R59")
async def test_an_account_is_asked_every_quarter_in_turns_with_both_personas(own: World) -> None:
    boss = person("boss", persona="decision_maker")
    users = [person(f"user{n}", persona="user") for n in range(3)]
    account = {**ACME, "started_on": date(2026, 2, 1)}
    await own.tell("account.updated", contacts=[boss, *users], account=account)
    await own.until(datetime(2027, 2, 20, tzinfo=UTC))
    names = await asked(own, "quarterly")
    assert names.count("boss") == 3
    assert sorted(n for n in names if n != "boss") == ["user0", "user1", "user2"]
    await own.tell("account.churned", account=ACME)
    await own.until(datetime(2027, 12, 1, tzinfo=UTC))
    assert len([n for n in await asked(own, "quarterly") if n == "boss"]) <= 4


async def test_accounts_known_before_a_series_get_it_when_it_is_published(
    database: OpenDatabase, clock: FixedClock, sealer: Sealer, folder: Path
) -> None:
    text = (folder / "quarterly.yaml").read_text()
    (folder / "quarterly.yaml").unlink()
    world = await begin(await database("trigger"), clock, sealer, folder)
    for number in range(3):
        account = {"id": f"a{number}", "started_on": date(2026, 1, 1 + number)}
        await world.tell("account.updated", contact=person(f"p{number}"), account=account)
    (folder / "quarterly.yaml").write_text(text)
    assert await world.publisher.run() == 1
    assert await world.publisher.run() == 3
    assert await world.publisher.run() == 0
    other = Publisher(world.db, folder, DEFAULTS)
    assert await other.run() == 0
    await world.until(datetime(2026, 7, 31, tzinfo=UTC))
    assert sorted(await asked(world, "quarterly")) == ["p0", "p1", "p2"]


@pytest.mark.requirement("R13")
async def test_a_release_is_asked_of_those_who_use_the_product(own: World) -> None:
    await own.tell("product.used", contact=person("ann"), account=ACME, product="Cloud")
    await own.tell("product.used", contact=person("bob"), account={"id": "a2"}, product="Cloud")
    await own.tell("product.used", contact=person("cid"), account={"id": "a2"}, product="Other")
    for feature in ("f1", "f2"):
        await own.tell("feature.released", product="Cloud", subject={"kind": "feature", "id": feature})
    await own.later(days=7)
    assert sorted(await asked(own, "release")) == ["ann", "bob"]
    assert (await own.books()).suppressed == {}
    await own.later(days=2)
    assert sorted(await asked(own, "release")) == ["ann", "ann", "bob", "bob"]


async def test_a_hold_of_ones_own_waits_until_it_is_released(own: World) -> None:
    for begins, ends in (("audit.started", "audit.ended"), ("invoice.overdue", "invoice.paid")):
        await own.tell(begins, account=ACME, subject={"kind": "invoice", "id": "i1"})
        await own.tell(
            "order.delivered", contact=person("ann"), account=ACME, subject={"kind": "order", "id": begins}
        )
        before = len(await asked(own, "careful"))
        await own.later(days=2)
        assert len(await asked(own, "careful")) == before
        await own.tell(ends, account=ACME, subject={"kind": "invoice", "id": "i1"})
        await own.later(days=2)
        assert len(await asked(own, "careful")) == before + 1


@pytest.mark.requirement("R29", "R36")
async def test_a_rep_asks_by_hand_and_the_gate_applies(
    own: World, machine: FakeMachine, tokens: Tokens
) -> None:
    site = site_of(own, machine, tokens)
    body = {"people": [{"email": "ann@kund.example", "account": "a1"}, {"email": "x@nordlicht.example"}]}
    await own.tell("account.updated", contact=person("ann"), account=ACME)
    async with await site.with_key(Scope.TOUCHPOINTS_WRITE) as client:
        first = await client.post("/v1/programmes/deal/asks", json=body, headers={"idempotency-key": "k1"})
        again = await client.post("/v1/programmes/deal/asks", json=body, headers={"idempotency-key": "k1"})
        assert (first.status_code, first.json()["accepted"], again.json()["duplicate"]) == (202, 2, 2)
        assert (await client.post("/v1/programmes/third/asks", json=body)).status_code == 409
        assert (await client.post("/v1/programmes/nothing/asks", json=body)).status_code == 409
        assert (await client.post("/v1/programmes/deal/asks", json={"people": [{}]})).status_code == 422
    async with await site.with_key(Scope.SCORES_READ) as client:
        assert (await client.post("/v1/programmes/deal/asks", json=body)).status_code == 403


async def test_groups_travel_with_their_programmes(own: World, folder: Path) -> None:
    told = {p.programme: p for p in await own.said(ProgrammePublished)}
    assert told["quarterly"].group["objective"] == "churn"
    assert told["third"].group == {}
    (folder / "groups.yaml").write_text(GROUPS.replace("-30%", "-40%"))
    assert await own.publisher.run() == 1
    newest = (await own.said(ProgrammePublished))[-1]
    assert (newest.programme, newest.revision, newest.group["goal"]["change"]) == ("quarterly", 2, "-40%")
    (folder / "groups.yaml").write_text(GROUPS.replace("churn", "chrun"))
    assert await own.publisher.run() == 0
    async with own.db.read() as conn:
        (finding,) = [f for f in await store.findings(conn) if f.severity == "error"]
        assert (finding.file, finding.path) == ("groups.yaml", "groups.keep.objective")
        assert (await store.groups(conn))["keep"]["goal"]["change"] == "-40%"


@pytest.mark.requirement("R87")
async def test_the_journey_page_shows_programmes_by_stage(
    own: World, machine: FakeMachine, tokens: Tokens
) -> None:
    async with await site_of(own, machine, tokens).signed_in(Role.VIEWER) as client:
        shown = await client.get("/programmes/journey")
    assert shown.status_code == 200
    for words in ("every 3mo from account.start", "keep: churn", "when somebody asks for it"):
        assert words in shown.text
