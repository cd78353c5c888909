"""Settings that every installation has: the people, and the keys of programs. Admins alone."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from shared.security.access import Role, Scope, User, access_of, require_role
from shared.security.people import AccessRefusedError, Invitation, NewUser
from shared.web.errors import ENVIRONMENT
from shared.web.forms import text_fields
from shared.web.i18n import LOCALES
from shared.web.problems import Problem
from shared.web.templates import page

router = APIRouter(prefix="/settings", include_in_schema=False)

Admin = Annotated[User, Depends(require_role(Role.ADMIN))]
LIFETIMES = {"30": timedelta(days=30), "365": timedelta(days=365), "": None}


@router.get("/users")
async def users_page(request: Request, _admin: Admin) -> Response:
    """Everybody who has an account."""
    return await _users(request)


@router.post("/users")
async def invite(request: Request, admin: Admin) -> Response:
    """Invite somebody; the page shows the one-time link, this once."""
    fields = await text_fields(request)
    try:
        new = NewUser(
            email=fields.get("email", ""),
            name=fields.get("name", ""),
            role=_role(fields.get("role", "")),
            zone=fields.get("zone", "") or admin.zone,
            locale=fields.get("locale", "") if fields.get("locale") in LOCALES else admin.locale,
            phone=fields.get("phone"),
        )
        invitation = await access_of(request).invite(new, f"user:{admin.id}")
    except AccessRefusedError as refused:
        return await _users(request, refused=refused, form=fields)
    return await _users(request, invitation=invitation)


@router.post("/users/{user_id}/link")
async def renew_link(request: Request, user_id: UUID, admin: Admin) -> Response:
    """Make a new one-time link, for a lost one or a forgotten password."""
    try:
        invitation = await access_of(request).renew_link(user_id, f"user:{admin.id}")
    except AccessRefusedError as refused:
        return await _users(request, refused=refused)
    return await _users(request, invitation=invitation)


@router.post("/users/{user_id}/role")
async def change_role(request: Request, user_id: UUID, admin: Admin) -> Response:
    """Change what somebody may do."""
    role = _role((await text_fields(request)).get("role", ""))
    try:
        await access_of(request).change_role(user_id, role, f"user:{admin.id}")
    except AccessRefusedError as refused:
        return await _users(request, refused=refused)
    return RedirectResponse("/settings/users", 303)


@router.post("/users/{user_id}/{action}")
async def disable_or_enable(request: Request, user_id: UUID, action: str, admin: Admin) -> Response:
    """Shut an account, or open it again."""
    access = access_of(request)
    changes = {"disable": access.disable, "enable": access.enable}
    if action not in changes:
        raise Problem(404, "There is no such action.")
    try:
        await changes[action](user_id, f"user:{admin.id}")
    except AccessRefusedError as refused:
        return await _users(request, refused=refused)
    return RedirectResponse("/settings/users", 303)


@router.get("/api-keys")
async def keys_page(request: Request, _admin: Admin) -> Response:
    """All keys."""
    return await _keys(request)


@router.post("/api-keys")
async def create_key(request: Request, admin: Admin) -> Response:
    """Make a key; the page shows it, this once."""
    form = await request.form()
    known = {scope.value for scope in Scope}
    scopes = {Scope(str(scope)) for scope in form.getlist("scopes") if scope in known}
    lifetime = LIFETIMES.get(str(form.get("lifetime", "")))
    try:
        _, text = await access_of(request).create_key(str(form.get("name", "")), scopes, lifetime, admin)
    except AccessRefusedError as refused:
        return await _keys(request, refused=refused, name=str(form.get("name", "")), chosen=scopes)
    return await _keys(request, fresh=text)


@router.post("/api-keys/{key_id}/revoke")
async def revoke_key(request: Request, key_id: UUID, admin: Admin) -> Response:
    """Shut a key for good."""
    await access_of(request).revoke_key(key_id, f"user:{admin.id}")
    return RedirectResponse("/settings/api-keys", 303)


async def _users(
    request: Request,
    *,
    invitation: Invitation | None = None,
    refused: AccessRefusedError | None = None,
    form: dict[str, str] | None = None,
) -> Response:
    context: dict[str, Any] = {
        "users": await access_of(request).list_users(),
        "roles": list(Role),
        "locales": LOCALES,
        "invitation": invitation,
        "link": request.app.state.public_url + invitation.path if invitation else "",
        "refused": refused,
        "form": form or {},
    }
    return page(request, ENVIRONMENT, "users.html", context, status=422 if refused else 200)


async def _keys(
    request: Request,
    *,
    fresh: str = "",
    refused: AccessRefusedError | None = None,
    name: str = "",
    chosen: set[Scope] | None = None,
) -> Response:
    context = {
        "keys": await access_of(request).list_keys(),
        "now": access_of(request).now(),
        "scopes": sorted(Scope),
        "fresh": fresh,
        "refused": refused,
        "name": name,
        "chosen": chosen or set(),
    }
    return page(request, ENVIRONMENT, "api_keys.html", context, status=422 if refused else 200)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Problem(
            422, "There is no such role.", what_to_do="Choose viewer, rep, manager or admin.", field="role"
        ) from None
