"""The ledger, the directory, the brake and the pages, over HTTP."""

from __future__ import annotations

import pytest

from shared.runtime.clock import FakeMachine
from shared.security.roles import Role, Scope
from shared.security.tokens import Tokens
from tests.support.trigger import Site, World, site_of

ANNA = {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg"}
ACME = {"id": "a1", "name": "Acme"}


@pytest.fixture
async def site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    await world.tell(
        "order.delivered", id="ev1", contact=ANNA, account=ACME, subject={"kind": "order", "id": "o1"}
    )
    await world.tell(
        "order.delivered", id="ev2", contact=ANNA, account=ACME, subject={"kind": "order", "id": "o2"}
    )
    await world.later(hours=2)
    return site_of(world, machine, tokens)


@pytest.mark.parametrize("query", ["contact=anna@kund.example", "contact=c1", "account=a1", "account=Acme"])
async def test_why_somebody_was_or_was_not_asked(site: Site, query: str) -> None:
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        found = (await client.get(f"/v1/decisions?{query}")).json()["decisions"]
    assert [d["outcome"] for d in found] == ["suppressed", "requested", "planned", "planned"]
    assert found[0]["sentence"].startswith(
        "“delivery-csat” was not sent, because the person was asked too recently"
    )
    assert found[0]["reason"] == "quarantined"
    assert "anna" not in str(found).lower()


async def test_decisions_by_event_and_by_page(site: Site) -> None:
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        by_event = (await client.get("/v1/decisions?event=ev2")).json()["decisions"]
        assert {d["event_id"] for d in by_event} == {"ev2"}
        first = (await client.get("/v1/decisions?contact=c1&limit=3")).json()
        rest = (await client.get(f"/v1/decisions?contact=c1&limit=3&before={first['before']}")).json()
        assert (len(first["decisions"]), len(rest["decisions"]), rest["before"]) == (3, 1, None)
        assert (await client.get("/v1/decisions")).status_code == 422
        assert (await client.get("/v1/decisions?contact=nobody")).status_code == 404
        books = (await client.get("/v1/decisions/books")).json()
        assert (books["planned"], books["requested"], books["suppressed"]) == (2, 1, {"quarantined": 1})


async def test_scopes_are_asked_for(site: Site) -> None:
    async with await site.with_key(Scope.SCORES_READ) as client:
        for path in (
            "/v1/decisions?contact=c1",
            "/v1/contacts/c1",
            "/v1/accounts/a1",
            "/v1/brake",
            "/v1/organisation",
        ):
            assert (await client.get(path)).status_code == 403
        assert (await client.delete("/v1/contacts/c1")).status_code == 403
    async with site.client() as client:
        assert (await client.get("/v1/decisions?contact=c1")).status_code == 401


async def test_contacts_are_shown_written_and_erased(site: Site) -> None:
    async with await site.with_key(Scope.CONTACTS_READ, Scope.CONTACTS_WRITE) as client:
        assert (await client.get("/v1/contacts/anna@kund.example")).json()["person"]["name"] == "Anna Berg"
        assert (
            await client.put("/v1/contacts/c9", json={"email": "new@kund.example", "account": "a1"})
        ).status_code == 204
        shown = (await client.get("/v1/contacts/c9")).json()
        assert shown["person"]["email"] == "new@kund.example"
        assert (await client.delete("/v1/contacts/c1")).status_code == 202
        assert (await client.delete("/v1/contacts/c1")).status_code == 202
        gone = (await client.get("/v1/contacts/c1")).json()
        assert (gone["erased"], gone["person"]["email"]) == (True, "")
        assert (await client.delete("/v1/contacts/nobody")).status_code == 404


async def test_accounts_are_shown_and_written(site: Site) -> None:
    async with await site.with_key(Scope.ACCOUNTS_READ, Scope.ACCOUNTS_WRITE) as client:
        assert (await client.put("/v1/accounts/a1", json={"tier": "key"})).status_code == 204
        shown = (await client.get("/v1/accounts/a1")).json()
        assert (shown["name"], shown["tier"]) == ("Acme", "key")
        assert (await client.put("/v1/accounts/a1", json={"teir": "key"})).status_code == 422
        assert (await client.put("/v1/accounts/a1", json={"tier": "gold"})).status_code == 422


async def test_the_brake_and_the_programmes(site: Site) -> None:
    async with await site.with_key(Scope.BRAKE_READ, Scope.BRAKE_WRITE, Scope.PROGRAMMES_READ) as client:
        state = (
            await client.post("/v1/brake", json={"scope": "programme", "subject": "delivery-csat"})
        ).json()
        assert [b["subject"] for b in state["brakes"]] == ["delivery-csat"]
        listed = {p["key"]: p["state"] for p in (await client.get("/v1/programmes")).json()}
        assert listed["delivery-csat"] == "paused"
        assert (await client.get("/v1/programmes/delivery-csat")).json()["key"] == "delivery-csat"
        done = await client.delete("/v1/brake", params={"scope": "programme", "subject": "delivery-csat"})
        assert done.json()["brakes"] == []
        assert (
            await client.post("/v1/brake", json={"scope": "programme", "subject": "nope"})
        ).status_code == 404


@pytest.mark.parametrize("path", ["", "/plans", "/rehearsal", "/asks/preview?contact=c1"])
async def test_a_nul_in_the_key_of_a_programme_is_named(site: Site, path: str) -> None:
    async with await site.with_key(Scope.PROGRAMMES_READ, Scope.TOUCHPOINTS_WRITE) as client:
        found = await client.get(f"/v1/programmes/a%00b{path}")
        assert (found.status_code, found.json()["field"]) == (422, "key")
    async with await site.signed_in(Role.MANAGER) as client:
        assert (await client.get("/programmes/a%00b")).status_code == 422


async def test_a_nul_in_a_brake_is_refused_and_a_brake_names_no_operator(site: Site) -> None:
    async with await site.with_key(Scope.BRAKE_READ, Scope.BRAKE_WRITE) as client:
        for scope in ("programme", "account"):
            wrong = {"scope": scope, "subject": "a\x00b"}
            assert (await client.post("/v1/brake", json=wrong)).status_code == 422
            assert (await client.delete("/v1/brake", params=wrong)).status_code == 422
        noted = {"scope": "all", "note": "\x00"}
        assert (await client.post("/v1/brake", json=noted)).status_code == 422
        (brake,) = (await client.post("/v1/brake", json={"scope": "all"})).json()["brakes"]
        assert brake["set_by"].startswith("key:")
        await client.delete("/v1/brake", params={"scope": "all"})
    async with await site.signed_in(Role.MANAGER) as client:
        form = {"scope": "account", "subject": "a\x00b"}
        assert (await client.post("/programmes/pause", data=form)).status_code == 404


async def test_the_organisation_is_read_and_written(site: Site) -> None:
    async with await site.with_key(Scope.SETTINGS_READ, Scope.SETTINGS_WRITE) as client:
        settings = (await client.get("/v1/organisation")).json()
        assert settings["name"] == "Nordlicht"
        assert (
            await client.put("/v1/organisation", json={**settings, "zone": "Mars/Base"})
        ).status_code == 422
        written = await client.put("/v1/organisation", json={**settings, "name": "Sydlicht"})
        assert written.status_code == 200
        assert (await client.get("/v1/organisation")).json()["name"] == "Sydlicht"


@pytest.mark.parametrize(
    "changes", [{"name": "A\x00B"}, {"own_domains": ["a\x00.example"]}, {"privacy_note": {"en": "\x00"}}]
)
async def test_settings_that_cannot_be_stored_are_refused(site: Site, changes: dict[str, object]) -> None:
    async with await site.with_key(Scope.SETTINGS_READ, Scope.SETTINGS_WRITE) as client:
        settings = (await client.get("/v1/organisation")).json()
        assert (await client.put("/v1/organisation", json=settings | changes)).status_code == 422
        assert (await client.get("/v1/organisation")).json() == settings


async def test_the_why_page_answers_a_rep(site: Site) -> None:
    async with await site.signed_in(Role.REP) as client:
        empty = await client.get("/why")
        assert empty.status_code == 200
        found = await client.get("/why", params={"q": "anna@kund.example"})
        assert "Anna Berg" in found.text
        assert "because the person was asked too recently" in found.text
        assert "Nothing is known by that" in (await client.get("/why?q=nobody@else.example")).text
        assert "Acme" in (await client.get("/why?q=a1")).text
        assert "was planned" in (await client.get("/why?q=ev1")).text
    async with await site.signed_in(Role.VIEWER) as client:
        assert (await client.get("/why")).status_code == 403


async def test_the_why_page_of_an_account_names_people_and_programmes(site: Site) -> None:
    async with await site.signed_in(Role.REP) as client:
        account = (await client.get("/why?q=a1")).text
        for named in ("Anna Berg", "anna@kund.example", "“Delivery” was planned"):
            assert named in account, named
        assert 'href="/programmes/delivery-csat"' in account
        programme = (await client.get("/why?q=delivery-csat")).text
        assert "Anna Berg" in programme
        assert '<h2 id="answer">Delivery</h2>' in programme
        assert "Anna Berg" in (await client.get("/why?q=ev1")).text
        await site.world.tell("contact.deleted", contact={"id": "c1"})
        erased = (await client.get("/why?q=a1")).text
    assert "anna@kund.example" not in erased
    assert "A person whose data were erased" in erased


async def test_the_why_page_leads_from_a_former_id_to_who_stays(blank_site: Site) -> None:
    world = blank_site.world
    for who, name in (("c1", "Anna Berg"), ("c2", "A. Berg")):
        person = {"id": who, "email": f"{who}@kund.example", "name": name}
        order = {"kind": "order", "id": f"o-{who}"}
        await world.tell("order.delivered", contact=person, account={"id": "a1"}, subject=order)
    await world.tell("contact.merged", contacts=[{"id": "c1"}, {"id": "c2"}])
    async with await blank_site.signed_in(Role.REP) as client:
        account = (await client.get("/why?q=a1")).text
    assert "Anna Berg" in account
    assert "A. Berg" not in account


async def test_the_programmes_page_pauses_and_resumes(site: Site) -> None:
    async with await site.signed_in(Role.MANAGER) as client:
        assert "Onboarding" in (await client.get("/programmes")).text
        for form in (
            {"scope": "all"},
            {"scope": "programme", "subject": "delivery-csat"},
            {"scope": "account", "subject": "Acme"},
        ):
            done = await client.post("/programmes/pause", data=form)
            assert done.status_code == 303
        shown = (await client.get("/programmes")).text
        assert "All sending is paused" in shown
        assert "Resume Acme" in shown
        assert "Resume delivery-csat" in shown
        assert (await client.post("/programmes/resume", data={"scope": "all"})).status_code == 303
        assert "All sending is paused" not in (await client.get("/programmes")).text
        assert (await client.post("/programmes/pause", data={"scope": "moon"})).status_code == 422
    async with await site.signed_in(Role.VIEWER) as client:
        assert "Pause all sending" not in (await client.get("/programmes")).text
        assert (await client.post("/programmes/pause", data={"scope": "all"})).status_code == 403


async def test_the_settings_page_saves_and_complains(site: Site) -> None:
    form = {
        "name": "Nordlicht AB", "zone": "Europe/Oslo", "locales": ["en", "sv"], "sender_name": "Maria",
        "sender_email": "maria@nordlicht.example", "reply_to": "", "public_url": "https://ask.example/",
        "own_domains": "nordlicht.example, @other.example", "address": "Gata 1", "colour": "#123456",
    }  # fmt: skip
    async with await site.signed_in(Role.ADMIN) as client:
        assert "Maria Lind" in (await client.get("/settings")).text
        assert (await client.post("/settings", data=form)).status_code == 303
        shown = (await client.get("/settings?saved=true")).text
        assert "Europe/Oslo" in shown
        assert "other.example" in shown
        wrong = await client.post(
            "/settings", data={**form, "zone": "Mars", "sender_email": "noreply@x.example"}
        )
        assert wrong.status_code == 422
        assert "There is no such time zone" in wrong.text
        assert "Let a person sign" in wrong.text
    async with await site.signed_in(Role.REP) as client:
        assert "Nordlicht AB" in (await client.get("/settings")).text
        assert (await client.post("/settings", data=form)).status_code == 403
