import re

import pytest
from fastapi import FastAPI

from shared.security.access import Access
from shared.security.people import User
from shared.security.roles import Role, Scope
from tests.support.visitors import BASE, PASSWORD, Visitor, settle

NEW = {"name": "Bo Ek", "email": "bo@example.com", "role": "rep", "zone": "Europe/Stockholm", "locale": "sv"}


@pytest.fixture
async def admin(app: FastAPI, access: Access) -> Visitor:
    await settle(access, Role.ADMIN)
    visitor = Visitor.of(app)
    await visitor.sign_in(Role.ADMIN)
    return visitor


async def person(access: Access, email: str = "bo@example.com") -> User:
    user = await access.user_by_email(email)
    assert user is not None
    return user


async def test_an_admin_invites_and_the_link_works(admin: Visitor, app: FastAPI, access: Access) -> None:
    shown = await admin.submit("/settings/users", "/settings/users", **NEW)
    assert shown.status_code == 200
    [link] = re.findall(rf"{BASE}/setup/[\w-]+", shown.text)
    assert link not in (await admin.get("/settings/users")).text
    assert (await person(access)).zone == "Europe/Stockholm"
    path = link.removeprefix(BASE)
    done = await Visitor.of(app).submit(path, path, password=PASSWORD, again=PASSWORD)
    assert "Ditt lösenord är sparat" in done.text


@pytest.mark.parametrize(
    ("changed", "field"), [({"email": "nobody"}, "email"), ({"name": ""}, "name"), ({"zone": "Mars"}, "zone")]
)
async def test_a_wrong_field_is_marked_and_the_rest_kept(
    admin: Visitor, changed: dict[str, str], field: str
) -> None:
    refused = await admin.submit("/settings/users", "/settings/users", **(NEW | changed))
    assert refused.status_code == 422
    assert f'aria-describedby="e-{field}' in refused.text
    kept = "Bo Ek" if field != "name" else "bo@example.com"
    assert f'value="{kept}"' in refused.text


async def test_roles_links_and_access_are_changed_from_the_page(admin: Visitor, access: Access) -> None:
    await admin.submit("/settings/users", "/settings/users", **NEW)
    bo = await person(access)
    await admin.submit("/settings/users", f"/settings/users/{bo.id}/role", role="manager")
    assert (await person(access)).role is Role.MANAGER
    renewed = await admin.submit("/settings/users", f"/settings/users/{bo.id}/link")
    assert f"{BASE}/setup/" in renewed.text
    await admin.submit("/settings/users", f"/settings/users/{bo.id}/disable")
    assert (await person(access)).state == "disabled"
    refused = await admin.submit("/settings/users", f"/settings/users/{bo.id}/link")
    assert (refused.status_code, "enable it first" in refused.text) == (422, True)
    await admin.submit("/settings/users", f"/settings/users/{bo.id}/enable")
    assert (await person(access)).active


async def test_the_last_admin_cannot_lock_everybody_out(admin: Visitor, access: Access) -> None:
    me = await person(access, "admin@example.com")
    for action, fields in (("disable", {}), ("role", {"role": "rep"})):
        refused = await admin.submit("/settings/users", f"/settings/users/{me.id}/{action}", **fields)
        assert refused.status_code == 422
        assert "last admin" in refused.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/settings/users/0f8fad5b-d9cb-469f-a165-70867728950e/disable", 422),
        ("/settings/users/0f8fad5b-d9cb-469f-a165-70867728950e/promote", 404),
        ("/settings/users/none/disable", 422),
        ("/settings/api-keys/none/revoke", 422),
    ],
)
async def test_what_is_not_there_is_said(admin: Visitor, path: str, status: int) -> None:
    assert (await admin.submit("/settings/users", path)).status_code == status


async def test_a_role_that_does_not_exist_is_refused(admin: Visitor, access: Access) -> None:
    me = await person(access, "admin@example.com")
    refused = await admin.submit("/settings/users", f"/settings/users/{me.id}/role", role="owner")
    assert refused.status_code == 422


async def test_a_key_is_shown_once_and_can_be_revoked(admin: Visitor, access: Access) -> None:
    shown = await admin.submit(
        "/settings/api-keys",
        "/settings/api-keys",
        name="BI",
        lifetime="30",
        scopes=["scores:read", "rota:read"],
    )
    [key] = re.findall(r"aw_[\w-]+\.[\w-]+", shown.text)
    principal = await access.key_principal(key)
    assert principal is not None
    assert principal.scopes == {Scope.SCORES_READ, Scope.ROTA_READ}
    assert key not in (await admin.get("/settings/api-keys")).text
    [listed] = await access.list_keys()
    assert listed.expires_at is not None
    await admin.submit("/settings/api-keys", f"/settings/api-keys/{listed.id}/revoke")
    assert await access.key_principal(key) is None
    assert "Revoked" in (await admin.get("/settings/api-keys")).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"name": "", "scopes": ["scores:read"]}, "name"), ({"name": "BI", "scopes": ["all:write"]}, "scopes")],
)
async def test_a_key_without_name_or_scope_is_refused(
    admin: Visitor, access: Access, fields: dict[str, str | list[str]], field: str
) -> None:
    refused = await admin.submit("/settings/api-keys", "/settings/api-keys", **fields)
    assert refused.status_code == 422
    assert f'id="e-{field}"' in refused.text
    assert await access.list_keys() == []


async def test_a_name_is_shown_as_text(admin: Visitor) -> None:
    shown = await admin.submit(
        "/settings/users", "/settings/users", **(NEW | {"name": "<img src=x onerror=a>"})
    )
    assert "<img src=x" not in shown.text
