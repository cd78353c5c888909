"""The web application that services add their routes to."""

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse

from shared.security.access import Access, Role, user_of
from shared.web import settings_pages, signin, static
from shared.web.description import install_description
from shared.web.errors import install_errors
from shared.web.packing import PackedPages
from shared.web.routing import join
from shared.web.security_headers import SecurityHeaders
from shared.web.streams import Streams


def web_app(access: Access, public_url: str, streams: Streams | None = None) -> FastAPI:
    """An application with sign-in, people and keys, static files, error pages and security headers.

    Args:
        access: Who may come in.
        public_url: The address by which people reach it; one-time links begin with it.
        streams: Bounds open streams, and ends them.
    """
    # No generated documentation pages: they load scripts from elsewhere, which the policy forbids.
    app = FastAPI(title="Afterword", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    app.state.access = access
    app.state.streams = streams or Streams()
    app.state.public_url = public_url.rstrip("/")
    https = public_url.startswith("https:")
    app.add_middleware(PackedPages)
    app.add_middleware(SecurityHeaders, https=https)
    install_errors(app, https=https)
    install_description(app, https=https)
    join(app, static.router, signin.router, settings_pages.router)
    app.add_api_route("/", home, include_in_schema=False)
    return app


async def home(request: Request) -> RedirectResponse:
    """The first page of whoever comes."""
    user = await user_of(request)
    if user is None:
        return RedirectResponse("/signin", 303)
    return RedirectResponse("/inbox" if user.role.includes(Role.REP) else "/scores", 303)
