"""The ledger has an answer for everybody of the demo: each event, each person in it, each programme."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from demo.chance import Chance
from demo.explained import UNEXPLAINED
from demo.story import Happening, story
from demo.world import customers
from services.trigger.domain.explain import sentence
from services.trigger.domain.model import Decision
from services.trigger.domain.programme import Edition, Who
from services.trigger.handlers.people import find_account, find_contact
from services.trigger.metrics import DECISIONS
from services.trigger.store import programmes as store
from services.trigger.store.ledger import Entry
from shared.contracts.deliveries import (
    BounceKind,
    DeliveryBounced,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.messages import MessageKind
from shared.contracts.model import Channel
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.surveys import SurveyRequested
from shared.db.database import Connection
from shared.runtime.ids import derive
from shared.security.roles import Role, Scope
from tests.support.trigger import Site, World

NOTED = ("crm", "shop", "helpdesk")
pytestmark = pytest.mark.requirement("R54", "R78", "R87")


def touchpoint_of(one: Happening) -> tuple[str, dict[str, Any]] | None:
    """What trigger hears of a happening; the helpdesk's as its webhook is read."""
    if one.by not in NOTED or "occurred_at" in one.data:
        return (one.type, one.data) if one.by in NOTED else None
    contact, account = one.data["contact"], one.data["account"]
    kind = "support_ticket.reopened" if one.type == "open" else "support_ticket.resolved"
    return kind, {
        "occurred_at": one.at.isoformat(),
        "contact": {"id": contact.id, "email": contact.email, "role": "requester", "zone": contact.zone},
        "account": {"id": account.id, "name": account.name},
        "subject": {"kind": "ticket", "id": one.data["ticket"]},
    }


async def everything(world: World) -> list[Entry]:
    """The whole ledger."""
    found: list[Entry] = []
    before = None
    while page := await world.ledger(before=before):
        found = page + found
        before = page[0].id
    return found


async def lived(world: World, accounts: int) -> list[tuple[str, str, list[str], str]]:
    """The demo's 90 days at some accounts: event id, type, people and account of each event."""
    chance = Chance("ledger")
    told: list[tuple[str, str, list[str], str]] = []
    start = world.clock.now()
    companies = customers(chance)[:accounts]
    for one in story(chance, companies, start):
        heard = touchpoint_of(one)
        if heard is None:
            continue
        await world.until(max(one.at, world.clock.now()))
        kind, data = heard
        event_id = await world.tell(kind, id=one.id, **data)
        people = [data["contact"]["id"]] if data.get("contact") else []
        told.append((event_id, kind, people, data["account"]["id"]))
    await world.until(world.clock.now() + timedelta(days=40))
    return told


def listens(edition: Edition, kind: str) -> bool:
    """Whether a programme asks about such an event."""
    dated = kind == "contract.renewal_date_set" and edition.programme.when.before is not None
    return dated or kind in edition.programme.touchpoints


@pytest.mark.timeout(600)
async def test_the_ledger_explains_every_contact_of_the_demo(world: World) -> None:
    told = await lived(world, accounts=8)
    assert len(told) > 100
    entries = await everything(world)
    by_event: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_event[entry.event_id].append(entry)
    async with world.db.read() as conn:
        assert [row["gap"] for row in await conn.fetch(UNEXPLAINED)] == []
        editions = await store.current_editions(conn)
        for event_id, kind, people, account in told:
            lines = by_event[event_id]
            assert lines, f"{event_id}: nothing was decided"
            ids = [await find_contact(conn, world.sealer, one) for one in people]
            for edition in editions:
                if listens(edition, kind):
                    await _explained(conn, edition, lines, ids, account)
    assert all(len(sentence(entry.decision)) > 20 for entry in entries)
    outcomes = {entry.decision.outcome for entry in entries}
    assert {Outcome.PLANNED, Outcome.REQUESTED, Outcome.DEFERRED, Outcome.SUPPRESSED} <= outcomes


async def _explained(
    conn: Connection, edition: Edition, lines: list[Entry], people: list[UUID | None], account: str
) -> None:
    """Everybody whom a programme could mean after an event has a line of their own."""
    own = [entry.decision for entry in lines if entry.decision.programme == edition.key]
    assert own, f"{edition.key} says nothing about {lines[0].event_id}"
    told = {decision.contact_id for decision in own}
    if edition.programme.audience.who is Who.EVENT:
        assert set(people) <= told, f"{edition.key} says nothing about a person of {lines[0].event_id}"
        return
    company = await find_account(conn, account)
    staff = await conn.fetch("select id from contacts where account_id = $1 and erased_at is null", company)
    if any(told):
        assert {row["id"] for row in staff} <= told, "each of the account's people has a line"


OTHER = "jsonb_build_object('id', gen_random_uuid(), 'email_hash', '')"


@pytest.mark.parametrize(
    "gap",
    [
        pytest.param("update plans set reason = 'expired'", id="a plan that ended for another reason"),
        pytest.param("update plans set state = 'pending', reason = null", id="a plan that waits again"),
        pytest.param(
            f"insert into contacts select (jsonb_populate_record(c, {OTHER})).* from contacts c",
            id="a person of whom nothing is said",
        ),
    ],
)
async def test_a_gap_in_the_ledger_is_named(world: World, gap: str) -> None:
    order = {"kind": "order", "id": "o1"}
    await world.tell("order.delivered", contact={"id": "c1"}, subject=order)
    await world.later(hours=2)
    async with world.db.begin() as tx:
        assert await tx.conn.fetch(UNEXPLAINED) == []
        await tx.conn.execute(gap)
        assert len(await tx.conn.fetch(UNEXPLAINED)) == 1


async def test_each_person_of_an_event_finds_why(world: World) -> None:
    """Also where no programme asks about it, where it does not fit, and where it has not happened yet."""
    two = [{"id": "c1", "email": "a@kund.example"}, {"id": "c2", "email": "b@kund.example"}]
    hour = world.clock.now() + timedelta(hours=1)
    events = {
        await world.tell("invoice.printed", contacts=two): "not_matched",
        await world.tell("order.delivered", contacts=two): "filtered",
        await world.tell("order.delivered", contacts=two, occurred_at=hour): "filtered",
    }
    async with world.db.read() as conn:
        ids = {await find_contact(conn, world.sealer, one["id"]) for one in two}
    for event_id, reason in events.items():
        lines = await world.ledger(event_ids=(event_id,))
        assert {line.decision.contact_id for line in lines} == ids, event_id
        assert {line.decision.reason for line in lines} == {reason}, event_id


@pytest.mark.parametrize("sent", [False, True])
async def test_a_survey_that_is_taken_back_says_so(world: World, sent: bool) -> None:
    told: dict[str, Any] = {
        "contact": {"id": "c1", "email": "a@kund.example"}, "subject": {"kind": "ticket", "id": "7"},
    }  # fmt: skip
    await world.tell("support_ticket.resolved", **told)
    await world.later(hours=24)
    (survey,) = await world.said(SurveyRequested)
    if sent:
        gone = DeliveryHandedOver(
            delivery_id="d", version=1, survey_id=survey.survey_id, channel=Channel.EMAIL,
            snapshot=survey.snapshot, at=world.clock.now(),
        )  # fmt: skip
        await world.hear(gone)
    reopened = await world.tell("support_ticket.reopened", **told)
    (line,) = [e for e in await world.ledger(event_ids=(reopened,)) if e.decision.programme == "support-csat"]
    what = "Reminder 1 of “support-csat”" if sent else "“support-csat”"
    assert sentence(line.decision) == f"{what} was cancelled, because a later event called it off."


@pytest.mark.requirement("R94")
async def test_why_tells_of_invitations_to_take_part_and_what_became_of_them(blank_site: Site) -> None:
    world = blank_site.world
    about: dict[str, Any] = {
        "contact": {"id": "c1", "email": "anna@kund.example", "name": "Anna"},
        "account": {"id": "a1", "name": "Acme"},
    }
    await world.tell("order.delivered", **about, subject={"kind": "order", "id": "o1"})
    await world.later(hours=2)
    (survey,) = await world.said(SurveyRequested)
    await world.later(days=40)

    def of(message: str) -> dict[str, Any]:
        return {
            "delivery_id": f"d-{message}", "version": 1, "survey_id": None, "channel": Channel.EMAIL,
            "message_kind": MessageKind.INVITATION, "message_id": str(derive(message)),
            "snapshot": survey.snapshot, "at": world.clock.now(),
        }  # fmt: skip

    async with await blank_site.signed_in(Role.REP) as client:
        heard = [
            (DeliverySuppressed(**of("one"), reason=Reason.OPTED_OUT), "was not sent, because the person"),
            (DeliveryUncertain(**of("two")), "may have been sent"),
            (DeliveryHandedOver(**of("three")), "An invitation to take part in a fix was sent"),
        ]
        for news, told in heard:
            await world.hear(news)
            for whom in ("anna@kund.example", "Acme"):
                assert told in (await client.get("/why", params={"q": whom})).text
        page = (await client.get("/directory", params={"q": "c1"}, follow_redirects=True)).text
        assert page.count("Invitation to take part in a fix") == 2, "of the suppressed one nobody has heard"
        await world.tell("order.delivered", **about, subject={"kind": "order", "id": "o2"})
        await world.later(hours=2)
        why = (await client.get("/why", params={"q": "c1"})).text
        assert "asked too recently" in why
        assert "by “invitation to take part”" in why
        await world.hear(DeliveryBounced(**of("three"), kind=BounceKind.HARD))
        assert "came back: the address is dead" in (await client.get("/why", params={"q": "c1"})).text
    async with await blank_site.with_key(Scope.DECISIONS_READ) as client:
        lines = (await client.get("/v1/decisions", params={"contact": "c1"})).json()["decisions"]
        told_of = [line["outcome"] for line in lines if "invitation" in line["inputs"]]
        assert told_of == ["cancelled", "requested", "requested", "suppressed"]


async def test_why_is_answered_for_contact_account_event_and_programme(blank_site: Site) -> None:
    world = blank_site.world
    anna = {"id": "c1", "email": "anna@kund.example", "name": "Anna"}
    event = await world.tell(
        "order.delivered",
        contact=anna,
        account={"id": "a1", "name": "Acme"},
        subject={"kind": "order", "id": "o1"},
    )
    questions = {
        "contact": "anna@kund.example",
        "account": "Acme",
        "event": event,
        "programme": "delivery-csat",
    }
    async with await blank_site.with_key(Scope.DECISIONS_READ) as client:
        for name, value in questions.items():
            lines = (await client.get("/v1/decisions", params={name: value})).json()["decisions"]
            assert any("“delivery-csat” was planned for" in line["sentence"] for line in lines), name
        assert (await client.get("/v1/decisions", params={"programme": "nothing"})).status_code == 404
        both = {"contact": "c1", "programme": "support-csat"}
        assert (await client.get("/v1/decisions", params=both)).json()["decisions"] == []
    async with await blank_site.signed_in(Role.REP) as client:
        for value in questions.values():
            assert "was planned for" in (await client.get("/why", params={"q": value})).text


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_a_sentence_that_a_rep_understands(reason: Reason) -> None:
    told = sentence(Decision(outcome=Outcome.SUPPRESSED, reason=reason, programme="p"))
    assert told.startswith("“p” was not sent, because ")
    assert "_" not in told
    assert DECISIONS.labels(Outcome.SUPPRESSED, reason) is not None
