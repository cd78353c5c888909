"""Roles, scopes and forged requests: who gets what on which kind of route."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from shared.runtime.clock import FixedClock
from shared.security.access import Access, require_role, require_scope
from shared.security.roles import Role, Scope
from tests.support.visitors import BASE, Visitor, hidden_fields, settle

JSON = {"accept": "application/json", "sec-fetch-site": "none"}


async def come_in(app: FastAPI, access: Access, role: Role) -> Visitor:
    await settle(access, role)
    visitor = Visitor.of(app)
    await visitor.sign_in(role)
    return visitor


async def csrf_of(visitor: Visitor) -> str:
    token = hidden_fields((await visitor.get("/desk")).text)["csrf"]
    assert isinstance(token, str)
    return token


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.REP, 200), (Role.MANAGER, 200), (Role.ADMIN, 200)]
)
async def test_a_page_asks_for_a_role_or_more(app: FastAPI, access: Access, role: Role, status: int) -> None:
    visitor = await come_in(app, access, role)
    assert (await visitor.get("/desk")).status_code == status


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.REP, 403), (Role.MANAGER, 403), (Role.ADMIN, 200)]
)
@pytest.mark.parametrize("path", ["/settings/users", "/settings/api-keys"])
async def test_people_and_keys_are_for_admins(
    app: FastAPI, access: Access, role: Role, status: int, path: str
) -> None:
    visitor = await come_in(app, access, role)
    assert (await visitor.get(path)).status_code == status


async def test_a_refusal_names_the_role_and_the_way_out(app: FastAPI, access: Access) -> None:
    visitor = await come_in(app, access, Role.VIEWER)
    refused = await visitor.get("/desk")
    assert "needs the role rep" in refused.text
    assert "Ask an admin" in refused.text


async def test_a_program_without_a_key_gets_json(visitor: Visitor) -> None:
    for path in ("/v1/scores", "/desk"):
        refused = await visitor.get(path, accept="application/json")
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["www-authenticate"] == "Bearer"
        assert "API key" in refused.json()["what_to_do"]


async def test_the_api_never_redirects_not_even_a_browser(visitor: Visitor) -> None:
    assert (await visitor.get("/v1/scores")).status_code == 401


async def test_a_key_opens_what_it_may_and_no_more(visitor: Visitor, access: Access) -> None:
    _, key = await access.create_key("BI", {Scope.SCORES_READ})
    bearer = {"authorization": f"Bearer {key}"}
    assert (await visitor.get("/v1/scores", **bearer)).json() == {"who": "BI"}
    refused = await visitor.client.post("/v1/brake", headers=bearer)
    assert refused.status_code == 403
    assert "brake:write" in refused.json()["detail"]
    assert "the role manager" in refused.json()["what_to_do"]


async def test_a_misspelt_parameter_is_named_to_who_may_ask_and_to_nobody_else(
    visitor: Visitor, access: Access
) -> None:
    """Ignored, it would filter nothing, and everything would be given."""
    _, key = await access.create_key("BI", {Scope.SCORES_READ})
    refused = await visitor.get("/v1/scores?programe=x", authorization=f"Bearer {key}")
    assert (refused.status_code, refused.json()["field"]) == (422, "programe")
    assert (await visitor.get("/v1/scores?programe=x")).status_code == 401
    assert (await visitor.get("/signin?utm_source=news")).status_code == 200


async def test_a_key_needs_no_form_token(visitor: Visitor, access: Access) -> None:
    _, key = await access.create_key("Ops", {Scope.BRAKE_WRITE})
    stopped = await visitor.client.post("/v1/brake", headers={"authorization": f"Bearer {key}"})
    assert stopped.json() == {"who": "key"}


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer aw_none.none", "Basic YTpi", "Bearer \u00e9", "aw_x"]
)
async def test_a_bad_key_is_refused_whatever_cookie_comes_with_it(
    app: FastAPI, access: Access, authorization: str
) -> None:
    visitor = await come_in(app, access, Role.ADMIN)
    headers = httpx.Headers({"authorization": authorization}, encoding="utf-8")
    refused = await visitor.client.get("/v1/scores", headers=headers)
    assert refused.status_code == 401
    assert "invalid_token" in refused.headers["www-authenticate"]


async def test_a_key_in_the_address_is_no_key(visitor: Visitor, access: Access) -> None:
    _, key = await access.create_key("BI", {Scope.SCORES_READ})
    for name in ("key", "api_key", "access_token", "token"):
        assert (await visitor.get(f"/v1/scores?{name}={key}")).status_code == 401


async def test_expired_and_revoked_keys_are_refused_at_once(
    visitor: Visitor, access: Access, clock: FixedClock
) -> None:
    short, short_text = await access.create_key("short", {Scope.SCORES_READ}, timedelta(hours=1))
    lasting, lasting_text = await access.create_key("lasting", {Scope.SCORES_READ})
    clock.advance(timedelta(hours=1))
    assert (await visitor.get("/v1/scores", authorization=f"Bearer {short_text}")).status_code == 401
    assert (await visitor.get("/v1/scores", authorization=f"Bearer {lasting_text}")).status_code == 200
    await access.revoke_key(lasting.id)
    assert (await visitor.get("/v1/scores", authorization=f"Bearer {lasting_text}")).status_code == 401
    assert short.expires_at == clock.now()


async def test_a_signed_in_person_has_the_scopes_of_the_role(app: FastAPI, access: Access) -> None:
    rep = await come_in(app, access, Role.REP)
    assert (await rep.get("/v1/scores")).json() == {"who": "The rep"}
    manager = await come_in(app, access, Role.MANAGER)
    for visitor, status in ((rep, 403), (manager, 200)):
        token = await csrf_of(visitor)
        answer = await visitor.client.post("/v1/brake", headers={"x-csrf-token": token})
        assert answer.status_code == status


async def test_a_form_needs_its_token(app: FastAPI, access: Access) -> None:
    visitor = await come_in(app, access, Role.REP)
    token = await csrf_of(visitor)
    assert (await visitor.post("/desk", {"csrf": token})).json() == {"who": "rep@example.com"}
    for fields in ({}, {"csrf": ""}, {"csrf": token[:-1]}, {"csrf": "\u00e9"}, {"csrf": token.swapcase()}):
        refused = await visitor.post("/desk", dict(fields))
        assert refused.status_code == 403
        assert "reload the page" in refused.text


async def test_another_persons_token_does_not_help(app: FastAPI, access: Access) -> None:
    rep, admin = await come_in(app, access, Role.REP), await come_in(app, access, Role.ADMIN)
    assert (await admin.post("/desk", {"csrf": await csrf_of(rep)})).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(
            {"sec-fetch-site": "same-origin", "origin": "null"}, 200, id="our page sends no referrer"
        ),
        pytest.param({"sec-fetch-site": "none"}, 200, id="typed"),
        pytest.param({"sec-fetch-site": "cross-site"}, 403, id="another site"),
        pytest.param({"sec-fetch-site": "same-site"}, 403, id="a sibling host"),
        pytest.param({"sec-fetch-site": "x"}, 403, id="unheard of"),
        pytest.param({"origin": BASE}, 200, id="old browser, our page"),
        pytest.param({"origin": "http://evil.test"}, 403, id="old browser, another site"),
        pytest.param({"origin": BASE + ".evil.test"}, 403, id="old browser, look-alike"),
        pytest.param({}, 200, id="neither header"),
    ],
)
async def test_the_browser_says_where_a_form_comes_from(
    app: FastAPI, access: Access, headers: dict[str, str], status: int
) -> None:
    visitor = await come_in(app, access, Role.REP)
    token = await csrf_of(visitor)
    del visitor.client.headers["sec-fetch-site"]
    assert (await visitor.post("/desk", {"csrf": token}, **headers)).status_code == status


async def test_a_body_disguised_as_text_is_refused(app: FastAPI, access: Access) -> None:
    visitor = await come_in(app, access, Role.MANAGER)
    token = await csrf_of(visitor)
    disguised = await visitor.client.post(
        "/v1/brake", content=f'{{"csrf": "{token}"}}', headers={"content-type": "text/plain", **JSON}
    )
    assert disguised.status_code == 403


def test_a_role_or_scope_that_does_not_exist_fails_when_the_route_is_made() -> None:
    with pytest.raises(ValueError, match="owner"):
        require_role("owner")
    with pytest.raises(ValueError, match="everything"):
        require_scope("everything:write")
