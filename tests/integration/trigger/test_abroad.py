"""Whoever takes part in another company's project is foreseen there; a product is everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.trigger.domain.explain import sentence
from services.trigger.domain.model import Decision, account_id
from services.trigger.store import plans
from shared.contracts.surveys import SurveyRequested
from tests.support.trigger import World

pytestmark = pytest.mark.requirement("R53", "R61")
PROGRAMMES: list[dict[str, Any]] = [
    {"key": "small", "priority": 10, "quarantine": {"contact": "5d"},
     "when": {"touchpoint": "order.delivered", "per": "order", "delay": "0h", "fresh_for": "9d"}},
    {"key": "review", "priority": 60, "quarantine": {"contact": "5d"},
     "audience": {"who": "project", "role": ["member"], "tier": ["key"]},
     "when": {"touchpoint": "project.reviewed", "per": "project", "delay": "72h", "fresh_for": "10d",
              "cancel_on": ["project.completed"]}},
    {"key": "release", "quarantine": {"contact": "1d"}, "audience": {"who": "product"},
     "when": {"touchpoint": "release.shipped", "per": "product", "delay": "0h", "fresh_for": "10d"}},
    {"key": "rollout", "quarantine": {"contact": "1d"}, "audience": {"who": "product"},
     "when": {"touchpoint": "product.rolled_out", "per": "account", "delay": "0h", "fresh_for": "10d"}},
]  # fmt: skip
CUSTOMER = {"id": "customer", "name": "Kund", "tier": "key"}
PARTNER = {"id": "partner", "name": "Byrå"}
PROJECT: dict[str, Any] = {"subject": {"kind": "project", "id": "p1"}}


@pytest.fixture
async def world(own_world: World) -> World:
    for who, company in (("anna", CUSTOMER), ("bo", PARTNER), ("cia", PARTNER)):
        person = {"id": who, "email": f"{who}@x.example"}
        await own_world.tell("contact.updated", contact=person, account=company)
    return own_world


async def asked(world: World, programme: str) -> list[SurveyRequested]:
    found = [one for one in await world.said(SurveyRequested) if isinstance(one, SurveyRequested)]
    return [one for one in found if one.snapshot.programme == programme]


def homes(surveys: Sequence[SurveyRequested]) -> list[str]:
    """Of whose account each is, by the account's id with its backend."""
    names = {str(account_id(one["id"])): one["id"] for one in (CUSTOMER, PARTNER)}
    return sorted(names[str(one.snapshot.account_id)] for one in surveys)


async def a_review_is_ahead(world: World) -> None:
    """Bo of the partner is a member of the customer's project, which is reviewed; asked in three days."""
    await world.tell("project.joined", contact={"id": "bo", "role": "member"}, **PROJECT)
    await world.tell("project.reviewed", account={"id": "customer"}, **PROJECT)


async def goods_arrive(world: World) -> None:
    """Both people of the partner get a parcel."""
    for who in ("bo", "cia"):
        order = {"kind": "order", "id": f"o-{who}"}
        await world.tell("order.delivered", contact={"id": who}, account={"id": "partner"}, subject=order)
    await world.due()


async def waiting(world: World) -> list[Decision]:
    return [e.decision for e in await world.ledger() if e.decision.reason == "outranked"]


async def test_a_small_question_waits_for_the_project_of_another_company_that_its_person_works_in(
    world: World,
) -> None:
    await a_review_is_ahead(world)
    await goods_arrive(world)
    assert len(await asked(world, "small")) == 1, "the colleague who is no member"
    (wait,) = await waiting(world)
    assert "review" in sentence(wait)
    await world.until(world.clock.now() + timedelta(days=3, hours=1))
    (review,) = await asked(world, "review")
    assert review.snapshot.contact_id == str(wait.contact_id)
    assert homes([review]) == ["customer"]
    await world.until(world.clock.now() + timedelta(days=5, hours=1))
    small = [one.snapshot.contact_id for one in await asked(world, "small")]
    assert small.count(str(wait.contact_id)) == 1, "their own question comes after the quarantine"


async def test_who_waited_for_a_project_that_is_not_asked_about_is_asked_on_its_day(world: World) -> None:
    await a_review_is_ahead(world)
    await goods_arrive(world)
    await world.later(days=1)
    await world.tell("project.completed", account={"id": "customer"}, **PROJECT)
    await world.until(world.clock.now() + timedelta(days=2, hours=1))
    assert len(await asked(world, "small")) == 2
    assert await asked(world, "review") == []


async def test_an_audience_that_leaves_the_other_company_out_keeps_nobody_back(world: World) -> None:
    await world.tell("account.updated", account={**CUSTOMER, "tier": "small"})
    await a_review_is_ahead(world)
    await goods_arrive(world)
    assert len(await asked(world, "small")) == 2


@pytest.mark.requirement("R13")
async def test_a_release_told_at_one_customer_is_asked_of_every_user_as_of_their_own_company(
    world: World,
) -> None:
    for who in ("anna", "bo"):
        await world.tell("product.used", contact={"id": who}, product="crm")
    await world.tell("release.shipped", account={"id": "customer"}, product="crm")
    await world.due()
    assert homes(await asked(world, "release")) == ["customer", "partner"]


@pytest.mark.requirement("R23")
async def test_what_is_rolled_out_to_one_company_is_asked_of_its_own_users_alone(world: World) -> None:
    for who in ("anna", "bo"):
        await world.tell("product.used", contact={"id": who}, product="crm")
    await world.tell("product.rolled_out", account={"id": "customer"}, product="crm")
    await world.due()
    assert homes(await asked(world, "rollout")) == ["customer"]


_MANY = """
insert into plans (id, programme, version, subject, occurrence, account_id, moment, first_due_at, due_at,
    stale_at, state, priority, event_id)
select gen_random_uuid(), 'review', 'v', 'project:' || n, 1, md5((n / 4)::text)::uuid,
    jsonb_build_object('subject_kind', 'project', 'subject_id', n::text), at, at, at, 'pending', 50, ''
from generate_series(1, 20000) as n cross join lateral (select now() + n * interval '1 minute' as at) d
"""


async def test_projects_of_others_are_found_by_their_index(world: World) -> None:
    await a_review_is_ahead(world)
    async with world.db.begin() as tx:
        await tx.conn.execute(_MANY)
        await tx.conn.execute("analyze plans")
        people = [row["contact_id"] for row in await tx.conn.fetch("select contact_id from participants")]
        until = datetime(2099, 1, 1, tzinfo=UTC)
        lines = await tx.conn.fetch(f"explain {plans.AUDIENCES}", [], until, people)
    assert any("plans_abroad" in line[0] for line in lines), lines
