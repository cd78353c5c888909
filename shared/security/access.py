"""What routes ask before they answer: a role for pages, a scope for the API.

`Depends(require_role("rep"))` gives the `User`, `Depends(require_scope("scores:read"))` the `Principal`. Both
refuse a form or call that another site made a signed-in browser send, so no route has to remember it. The
application carries the `Access` as `app.state.access`.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request

from shared.security.accounts import Access
from shared.security.people import Principal, Session, User
from shared.security.roles import ROLE_SCOPES, Role, Scope
from shared.web.problems import Problem, Redirect, wants_html
from shared.web.queries import refuse_unknown

__all__ = [
    "Access",
    "Needs",
    "Principal",
    "Role",
    "Scope",
    "SignedInSession",
    "User",
    "cookie_name",
    "local_path",
    "refuse_foreign_form",
    "require_role",
    "require_scope",
    "require_session",
    "session_of",
    "user_of",
]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_NEXT_CHARS = 500
_NOT_ASKED = object()


def access_of(request: Request) -> Access:
    """The application's `Access`."""
    access: Access = request.app.state.access
    return access


def cookie_name(*, secure: bool) -> str:
    """Browsers tie a `__Host-` cookie to this very host, and to https; plain http has no such thing."""
    return "__Host-afterword" if secure else "afterword"


async def session_of(request: Request) -> Session | None:
    """The signed-in person's session; None for a stranger. Asked once a request."""
    known = getattr(request.state, "session", _NOT_ASKED)
    if known is _NOT_ASKED:
        access = access_of(request)
        token = request.cookies.get(cookie_name(secure=access.secure), "")
        request.state.session = await access.session(token) if token else None
    session: Session | None = request.state.session
    return session


async def user_of(request: Request) -> User | None:
    """The signed-in person; None for a stranger."""
    session = await session_of(request)
    return None if session is None else session.user


async def require_session(request: Request) -> Session:
    """Any signed-in person; others are sent to the sign-in page, or get 401 where no page was asked for."""
    session = await session_of(request)
    if session is None:
        if wants_html(request):
            raise Redirect(f"/signin?next={quote(_way_back(request), safe='/')}")
        raise Problem(
            401,
            "You are not signed in.",
            what_to_do="Sign in at /signin, or send an API key: Authorization: Bearer aw_...",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if request.method not in SAFE_METHODS:
        await _refuse_forgery(request, session)
    return session


SignedInSession = Annotated[Session, Depends(require_session)]


@lru_cache
def require_role(role: Role | str) -> Callable[..., Awaitable[User]]:
    """A dependency: somebody signed in with this role or a higher one.

    Raises:
        ValueError: There is no such role.
    """
    needed = Role(role)

    async def signed_in_as(session: SignedInSession) -> User:
        if not session.user.role.includes(needed):
            raise Problem(
                403,
                f"This needs the role {needed}; you are signed in as {session.user.role}.",
                what_to_do="Ask an admin of your organisation to do it or to change your role.",
            )
        return session.user

    return signed_in_as


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency: an API key with this scope, or somebody signed in whose role has it.

    The descriptions of the interfaces read the scope off it.
    """

    scope: Scope

    async def __call__(self, request: Request) -> Principal:
        """Who asks; whose misspelt parameters are named to them, and to nobody who may not ask.

        Raises:
            Problem: 401 nobody known asks, 403 who asks has not the scope.
            RequestValidationError: A parameter of the address is none of the route.
        """
        principal = await _principal(request)
        if self.scope not in principal.scopes:
            whose = f"your role {principal.user.role}" if principal.user else f"the key {principal.name!r}"
            lowest = next(role for role in Role if self.scope in ROLE_SCOPES[role])
            raise Problem(
                403,
                f"This needs the scope {self.scope}, which {whose} has not.",
                what_to_do=f"Ask an admin for a key with {self.scope}, or for the role {lowest}.",
            )
        refuse_unknown(request)
        return principal


@lru_cache
def require_scope(scope: Scope | str) -> Needs:
    """What a route depends on that a scope opens.

    Raises:
        ValueError: There is no such scope.
    """
    return Needs(Scope(scope))


async def _principal(request: Request) -> Principal:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return Principal.of_user((await require_session(request)).user)
    scheme, _, key = authorization.partition(" ")
    found = None
    if scheme.lower() == "bearer":
        found = await access_of(request).key_principal(key.strip())
    if found is None:
        raise Problem(
            401,
            "This API key is unknown, expired or revoked.",
            what_to_do="Send Authorization: Bearer aw_... with a key from Settings, API keys.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return found


async def _refuse_forgery(request: Request, session: Session) -> None:
    """A browser sends its cookie along with whatever any site makes it send; the CSRF token it cannot."""
    refuse_foreign_form(request)
    given = request.headers.get("x-csrf-token")
    if given is None and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        field = (await request.form()).get("csrf")
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise Problem(
            403,
            "This form is too old, or was not sent from our page.",
            what_to_do="Go back, reload the page and send it again. "
            "A program sends an API key instead of a cookie.",
        )


def refuse_foreign_form(request: Request) -> None:
    """Refuse a request that a page of another site made the browser send.

    Our pages send no referrer, so browsers give `Origin: null` even for our own forms: then, as without
    either header, the token in the form decides alone.

    Raises:
        Problem: 403.
    """
    if is_foreign(request.headers):
        raise Problem(
            403,
            "This form was sent from another site.",
            what_to_do="Open the page here and send the form again.",
        )


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether the browser says that another site is behind this request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin in {None, "null"}:
        return False
    return urlsplit(str(origin)).netloc != headers.get("host", "")


def local_path(target: str | None, default: str = "/") -> str:
    """A path on this installation to go on to; anything that could lead elsewhere becomes the default."""
    if not target or len(target) > MAX_NEXT_CHARS or not target.isascii() or not target.isprintable():
        return default
    # Browsers read a backslash as a slash, and two slashes as the start of a host.
    if not target.startswith("/") or target[1:2] in {"/", "\\"} or "\\" in target:
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc else target


def _way_back(request: Request) -> str:
    """Where to go after signing in: the page that was asked for; the content of a form is lost."""
    if request.method not in SAFE_METHODS:
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return local_path(request.url.path + query)
