"""The directory by its API: pages, preconditions, consent with its history, erasure, deletion of accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.trigger.domain.model import Contact, PlanState
from services.trigger.handlers.people import find_contact
from services.trigger.store import directory
from services.trigger.store.plans import COLUMNS
from services.trigger.store.rows import plan_of
from shared.contracts.deliveries import ContactResubscribed, ContactUnsubscribed, UnsubscribeScope
from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased
from shared.contracts.surveys import SurveyRequested
from shared.security.roles import Scope
from tests.support.trigger import Site, World

ALL_OF_IT = (Scope.CONTACTS_READ, Scope.CONTACTS_WRITE, Scope.ACCOUNTS_READ, Scope.ACCOUNTS_WRITE)
ACME = {"id": "a1", "name": "Acme", "tier": "key"}
pytestmark = pytest.mark.requirement("R59", "R60", "R61")


@pytest.fixture
def site(blank_site: Site) -> Site:
    return blank_site


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"c{number}", "email": f"p{number}@kund.example", "zone": "Europe/Stockholm", **more}


async def know(world: World, people: int) -> None:
    for number in range(people):
        persona = "user" if number % 2 else "decision_maker"
        await world.tell("contact.updated", contact=person(number, persona=persona), account=ACME)


async def contact_of(world: World, ref: str) -> Contact:
    async with world.db.read() as conn:
        found = await find_contact(conn, world.sealer, ref)
        assert found is not None
        return (await directory.get_contacts(conn, [found]))[found]


async def test_all_contacts_come_page_by_page_and_each_once(site: Site) -> None:
    await know(site.world, 7)
    async with await site.with_key(*ALL_OF_IT) as client:
        seen: list[str] = []
        after: str | None = None
        sizes = []
        while True:
            params: dict[str, Any] = {"limit": 3, **({"after": after} if after else {})}
            page = (await client.get("/v1/contacts", params=params)).json()
            sizes.append(len(page["contacts"]))
            seen += [one["person"]["email"] for one in page["contacts"]]
            after = page["after"]
            if after is None:
                break
        assert sizes == [3, 3, 1]
        assert sorted(seen) == [f"p{number}@kund.example" for number in range(7)]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        pytest.param({"account": "Acme"}, 4, id="account"),
        pytest.param({"persona": "user"}, 2, id="persona"),
        pytest.param({"opted_out": "true"}, 1, id="opted out"),
        pytest.param({"opted_out": "false"}, 3, id="not opted out"),
        pytest.param({"consent": "withdrawn"}, 1, id="consent"),
        pytest.param({"bounced": "true"}, 0, id="bounced"),
        pytest.param({"erased": "true"}, 1, id="erased"),
        pytest.param({"persona": "user", "opted_out": "true"}, 1, id="two at once"),
    ],
)
async def test_contacts_are_filtered(site: Site, params: dict[str, str], found: int) -> None:
    await know(site.world, 5)
    async with await site.with_key(*ALL_OF_IT) as client:
        await client.post("/v1/contacts/c1/consent", json={"given": False})
        await client.delete("/v1/contacts/c4")
        page = (await client.get("/v1/contacts", params=params)).json()
    assert len(page["contacts"]) == found


async def test_accounts_are_listed_and_filtered(site: Site) -> None:
    for number in range(3):
        tier = "key" if number else "small"
        await site.world.tell(
            "account.updated", account={"id": f"a{number}", "name": f"N{number}", "tier": tier}
        )
    async with await site.with_key(*ALL_OF_IT) as client:
        page = (await client.get("/v1/accounts", params={"limit": 2})).json()
        rest = (await client.get("/v1/accounts", params={"limit": 2, "after": page["after"]})).json()
        assert (len(page["accounts"]), len(rest["accounts"]), rest["after"]) == (2, 1, None)
        keys = (await client.get("/v1/accounts", params={"tier": "key"})).json()["accounts"]
        assert sorted(one["name"] for one in keys) == ["N1", "N2"]
        named = (await client.get("/v1/accounts", params={"name": "n0"})).json()["accounts"]
        assert [one["name"] for one in named] == ["N0"]


async def test_a_write_holds_only_against_what_its_sender_knows(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        path = "/v1/contacts/c1"
        new = await client.put(path, json={"email": "a@x.example"}, headers={"if-none-match": "*"})
        assert new.status_code == 204
        twice = await client.put(path, json={"email": "b@x.example"}, headers={"if-none-match": "*"})
        assert twice.status_code == 412
        read = await client.get(path)
        assert read.headers["etag"] == new.headers["etag"]
        known = {"if-match": read.headers["etag"]}
        after = (await client.put(path, json={"name": "Anna"}, headers=known)).headers["etag"]
        assert after not in known.values()
        stale = await client.put(path, json={"name": "Berta"}, headers=known)
        assert (stale.status_code, stale.headers["etag"]) == (412, after)
        assert (await client.get(path)).json()["person"]["name"] == "Anna"
        nobody = await client.put("/v1/contacts/c2", json={"name": "C"}, headers={"if-match": "*"})
        assert nobody.status_code == 412
        account = await client.put("/v1/accounts/a1", json={"name": "Acme"}, headers={"if-none-match": "*"})
        assert account.status_code == 204
        moved = {"if-match": '"7"'}
        assert (await client.put("/v1/accounts/a1", json={"name": "B"}, headers=moved)).status_code == 412


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        pytest.param("/v1/contacts/c1", {"email": "a@x.example"}, {"name": "Anna"}, id="contact"),
        pytest.param("/v1/accounts/a1", {"name": "Acme"}, {"tier": "key"}, id="account"),
    ],
)
async def test_who_knows_it_already_hears_so_until_it_changes(
    site: Site, path: str, one: dict[str, str], other: dict[str, str]
) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        await client.put(path, json=one)
        first = await client.get(path)
        known = {"if-none-match": f'"other", {first.headers["etag"]}'}
        same = await client.get(path, headers=known)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == first.headers["etag"]
        await client.put(path, json=other)
        new = await client.get(path, headers=known)
        assert (new.status_code, new.headers["etag"] != first.headers["etag"]) == (200, True)
        page = await client.get(path.rpartition("/")[0])
        again = await client.get(path.rpartition("/")[0], headers={"if-none-match": page.headers["etag"]})
        assert (page.status_code, again.status_code) == (200, 304)


async def test_an_owner_is_kept_on_one_line_whoever_names_them(site: Site) -> None:
    await site.world.tell("account.updated", account={"id": "a1", "owner": " Kim\r\n\tBerg\x07 " + "x" * 500})
    async with await site.with_key(*ALL_OF_IT) as client:
        owner = (await client.get("/v1/accounts/a1")).json()["owner"]
        assert owner.startswith("Kim Berg xxx")
        assert len(owner) == 320
        await client.put("/v1/accounts/a1", json={"owner": "  kim@nordlicht.example "})
        assert (await client.get("/v1/accounts/a1")).json()["owner"] == "kim@nordlicht.example"


async def test_what_moves_no_version_makes_another_etag(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        await client.put("/v1/contacts/c1", json={"email": "a@x.example"})
        first = await client.get("/v1/contacts/c1")
        async with site.world.db.begin() as tx:
            await tx.conn.execute("update contacts set bounced_at = now()")
        known = {"if-none-match": first.headers["etag"]}
        assert (await client.get("/v1/contacts/c1", headers=known)).json()["bounced"] is True


async def test_what_is_held_against_one_person_does_not_hold_against_another(site: Site) -> None:
    """Both are at their first version, and a merge may make one of them."""
    async with await site.with_key(*ALL_OF_IT) as client:
        for who in ("c1", "c2"):
            await client.put(f"/v1/contacts/{who}", json={"email": f"{who}@x.example"})
        one, other = [(await client.get(f"/v1/contacts/{who}")).headers["etag"] for who in ("c1", "c2")]
        assert one != other


async def test_a_deletion_holds_only_against_what_its_sender_knows(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        for path, body, news in (
            ("/v1/contacts/c1", {"email": "a@x.example"}, {"name": "Anna"}),
            ("/v1/accounts/a1", {"name": "Acme"}, {"tier": "key"}),
        ):
            read = (await client.put(path, json=body)).headers["etag"]
            await client.put(path, json=news)
            stale = await client.delete(path, headers={"if-match": read})
            assert (stale.status_code, stale.json()["field"]) == (412, "if-match")
            now = (await client.get(path)).headers["etag"]
            assert stale.headers["etag"] == now
            assert (await client.delete(path, headers={"if-match": now})).status_code == 202
        again = await client.delete("/v1/contacts/c1", headers={"if-match": '"old"'})
        assert again.status_code == 202


async def test_whom_an_event_of_the_future_names_is_nobody_yet_for_readers_and_writers(site: Site) -> None:
    ahead = site.world.clock.now() + timedelta(days=2)
    await site.world.tell("contact.updated", contact={"id": "c1", "name": "A"}, occurred_at=ahead)
    async with await site.with_key(*ALL_OF_IT) as client:
        assert (await client.get("/v1/contacts/c1")).status_code == 404
        new = await client.put("/v1/contacts/c1", json={"name": "A"}, headers={"if-none-match": "*"})
        assert new.status_code == 204


async def test_writing_the_same_twice_changes_and_tells_nothing_more(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        for path, body in (
            ("/v1/contacts/c1", {"email": "a@x.example", "persona": "user", "consent": True}),
            ("/v1/accounts/a1", {"name": "Acme", "tier": "key"}),
        ):
            first = await client.put(path, json=body)
            site.world.clock.advance(timedelta(hours=1))
            again = await client.put(path, json=body)
            assert first.headers["etag"] == again.headers["etag"]
    assert len(await site.world.said(AccountChanged)) == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        pytest.param("contacts/c1", {"emial": "a@x.example"}, "emial", id="an unknown field"),
        pytest.param("contacts/c1", {"email": "no address"}, "email", id="address"),
        pytest.param("contacts/c1", {"zone": "Mars/Base"}, "zone", id="zone"),
        pytest.param("contacts/c1", {"persona": "boss"}, "persona", id="persona"),
        pytest.param("contacts/c1", {"consent": "perhaps"}, "consent", id="consent"),
        pytest.param("contacts/c1", {"consent_at": "2026-01-01"}, "consent_at", id="a time without zone"),
        pytest.param("contacts/c1", {"name": "x" * 321}, "name", id="too long"),
        pytest.param("contacts/c1", {"name": "a\x00b"}, "name", id="a NUL"),
        pytest.param("accounts/a1", {"owner": "Kim Berg"}, "owner", id="an owner without an address"),
        pytest.param("accounts/a1", {"owner": "a@x.example\nb@x.example"}, "owner", id="owner of two lines"),
        pytest.param("contacts/c1", {"account": "a" * 201}, "account", id="account"),
        pytest.param("accounts/a1", {"tier": "gold"}, "tier", id="tier"),
        pytest.param("accounts/a1", {"annual_value": -1}, "annual_value", id="value"),
        pytest.param("accounts/a1", {"acquisition_cost": -1}, "acquisition_cost", id="cost"),
        pytest.param("accounts/a1", {"started_on": "1.1.2026"}, "started_on", id="day"),
        pytest.param("accounts/a1", {"owner": ["a"]}, "owner", id="a list"),
    ],
)
async def test_bad_input_is_named_by_its_path(
    site: Site, path: str, body: dict[str, Any], field: str
) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        answer = await client.put(f"/v1/{path}", json=body)
    assert answer.status_code == 422
    assert field in answer.text
    async with site.world.db.read() as conn:
        assert await conn.fetchval("select count(*) from contacts") == 0


@pytest.mark.parametrize(
    "path",
    [
        "contacts?limit=0",
        "contacts?limit=201",
        "contacts?after=here",
        "contacts?persona=boss",
        "contacts?account=%00",
        "accounts?tier=gold",
        "contacts/%00",
        "accounts/%00",
        "erasures/nobody",
    ],
)
async def test_a_wrong_question_is_refused_and_never_breaks(site: Site, path: str) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        assert (await client.get(f"/v1/{path}")).status_code == 422


async def test_an_erasure_says_how_far_it_got(site: Site) -> None:
    await know(site.world, 1)
    async with await site.with_key(*ALL_OF_IT) as client:
        done = await client.delete("/v1/contacts/c0")
        assert done.status_code == 202
        assert done.json()["announced"] is False
        where = done.headers["location"]
        async with site.world.db.begin() as tx:
            await tx.conn.execute("update outbox set published = true")
        assert (await client.get(where)).json()["announced"] is True
        assert (await client.get("/v1/contacts/c0")).json()["erased"] is True
        unknown = f"/v1/erasures/{UUID(int=5)}"
        assert (await client.get(unknown)).status_code == 404
    assert len(await site.world.said(ContactErased)) == 1


@pytest.mark.requirement("R52")
async def test_consent_has_a_history_with_source_time_scope_and_who(site: Site) -> None:
    world = site.world
    await world.tell("contact.updated", contact=person(1, consent=True))
    stop = ContactUnsubscribed(
        contact_id=str((await contact_of(world, "c1")).id),
        scope=UnsubscribeScope.PROGRAMME,
        programme="delivery-csat",
        at=world.clock.now(),
        via="one-click",
    )
    await world.hear(stop)
    async with await site.with_key(*ALL_OF_IT) as client:
        word = {"scope": "family:relationship", "given": False}
        told = (await client.post("/v1/contacts/c1/consent", json=word)).json()
        assert told["consent"] == "given"
        assert told["opted_out_of"] == ["delivery-csat", "family:relationship"]
        lines = {(h["scope"], h["given"], h["source"], h["by"].partition(":")[0]) for h in told["history"]}
        assert lines == {
            ("all", True, "/crm", ""),
            ("delivery-csat", False, "/other one-click", ""),
            ("family:relationship", False, "API", "key"),
        }
        assert (await client.get("/v1/contacts/c1/consent")).json() == told
        for wrong in ({"scope": "family:friends", "given": False}, {"scope": "all"}, {"given": 7}):
            assert (await client.post("/v1/contacts/c1/consent", json=wrong)).status_code == 422
        ahead = {"given": True, "at": (world.clock.now() + timedelta(hours=1)).isoformat()}
        assert (await client.post("/v1/contacts/c1/consent", json=ahead)).status_code == 422
        await client.delete("/v1/contacts/c1")
        assert (await client.get("/v1/contacts/c1/consent")).json()["history"] == []
        assert (await client.post("/v1/contacts/c1/consent", json={"given": True})).status_code == 410


@pytest.mark.parametrize(
    ("consent_at", "asked_again"),
    [
        pytest.param(None, False, id="a file that repeats an old yes"),
        pytest.param(timedelta(hours=-1), False, id="an explicit yes that is older"),
        pytest.param(timedelta(hours=1), True, id="an explicit yes that is newer"),
    ],
)
async def test_nobody_is_consented_again_unless_newer_and_explicit(
    site: Site, consent_at: timedelta | None, asked_again: bool
) -> None:
    world = site.world
    await world.tell("contact.updated", contact=person(1))
    out_at = world.clock.now()
    who = str((await contact_of(world, "c1")).id)
    await world.hear(ContactUnsubscribed(contact_id=who, at=out_at, via="link"))
    world.clock.advance(timedelta(days=1))
    told = person(1, consent=True, consent_at=(out_at + consent_at).isoformat() if consent_at else None)
    await world.tell("contact.updated", contact=told)
    assert (await contact_of(world, "c1")).opted_out_at == (None if asked_again else out_at)
    await world.tell(
        "order.delivered", contact=person(1), account=ACME, subject={"kind": "order", "id": "o1"}
    )
    await world.later(hours=3)
    assert len(await world.said(SurveyRequested)) == int(asked_again)


@pytest.mark.requirement("R52")
@pytest.mark.parametrize(
    ("also", "start_after", "order", "asked_again"),
    [
        pytest.param("", 1, (0, 1), True, id="start after stop"),
        pytest.param("", 1, (1, 0), True, id="heard the other way round"),
        pytest.param("", 1, (0, 1, 0, 1), True, id="heard twice"),
        pytest.param("", -1, (0, 1), False, id="start before stop"),
        pytest.param("one_click", 1, (0, 1), False, id="unsubscribed by mail too"),
    ],
)
async def test_start_takes_a_stop_by_text_message_back_and_nothing_else(
    site: Site, also: str, start_after: int, order: tuple[int, ...], *, asked_again: bool
) -> None:
    world = site.world
    await world.tell("contact.updated", contact=person(1))
    now, who = world.clock.now(), str((await contact_of(world, "c1")).id)
    if also:
        await world.hear(ContactUnsubscribed(contact_id=who, at=now - timedelta(hours=2), via=also))
    words = (
        ContactUnsubscribed(contact_id=who, at=now, via="sms"),
        ContactResubscribed(contact_id=who, at=now + timedelta(seconds=start_after), via="sms"),
    )
    for number in order:
        await world.hear(words[number])
    assert ((await contact_of(world, "c1")).opted_out_at is None) is asked_again
    told = [one for one in await world.said(ContactChanged) if one.contact_id == who]
    assert told[-1].opted_out is not asked_again
    assert told[-1].renewed == {}, "it is no consent, which would lift what was said otherwise"
    async with await site.with_key(*ALL_OF_IT) as client:
        found = (await client.get("/v1/contacts/c1/consent")).json()
    lines = [(one["given"], one["takes_back"], one["source"]) for one in found["history"]]
    assert sorted(set(lines)) == sorted(
        {(False, False, "/other sms"), (True, True, "/other sms")}
        | ({(False, False, f"/other {also}")} if also else set())
    )
    assert len(lines) == len(set(lines))
    await world.tell(
        "order.delivered", contact=person(1), account=ACME, subject={"kind": "order", "id": "o1"}
    )
    await world.later(hours=3)
    assert len(await world.said(SurveyRequested)) == int(asked_again)


async def test_whoever_was_erased_stays_so_whatever_they_send(site: Site) -> None:
    world = site.world
    await world.tell("contact.updated", contact=person(1))
    who = str((await contact_of(world, "c1")).id)
    await world.hear(ContactUnsubscribed(contact_id=who, at=world.clock.now(), via="sms"))
    async with await site.with_key(*ALL_OF_IT) as client:
        await client.delete("/v1/contacts/c1")
        world.clock.advance(timedelta(hours=1))
        await world.hear(ContactResubscribed(contact_id=who, at=world.clock.now(), via="sms"))
        assert (await client.get("/v1/contacts/c1/consent")).json()["history"] == []
    assert (await contact_of(world, "c1")).erased_at is not None


async def test_an_older_no_heard_later_does_not_undo_a_newer_yes(site: Site) -> None:
    world = site.world
    now = world.clock.now()
    await world.tell("contact.updated", contact=person(1, consent=True, consent_at=now.isoformat()))
    older = person(1, consent=False)
    await world.tell("contact.updated", contact=older, occurred_at=now - timedelta(days=3))
    assert (await contact_of(world, "c1")).consent == "given"


async def test_an_account_goes_with_its_plans_and_its_people_stay(site: Site) -> None:
    world = site.world
    for number in range(2):
        order = {"kind": "order", "id": f"o{number}"}
        await world.tell("order.delivered", contact=person(number), account=ACME, subject=order)
    async with await site.with_key(*ALL_OF_IT) as client:
        done = await client.delete("/v1/accounts/a1")
        assert (done.status_code, done.json()["people"], done.json()["plans_called_off"]) == (202, 2, 2)
        assert (await client.delete("/v1/accounts/a1")).status_code == 404
        assert (await client.get("/v1/accounts/a1")).status_code == 404
        assert (await client.get("/v1/accounts")).json()["accounts"] == []
        assert (await client.get("/v1/contacts/c1")).json()["contact"]["account_id"] is None
    await world.later(hours=3)
    assert await world.said(SurveyRequested) == []
    async with world.db.read() as conn:
        plans = [plan_of(row).state for row in await conn.fetch(f"select {COLUMNS} from plans")]
    assert plans == [PlanState.CANCELLED] * 2
    assert (await world.said(AccountChanged))[-1].name == ""
    assert {told.account_id for told in (await world.said(ContactChanged))[-2:]} == {None}


async def test_a_deleted_account_comes_back_with_newer_news_alone(site: Site) -> None:
    world = site.world
    await world.tell("account.updated", account=ACME)
    async with await site.with_key(*ALL_OF_IT) as client:
        await client.delete("/v1/accounts/a1")
        older = world.clock.now() - timedelta(days=1)
        await world.tell("account.updated", account=ACME, occurred_at=older)
        assert (await client.get("/v1/accounts/a1")).status_code == 404
        world.clock.advance(timedelta(minutes=1))
        await world.tell("account.updated", account=ACME)
        assert (await client.get("/v1/accounts/a1")).json()["name"] == "Acme"


async def test_an_account_may_take_its_people_with_it(site: Site) -> None:
    await know(site.world, 3)
    async with await site.with_key(*ALL_OF_IT) as client:
        done = (await client.delete("/v1/accounts/a1", params={"people": "erase"})).json()
        assert (done["people"], done["erased"]) == (3, 3)
        assert (await client.get("/v1/contacts/c0")).json()["erased"] is True
    async with await site.with_key(Scope.ACCOUNTS_WRITE) as client:
        assert (await client.delete("/v1/accounts/a1")).status_code == 403


async def test_all_of_it_is_in_the_published_description(site: Site) -> None:
    async with site.client() as client:
        paths = (await client.get("/v1/openapi.json")).json()["paths"]
    for path, verbs in {
        "/v1/contacts": {"get"},
        "/v1/contacts/{ref}": {"get", "delete"},
        "/v1/contacts/{external_id}": {"put"},
        "/v1/contacts/{ref}/consent": {"get", "post"},
        "/v1/contacts/{ref}/merge": {"post"},
        "/v1/contacts/duplicates": {"get"},
        "/v1/accounts": {"get"},
        "/v1/accounts/{ref}": {"get", "delete"},
        "/v1/accounts/{external_id}": {"put"},
        "/v1/erasures/{contact_id}": {"get"},
    }.items():
        assert set(paths[path]) == verbs, path


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"locale": "Svenska"}, "locale", "this is no language; write for example sv or sv-SE"),
        ({"phone": "4.67E+10"}, "phone", "this is no phone number; write for example +46 70 123 45 67"),
        ({"name": "x" * 201}, "name", "longer than 200 characters"),
        ({"nmae": "x"}, "nmae", "there is no such field; check its spelling"),
        ({"name": "a\x00b"}, "name", "holds a zero byte"),
    ],
)
async def test_what_cannot_be_right_of_a_person_is_named_and_nothing_is_written(
    site: Site, body: dict[str, str], field: str, reason: str
) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        answer = (await client.put("/v1/contacts/c1", json=body)).json()
        assert (answer["field"], answer["errors"]) == (field, [{"field": field, "reason": reason}])
        assert answer["what_to_do"] == "Correct what errors name, and send it again."
        assert (await client.get("/v1/contacts/c1")).status_code == 404


async def test_a_body_that_is_no_json_is_called_so(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        headers = {"content-type": "application/json"}
        answer = await client.put("/v1/contacts/c1", content=b'{"name": "A",}', headers=headers)
    said = answer.json()
    assert (answer.status_code, said["field"]) == (422, "body")
    assert said["errors"][0]["reason"].startswith("not readable as JSON: ")


@pytest.mark.parametrize("spelled", ["sv", "pt_BR", "zh-Hant-TW"])
@pytest.mark.parametrize("number", ["+46 70-123 45 67", "070/1234567", "(020) 7946 0018 ext. 12"])
async def test_languages_and_numbers_may_be_spelled_as_people_do(
    site: Site, spelled: str, number: str
) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        written = await client.put("/v1/contacts/c1", json={"locale": spelled, "phone": number})
        assert written.status_code == 204


async def test_the_end_of_a_contract_is_written_with_the_account(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        body = {"name": "Acme", "renewal_on": "2026-10-01"}
        assert (await client.put("/v1/accounts/a1", json=body)).status_code == 204
        assert (await client.get("/v1/accounts/a1")).json()["renewal_on"] == "2026-10-01"


async def test_nothing_is_written_about_somebody_erased_and_they_are_nobodys_double(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        for who, email in (("c1", "p@kund.example"), ("c2", "q@kund.example"), ("c2", "p@kund.example")):
            await client.put(f"/v1/contacts/{who}", json={"email": email})
        assert len((await client.get("/v1/contacts/duplicates")).json()) == 1
        await client.delete("/v1/contacts/c1")
        again = await client.put("/v1/contacts/c1", json={"name": "Anna"})
        assert (again.status_code, again.json()["field"]) == (410, "external_id")
        assert (await client.get("/v1/contacts/duplicates")).json() == []


async def test_a_merge_names_which_of_the_two_is_unknown(site: Site) -> None:
    async with await site.with_key(*ALL_OF_IT) as client:
        await client.put("/v1/contacts/c1", json={"email": "p@kund.example"})
        answer = (await client.post("/v1/contacts/c1/merge", json={"other": "nobody"})).json()
        assert answer["field"] == "other"
        assert "a backend's id" in answer["what_to_do"]
