"""Forms of people who are not signed in yet, guarded by a cookie and a field that must be equal.

Another site can make a browser send a form, but neither read nor send this cookie (SameSite=Strict).
"""

import hmac

from fastapi import Request
from fastapi.responses import Response

from shared.runtime.ids import random_token
from shared.security.access import access_of, refuse_foreign_form
from shared.web.problems import Problem

MIN_TOKEN_CHARS = 20


def form_token(request: Request) -> str:
    """The token of this browser's form cookie, or a new one; put it into the field `form`."""
    token = request.cookies.get(_cookie(request), "")
    return token if len(token) >= MIN_TOKEN_CHARS else random_token(16)


def keep_form_token(request: Request, response: Response, token: str) -> None:
    """Set the cookie that the field is compared with."""
    secure = access_of(request).secure
    response.set_cookie(_cookie(request), token, path="/", secure=secure, httponly=True, samesite="strict")


async def checked_form(request: Request) -> dict[str, str]:
    """The text fields of the form, once it is clear that our own page sent it.

    Raises:
        Problem: 403; somebody else's page, or the cookie is gone.
    """
    refuse_foreign_form(request)
    fields = await text_fields(request)
    token = request.cookies.get(_cookie(request), "")
    if len(token) < MIN_TOKEN_CHARS or not hmac.compare_digest(
        token.encode(), fields.get("form", "").encode()
    ):
        raise Problem(
            403,
            "This form is too old, or your browser refuses cookies.",
            what_to_do="Go back, reload the page and send it again; allow cookies for this site.",
        )
    return fields


async def text_fields(request: Request) -> dict[str, str]:
    """The first value of each text field of the form."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _cookie(request: Request) -> str:
    return "__Host-afterword-form" if access_of(request).secure else "afterword-form"
