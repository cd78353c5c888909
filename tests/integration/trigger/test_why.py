"""Why: an event is found as its sender knows it, and what led to nothing at all is found too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.trigger.domain.refused import MOST, Refusal, Refusals
from services.trigger.handlers import subscriptions
from services.trigger.worker.refusing import RefusalLog
from shared.bus.model import Record
from shared.contracts.topics import Topic
from shared.runtime.clock import FakeMachine
from shared.runtime.consumer import Batch
from shared.security.roles import Role, Scope
from shared.security.signatures import WebhookSecret, sign_standard, sign_zendesk
from tests.support.trigger import GENERIC, OLDER, ZENDESK, Site, World

ANNA = {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg"}
pytestmark = pytest.mark.requirement("R54")


@pytest.fixture
def site(blank_site: Site) -> Site:
    return blank_site


async def generic(
    site: Site, *, message: str = "msg_1", secret: WebhookSecret = GENERIC, **changes: Any
) -> httpx.Response:
    """A delivery told by the generic webhook, with the sender's own id and source."""
    data = {
        "occurred_at": "2026-03-03T08:00:00Z",
        "contact": ANNA,
        "subject": {"kind": "order", "id": "o-77"},
    }
    body = {"type": "order.delivered", "id": "ship-5", "source": "/shop", "data": data} | changes
    raw = json.dumps(body).encode()
    headers = sign_standard(message, site.machine.wall(), raw, secret)
    async with site.client() as client:
        return await client.post("/webhooks/generic", content=raw, headers=headers)


async def solved(site: Site, **detail: Any) -> httpx.Response:
    """A ticket solved at Zendesk, which names people by its ids alone."""
    body = {
        "type": "zen:event-type:ticket.status_changed", "id": "zen-evt-1", "time": "2026-03-03T08:00:00Z",
        "event": {"current": "SOLVED", "previous": "OPEN"},
        "detail": {"id": "5158", "requester_id": "42"} | detail,
    }  # fmt: skip
    raw = json.dumps(body).encode()
    headers = sign_zendesk(ZENDESK, site.machine.wall(), raw) | {"X-Zendesk-Webhook-Invocation-Id": "i1"}
    async with site.client() as client:
        return await client.post("/webhooks/zendesk", content=raw, headers=headers)


async def happen(world: World) -> None:
    """What webhooks told comes in over the log, as it was announced."""
    await world.relayed()


async def asked(site: Site, **question: str) -> dict[str, Any]:
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        answer = await client.get("/v1/decisions", params=question)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
async def rep(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with await site.signed_in(Role.REP) as browser:
        yield browser


async def shown(rep: httpx.AsyncClient, path: str = "/why", **question: str) -> str:
    answer = await rep.get(path, params=question)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("name", ["msg_1", "ship-5", "o-77"])
async def test_an_event_is_found_by_each_id_that_its_sender_knows(
    site: Site, rep: httpx.AsyncClient, name: str
) -> None:
    (ours,) = (await generic(site)).json()["events"]
    await happen(site.world)
    told = await asked(site, event=name)
    assert [(one["event_id"], one["source"], one["type"]) for one in told["events"]] == [
        (ours, "/shop", "order.delivered")
    ]
    assert {line["event_id"] for line in told["decisions"]} == {ours}
    assert told["decisions"] == (await asked(site, event=ours))["decisions"]
    assert told["elsewhere"] == []
    page = await shown(rep, q=name)
    assert "“Delivery” was planned" in page
    assert "/shop" in page


async def test_a_ticket_is_found_while_its_event_waits_for_somebody(
    site: Site, rep: httpx.AsyncClient
) -> None:
    assert (await solved(site)).json()["status"] == "parked"
    for name in ("5158", "zen-evt-1"):
        told = await asked(site, event=name)
        assert [(one["source"], one["type"]) for one in told["events"]] == [
            ("/webhooks/zendesk", "support_ticket.resolved")
        ]
        assert "The event waits at most until" in told["decisions"][0]["sentence"]
        assert "The event waits at most until" in await shown(rep, q=name)


async def test_several_events_of_one_id_are_listed_and_told_apart_by_their_source(
    site: Site, rep: httpx.AsyncClient
) -> None:
    await generic(site)
    await generic(site, message="msg_2", source="/warehouse")
    await happen(site.world)
    told = await asked(site, event="ship-5")
    assert {one["source"] for one in told["events"]} == {"/shop", "/warehouse"}
    narrowed = await asked(site, event="ship-5", source="/warehouse")
    (one,) = narrowed["events"]
    assert {line["event_id"] for line in narrowed["decisions"]} == {one["event_id"]}
    page = await shown(rep, q="ship-5")
    assert "Several events go by that" in page
    assert f"/why?q={one['event_id']}&amp;source=/warehouse" in page
    assert "Several events" not in await shown(rep, q="ship-5", source="/warehouse")
    assert (await asked(site, event="ship-5", source="/nobody"))["decisions"] == []


async def test_an_event_over_kafka_is_found_by_its_id_and_by_what_it_is_about(
    site: Site, rep: httpx.AsyncClient
) -> None:
    (rules,) = subscriptions(site.world.sealer)
    batch = Batch(rules.routes, site.world.db, FakeMachine(), rules.event_of, rules.compared)
    assert await batch.handle([record(site.world, "crm-1", contact=ANNA)]) == []
    for name in ("crm-1", "T-9"):
        told = await asked(site, event=name)
        assert [(one["event_id"], one["source"]) for one in told["events"]] == [("crm-1", "/crm")]
        assert told["decisions"][0]["event_id"] == "crm-1"
    assert (await asked(site, event="crm-1", source="/shop"))["decisions"] == []
    assert "from /crm" in await shown(rep, q="T-9")


BERT = {"id": "c2", "email": "bert@kund.example", "name": "Bert Alm"}


async def both(world: World, *, at_once: bool) -> None:
    """Two backends number their events alike; each tells of somebody else."""
    (rules,) = subscriptions(world.sealer)
    batch = Batch(rules.routes, world.db, FakeMachine(), rules.event_of, rules.compared)
    told = [record(world, "4711", contact=ANNA), record(world, "4711", source="/shop", contact=BERT)]
    for part in [told] if at_once else [[one] for one in told]:
        assert await batch.handle(part) == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_events_of_two_sources_with_one_id_are_two_in_the_ledger(
    site: Site, rep: httpx.AsyncClient, at_once: bool
) -> None:
    await both(site.world, at_once=at_once)
    every = await asked(site, event="4711")
    assert sorted(one["source"] for one in every["events"]) == ["/crm", "/shop"]
    assert {line["source"] for line in every["decisions"]} == {"/crm", "/shop"}
    crm, shop = [await asked(site, event="4711", source=source) for source in ("/crm", "/shop")]
    assert len(crm["decisions"]) + len(shop["decisions"]) == len(every["decisions"])
    for told, source, who in ((crm, "/crm", "c1"), (shop, "/shop", "c2")):
        (event,) = told["events"]
        assert {line["source"] for line in told["decisions"]} == {source}
        assert {line["event_id"] for line in told["decisions"]} == {event["event_id"]}
        mine = await asked(site, contact=who)
        assert {line["source"] for line in mine["decisions"]} == {source}
        assert told["decisions"] == (await asked(site, event=event["event_id"], source=source))["decisions"]
        page = await shown(rep, q="4711", source=source)
        assert f"</a> from {source}" in page
    assert "Several events go by that" in await shown(rep, q="4711")
    if not at_once:
        assert crm["events"][0]["event_id"] == "4711"


async def test_a_conflict_is_noted_at_the_event_of_its_source(site: Site) -> None:
    await both(site.world, at_once=False)
    (rules,) = subscriptions(site.world.sealer)
    batch = Batch(rules.routes, site.world.db, FakeMachine(), rules.event_of, rules.compared)
    other = record(site.world, "4711", source="/shop", contact=BERT, product="Saw")
    assert await batch.handle([other]) == []
    told = {source: await asked(site, event="4711", source=source) for source in ("/crm", "/shop")}
    assert {source: one["events"][0]["conflicts"] for source, one in told.items()} == {"/crm": 0, "/shop": 1}
    said = {
        source: [line["sentence"] for line in one["decisions"] if "something else came" in line["sentence"]]
        for source, one in told.items()
    }
    assert (said["/crm"], len(said["/shop"])) == ([], 1)


async def test_an_event_that_comes_again_from_either_source_is_absorbed(site: Site) -> None:
    for _ in range(2):
        await both(site.world, at_once=False)
    assert len((await asked(site, event="4711"))["events"]) == 2
    planned = [entry for entry in await site.world.ledger() if entry.decision.outcome == "planned"]
    assert len(planned) == len({(one.event_id, one.decision.programme) for one in planned})


async def test_a_webhook_and_a_backend_with_one_id_are_told_apart(site: Site, rep: httpx.AsyncClient) -> None:
    await generic(site)
    await happen(site.world)
    (rules,) = subscriptions(site.world.sealer)
    batch = Batch(rules.routes, site.world.db, FakeMachine(), rules.event_of, rules.compared)
    assert await batch.handle([record(site.world, "ship-5", contact=BERT)]) == []
    told = await asked(site, event="ship-5")
    assert {line["source"] for line in told["decisions"]} == {"/shop", "/crm"}
    assert {line["source"] for line in (await asked(site, contact="c1"))["decisions"]} == {"/shop"}
    page = await shown(rep, q="anna@kund.example")
    assert "</a> from /shop" in page


def record(world: World, event_id: str, *, source: str = "/crm", **data: Any) -> Record:
    """What a backend wrote; without anybody it cannot be read."""
    headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_source": source, "ce_type": "order.delivered"}
    body = {"occurred_at": world.clock.now().isoformat(), "subject": {"kind": "ticket", "id": "T-9"}, **data}
    pairs = tuple((name, value.encode()) for name, value in headers.items())
    return Record(Topic.TOUCHPOINTS, 0, 0, b"k", json.dumps(body).encode(), pairs, 0)


async def test_an_event_that_could_not_be_read_is_found_by_its_id_with_the_reason(
    site: Site, rep: httpx.AsyncClient
) -> None:
    (rules,) = subscriptions(site.world.sealer)
    batch = Batch(rules.routes, site.world.db, FakeMachine(), rules.event_of, rules.compared)
    assert len(await batch.handle([record(site.world, "crm-2")])) == 1
    told = await asked(site, event="crm-2")
    (letter,) = told["put_aside"]
    assert letter["reason"].startswith("order.delivered: data: at least one of contact")
    assert (letter["source"], letter["type"], told["elsewhere"]) == ("/crm", "order.delivered", [])
    for page in (await shown(rep, q="crm-2"), await shown(rep, "/why/left-out")):
        assert "at least one of contact" in page
    assert f"afterword dlq show trigger {letter['number']}" in await shown(rep, q="crm-2")


async def test_where_nothing_is_found_it_is_said_where_else_to_look(
    site: Site, rep: httpx.AsyncClient
) -> None:
    told = await asked(site, event="nobody knows")
    assert (told["decisions"], told["events"], told["put_aside"]) == ([], [], [])
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        for path in told["elsewhere"]:
            assert (await client.get(path)).status_code == 200, path
    page = await shown(rep, q="nobody knows")
    elsewhere = await shown(rep, "/why/left-out")
    for part in ("refused", "conflicts", "letters", "parked"):
        assert f'href="/why/left-out#{part}"' in page
        assert f'id="{part}"' in elsewhere


async def test_an_event_of_a_misspelt_type_is_told_with_what_was_perhaps_meant(
    site: Site, rep: httpx.AsyncClient, programmes: Path
) -> None:
    tickets = (programmes / "support.yaml").read_text()
    seats = tickets.replace("support_ticket.resolved", "seat.added").replace("support-csat", "seats")
    (programmes / "seats.yaml").write_text(seats)
    await site.world.publisher.run()
    told = {"occurred_at": "2026-03-03T08:00:00Z", "contact": ANNA, "subject": {"kind": "order", "id": "o"}}
    for number, kind in enumerate(("order.deliverd", "Order Delivered", "seat.aded", "project.closed")):
        await site.world.tell(kind, id=f"e{number}", **told)
    hints = []
    for number in range(4):
        (line,) = (await asked(site, event=f"e{number}"))["decisions"]
        hints.append(line["sentence"].partition("this event. ")[2])
        assert hints[-1] in await shown(rep, q=f"e{number}")
    meant = "order.delivered"
    assert hints == [f"Did you mean {meant}?", f"Did you mean {meant}?", "Did you mean seat.added?", ""]


async def test_a_source_alone_is_no_question(site: Site) -> None:
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        answer = await client.get("/v1/decisions", params={"source": "/shop"})
    assert (answer.status_code, answer.json()["field"]) == (422, "event")


async def test_what_was_refused_is_counted_by_sender_and_reason_and_can_be_found(
    site: Site, rep: httpx.AsyncClient
) -> None:
    wrong = WebhookSecret.standard("whsec_" + "bm90IHRoZSBzZWNyZXQgb2YgYW55Ym9keSE=")
    for _ in range(2):
        assert (await generic(site, secret=wrong)).status_code == 401
    assert (await generic(site, secret=OLDER, type="Delivered")).status_code == 400
    assert (await generic(site, message="big", padding="x" * 1024 * 1024)).status_code == 413
    await site.write_down()
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        refused = (await client.get("/v1/decisions/left-out")).json()["refused"]
    found = {one["reason"]: (one["sender"], one["times"]) for one in refused}
    assert found == {
        "bad_signature": ("generic", 2),
        "type: must be lower-case words joined by dots, for example order.delivered": ("generic", 1),
        "The body is larger than 1 MiB.": ("generic", 1),
    }
    page = await shown(rep, "/why/left-out")
    assert "bad signature" in page
    assert "check the secret, send the body as signed" in page
    await generic(site, secret=wrong)
    await site.write_down()
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        again = (await client.get("/v1/decisions/left-out")).json()["refused"]
    assert ("bad_signature", 3) in [(one["reason"], one["times"]) for one in again]


async def test_another_body_under_a_known_id_is_found_by_that_id(site: Site, rep: httpx.AsyncClient) -> None:
    await generic(site)
    assert (await generic(site, type="order.shipped")).json()["status"] == "conflict"
    (one,) = (await asked(site, event="msg_1"))["events"]
    assert one["conflicts"] == 1
    assert "Something else came under the same id" in await shown(rep, q="msg_1")
    assert "msg_1" in await shown(rep, "/why/left-out")


async def test_what_led_to_nothing_can_be_kept_to_one_source(site: Site, rep: httpx.AsyncClient) -> None:
    wrong = WebhookSecret.standard("whsec_" + "bm90IHRoZSBzZWNyZXQgb2YgYW55Ym9keSE=")
    await generic(site, secret=wrong)
    await generic(site)
    await generic(site, type="order.shipped")
    await solved(site)
    (rules,) = subscriptions(site.world.sealer)
    batch = Batch(rules.routes, site.world.db, FakeMachine(), rules.event_of, rules.compared)
    await batch.handle([record(site.world, "crm-2")])
    await site.write_down()
    async with await site.with_key(Scope.DECISIONS_READ) as client:

        async def kept(source: str) -> list[int]:
            found = (await client.get("/v1/decisions/left-out", params={"source": source})).json()
            parked = (await client.get("/v1/decisions/parked", params={"source": source})).json()
            return [*(len(found[name]) for name in ("refused", "conflicts", "put_aside")), len(parked)]

        assert await kept("") == [1, 1, 1, 1]
        assert await kept("/crm") == [0, 0, 1, 0]
        assert await kept("generic") == await kept("/webhooks/generic") == [1, 1, 0, 0]
        assert await kept("zendesk") == [0, 0, 0, 1]
    page = await shown(rep, "/why/left-out", source="zendesk")
    assert "Only what came from zendesk" in page
    assert 'href="/why/left-out?source=/webhooks/zendesk"' in page
    assert "msg_1" not in page
    assert "crm-2" not in page
    assert 'href="/why/left-out?source=/webhooks/generic"' in await shown(rep, "/why/left-out")


async def test_what_cannot_be_written_down_at_once_is_counted_still(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = Refusals()
    refusals.note("generic", "too_old")
    with monkeypatch.context() as broken:
        broken.setattr(site.world.db, "begin", None)
        with pytest.raises(TypeError):
            await RefusalLog(site.world.db, refusals).run()
    refusals.note("generic", "too_old")
    assert refusals.taken() == [(Refusal("generic", "too_old"), 2)]


def test_whoever_thinks_up_reasons_does_not_fill_the_memory() -> None:
    refusals = Refusals()
    for number in range(3 * MOST):
        refusals.note("generic", f"data.context.field{number}: wrong")
        refusals.note("generic", f"batch[{number}].event: missing")
    counted = refusals.taken()
    assert len(counted) == MOST + 1
    assert sum(times for _, times in counted) == 6 * MOST
    assert (Refusal("generic", "batch[].event: missing"), 3 * MOST) in counted
    assert refusals.taken() == []


async def test_a_viewer_sees_none_of_it(site: Site) -> None:
    async with await site.signed_in(Role.VIEWER) as browser:
        assert (await browser.get("/why/left-out")).status_code == 403
    async with await site.with_key(Scope.TOUCHPOINTS_WRITE) as client:
        assert (await client.get("/v1/decisions/left-out")).status_code == 403
