"""A product page with the widget on it: `python -m demo.widget --contact ID`.

The page stands for a customer's own product. Its backend is these few lines: it knows who is signed in and
signs a token for the widget, with the secret that Afterword has too.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import html
import json

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from shared.runtime.clock import Machine, SystemMachine

HOUR = 3600
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Routes</title></head>
<body><main><h1>Routes</h1>
<p>You are signed in as <b>{contact}</b>. If a survey waits for you here, it shows in the corner.</p>
<p><button type="button">Plan a route</button></p></main>
<script src="{src}" integrity="{integrity}" crossorigin="anonymous" defer data-token="{token}"></script>
</body></html>
"""


def token(contact: str, secret: str, now: float, seconds: int = HOUR) -> str:
    """A JSON web token (HS256) as any JWT library makes it: `sub` is the contact's id, `exp` its end."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": contact, "exp": int(now) + seconds})
    signed = b".".join(_encode(json.dumps(part).encode()) for part in parts)
    return b".".join((signed, _encode(hmac.digest(secret.encode(), signed, "sha256")))).decode()


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def product(snippet: dict[str, str], contact: str, secret: str, machine: Machine) -> Starlette:
    """The product: one page, with a policy as strict as the widget takes."""
    home = snippet["src"].partition("/s/")[0]
    policy = f"default-src 'none'; script-src {home}; connect-src {home}; base-uri 'none'"

    async def page(_: Request) -> HTMLResponse:
        body = PAGE.format(
            contact=html.escape(contact), src=html.escape(snippet["src"]), integrity=snippet["integrity"],
            token=token(contact, secret, machine.wall().timestamp()),
        )  # fmt: skip
        return HTMLResponse(body, headers={"Content-Security-Policy": policy})

    return Starlette(routes=[Route("/", page)])


def main() -> None:
    """Serve the page on this machine."""
    parser = argparse.ArgumentParser(prog="python -m demo.widget")
    parser.add_argument("--afterword", default="http://127.0.0.1:8000", help="address of Afterword")
    parser.add_argument("--contact", required=True, help="the contact's id, as your events name it")
    parser.add_argument("--secret", required=True, help="one of AFTERWORD_COLLECTOR_WIDGET_SECRETS")
    parser.add_argument("--port", type=int, default=8099)
    given = parser.parse_args()
    answer = httpx.get(f"{given.afterword}/v1/widget/snippet")
    app = product(answer.raise_for_status().json(), given.contact, given.secret, SystemMachine())
    uvicorn.run(app, host="127.0.0.1", port=given.port)


if __name__ == "__main__":
    main()
