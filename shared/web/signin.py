"""Coming in and going out: sign-in, one-time links, sign-out."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from shared.security.access import (
    SignedInSession,
    access_of,
    cookie_name,
    local_path,
    session_of,
)
from shared.security.accounts import SESSION_LIFETIME
from shared.security.people import AccessRefusedError, SignedIn, Throttled, WrongCredentials
from shared.web.errors import ENVIRONMENT
from shared.web.forms import checked_form, form_token, keep_form_token
from shared.web.problems import Problem
from shared.web.templates import page

router = APIRouter(include_in_schema=False)

WRONG = "This address and password do not belong together."


@router.get("/signin")
async def signin_page(request: Request, next: str = "/") -> Response:  # noqa: A002 -- the name in the address
    """The form; who is signed in already goes on."""
    target = local_path(next)
    if await session_of(request) is not None:
        return RedirectResponse(target, 303)
    return _form_page(request, "signin.html", {"target": target, "email": "", "error": ""})


@router.post("/signin")
async def sign_in(request: Request) -> Response:
    """Check address and password; a wrong pair says no more than that."""
    fields = await checked_form(request)
    email, target = fields.get("email", ""), local_path(fields.get("next"))
    host = request.client.host if request.client else None
    result = await access_of(request).sign_in(email, fields.get("password", ""), host)
    match result:
        case SignedIn() as signed_in:
            response = RedirectResponse(target, 303)
            _set_cookie(request, response, signed_in.token)
            return response
        case Throttled(retry_after):
            seconds = ceil(retry_after.total_seconds())
            raise Problem(
                429,
                "Too many wrong tries for this address.",
                what_to_do=f"Wait {ceil(seconds / 60)} minutes, or ask an admin for a new one-time link.",
                retry_after=seconds,
            )
        case WrongCredentials():
            context = {"target": target, "email": email[:254], "error": WRONG}
            return _form_page(request, "signin.html", context, status=401)


@router.post("/signout")
async def sign_out(request: Request, _session: SignedInSession) -> Response:
    """End the session."""
    access = access_of(request)
    name = cookie_name(secure=access.secure)
    await access.sign_out(request.cookies.get(name, ""))
    response = RedirectResponse("/signin", 303)
    response.delete_cookie(name, path="/", secure=access.secure, httponly=True, samesite="lax")
    return response


@router.get("/setup/{token}")
async def setup_page(request: Request, token: str) -> Response:
    """The form to choose a password; opening it does not use the link up."""
    user = await access_of(request).setup_user(token)
    if user is None:
        raise _gone()
    return _form_page(request, "setup.html", {"user": user, "error": ""}, locale=user.locale)


@router.post("/setup/{token}")
async def set_up(request: Request, token: str) -> Response:
    """Set the password and go on to sign in."""
    fields = await checked_form(request)
    access = access_of(request)
    user = await access.setup_user(token)
    if user is None:
        raise _gone()
    error = (
        "" if fields.get("password") == fields.get("again") else "The two are not the same; type them again."
    )
    if not error:
        try:
            if await access.set_up(token, fields.get("password", "")) is None:
                raise _gone()
        except AccessRefusedError as refused:
            error = refused.reason
    if error:
        return _form_page(
            request, "setup.html", {"user": user, "error": error}, status=422, locale=user.locale
        )
    context = {"target": "/", "email": user.email, "error": "", "welcome": True}
    return _form_page(request, "signin.html", context, locale=user.locale)


def _gone() -> Problem:
    return Problem(
        410,
        "This link was used already, has expired, or was replaced by a newer one.",
        what_to_do="Ask an admin of your organisation for a new link.",
    )


def _form_page(
    request: Request, name: str, context: Mapping[str, Any], *, status: int = 200, locale: str | None = None
) -> Response:
    token = form_token(request)
    values = {"welcome": False, **context, "form_token": token}
    response = page(request, ENVIRONMENT, name, values, status=status, locale=locale)
    keep_form_token(request, response, token)
    return response


def _set_cookie(request: Request, response: Response, token: str) -> None:
    secure = access_of(request).secure
    response.set_cookie(
        cookie_name(secure=secure),
        token,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
