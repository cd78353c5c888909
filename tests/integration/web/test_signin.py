import re

import httpx
import pytest
from fastapi import FastAPI

from shared.runtime.clock import FakeMachine
from shared.security.access import Access, local_path
from shared.security.people import NewUser
from shared.security.roles import Role
from shared.security.throttle import PAIR_LIMIT, WINDOW
from shared.web.app import web_app
from tests.support.visitors import PASSWORD, Visitor, address_of, settle


async def test_the_first_admin_sets_a_password_and_signs_in(visitor: Visitor, access: Access) -> None:
    invitation = await access.invite(NewUser("ana@example.com", "Ana López", Role.ADMIN, locale="es"))
    shown = await visitor.get(invitation.path)
    assert "Ana López" in shown.text
    assert '<html lang="es">' in shown.text
    done = await visitor.submit(invitation.path, invitation.path, password=PASSWORD, again=PASSWORD)
    assert done.status_code == 200
    assert "Su contraseña está guardada" in done.text
    entered = await visitor.submit("/signin", "/signin", email="ana@example.com", password=PASSWORD)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert (await visitor.get("/")).headers["location"] == "/inbox"
    people = await visitor.get("/settings/users")
    assert "ana@example.com" in people.text
    assert (await visitor.get(invitation.path)).status_code == 410


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        pytest.param(PASSWORD, "another one entirely", "not the same", id="mistyped"),
        pytest.param("short", "short", "at least 12", id="weak"),
        pytest.param("", "", "at least 12", id="empty"),
    ],
)
async def test_a_password_that_will_not_do_keeps_the_link(
    visitor: Visitor, access: Access, password: str, again: str, says: str
) -> None:
    invitation = await access.invite(NewUser("ana@example.com", "Ana"))
    refused = await visitor.submit(invitation.path, invitation.path, password=password, again=again)
    assert refused.status_code == 422
    assert says in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert await access.setup_user(invitation.token) is not None


async def test_opening_a_link_over_and_over_does_not_use_it_up(visitor: Visitor, access: Access) -> None:
    invitation = await access.invite(NewUser("ana@example.com", "Ana"))
    for method in ("GET", "HEAD", "GET"):
        await visitor.client.request(method, invitation.path)
    assert await access.setup_user(invitation.token) is not None


@pytest.mark.parametrize("token", ["x", "x" * 5000, "%00", "%F0%9F%92%A9", "a%2f..%2fb"])
async def test_a_made_up_link_is_gone(visitor: Visitor, token: str) -> None:
    assert (await visitor.get(f"/setup/{token}")).status_code in {404, 410}


async def test_a_wrong_password_says_no_more_than_that(visitor: Visitor, access: Access) -> None:
    await settle(access, Role.REP)
    wrong = await visitor.sign_in(Role.REP, "not the password")
    unknown = await visitor.sign_in(Role.MANAGER, "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert "do not belong together" in wrong.text

    def without_address(response: httpx.Response) -> str:
        return re.sub(r'value="[^"]*"', "", response.text)

    assert without_address(wrong) == without_address(unknown)


async def test_who_guesses_is_told_how_long_to_wait(
    visitor: Visitor, access: Access, machine: FakeMachine
) -> None:
    await settle(access, Role.REP)
    for _ in range(PAIR_LIMIT):
        await visitor.sign_in(Role.REP, "guess")
    refused = await visitor.sign_in(Role.REP)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == str(int(WINDOW.total_seconds()))
    assert "15 minutes" in refused.text
    machine.advance(WINDOW.total_seconds())
    assert (await visitor.sign_in(Role.REP)).status_code == 303


async def test_the_cookie_is_kept_from_scripts_and_other_sites(visitor: Visitor, access: Access) -> None:
    await settle(access, Role.REP)
    cookie = (await visitor.sign_in(Role.REP)).headers["set-cookie"].lower()
    assert cookie.startswith("afterword=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


async def test_on_https_the_cookie_belongs_to_the_host_alone(access: Access) -> None:
    await settle(access, Role.REP)
    access.secure = True
    visitor = Visitor.of(web_app(access, "https://surveys.example.com"))
    visitor.client.base_url = httpx.URL("https://surveys.example.com")
    cookie = (await visitor.sign_in(Role.REP)).headers["set-cookie"]
    assert cookie.startswith("__Host-afterword=")
    assert "Secure" in cookie
    assert (await visitor.get("/signin")).headers["strict-transport-security"].startswith("max-age=")


async def test_signing_in_gives_a_new_token_each_time(app: FastAPI, access: Access) -> None:
    await settle(access, Role.REP)
    tokens = set()
    for _ in range(2):
        visitor = Visitor.of(app)
        visitor.client.cookies.set("afterword", "planted-by-somebody-else")
        await visitor.sign_in(Role.REP)
        tokens |= {cookie.value for cookie in visitor.client.cookies.jar if cookie.name == "afterword"}
    assert len(tokens - {"planted-by-somebody-else"}) == 2


async def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(
    visitor: Visitor, app: FastAPI, access: Access
) -> None:
    await settle(access, Role.REP)
    await visitor.sign_in(Role.REP)
    copy = Visitor.of(app)
    copy.client.cookies.update(visitor.client.cookies)
    assert (await copy.get("/desk")).status_code == 200
    assert (await visitor.submit("/desk", "/signout")).status_code == 303
    assert (await copy.get("/desk")).status_code == 303


async def test_a_stranger_comes_back_to_the_page_after_signing_in(visitor: Visitor, access: Access) -> None:
    await settle(access, Role.REP)
    sent = await visitor.get("/desk?state=open&page=2")
    assert sent.status_code == 303
    shown = await visitor.get(sent.headers["location"])
    assert 'name="next" value="/desk?state=open&amp;page=2"' in shown.text
    fields = {"email": address_of(Role.REP), "password": PASSWORD, "next": "/desk?state=open&page=2"}
    entered = await visitor.submit(sent.headers["location"], "/signin", **fields)
    assert entered.headers["location"] == "/desk?state=open&page=2"
    assert (await visitor.get("/signin?next=/desk")).headers["location"] == "/desk"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "\\\\evil.test",
        "/a\\..\\b",
        "javascript:alert(1)",
        "/\r\nSet-Cookie: a=b",
        "/\tx",
        "/" + "a" * 600,
        "/ñ",
        "desk",
        "",
        None,
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(target: str | None) -> None:
    assert local_path(target) == "/"


async def test_each_role_has_its_first_page(app: FastAPI, access: Access) -> None:
    for role, first in ((Role.VIEWER, "/scores"), (Role.REP, "/inbox")):
        await settle(access, role)
        visitor = Visitor.of(app)
        assert (await visitor.get("/")).headers["location"] == "/signin"
        await visitor.sign_in(role)
        assert (await visitor.get("/")).headers["location"] == first


async def test_the_navigation_shows_what_one_may_open(app: FastAPI, access: Access) -> None:
    await settle(access, Role.VIEWER)
    visitor = Visitor.of(app)
    await visitor.sign_in(Role.VIEWER)
    refused = await visitor.get("/desk")
    assert refused.status_code == 403
    assert 'href="/scores"' in refused.text
    assert 'href="/inbox"' not in refused.text


@pytest.mark.parametrize("path", ["/signin", "/setup/{token}"])
async def test_a_form_of_another_site_is_refused(visitor: Visitor, access: Access, path: str) -> None:
    invitation = await access.invite(NewUser("ana@example.com", "Ana"))
    path = path.format(token=invitation.token)
    fields: dict[str, str | list[str]] = {"email": "ana@example.com", "password": PASSWORD, "again": PASSWORD}
    without_cookie = await visitor.post(path, fields)
    await visitor.get(path)
    without_field = await visitor.post(path, fields)
    wrong_field = await visitor.post(path, fields | {"form": "x" * 22})
    visitor.client.headers["sec-fetch-site"] = "cross-site"
    from_elsewhere = await visitor.submit(path, path, **fields)
    for refused in (without_cookie, without_field, wrong_field, from_elsewhere):
        assert refused.status_code == 403
    assert await access.setup_user(invitation.token) is not None
