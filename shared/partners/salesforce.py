"""Salesforce: how one signs in, and how its query language quotes."""

from __future__ import annotations

from collections.abc import Generator

import httpx
from typing_extensions import override

from shared.errors import SendError
from shared.partners.api import text

DATA = "/services/data/v62.0"
_UNAUTHORIZED = 401
_SERVER = 500
_TOO_MANY = 429


class ClientCredentials(httpx.Auth):
    """OAuth's client credentials: a token is fetched when there is none, and anew when it has run out."""

    requires_response_body = True

    def __init__(self, site: str, client_id: str, secret: str) -> None:
        self._url = f"{site.rstrip('/')}/services/oauth2/token"
        self._wish = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self._token = ""

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.

        Raises:
            SendError: no token was given: for good, or to be tried again.
        """
        fresh = not self._token
        if fresh:
            self._token = _token((yield httpx.Request("POST", self._url, data=self._wish)))
        request.headers["authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == _UNAUTHORIZED and not fresh:
            self._token = _token((yield httpx.Request("POST", self._url, data=self._wish)))
            request.headers["authorization"] = f"Bearer {self._token}"
            yield request


def _token(answer: httpx.Response) -> str:
    if not answer.is_success:
        later = answer.status_code == _TOO_MANY or answer.status_code >= _SERVER
        raise SendError(f"sign-in: HTTP {answer.status_code}", permanent=not later)
    try:
        found = answer.json()
    except ValueError:
        found = None
    token = text(found, "access_token") if isinstance(found, dict) else ""
    if not token:
        raise SendError("sign-in: the answer has no token", permanent=False, uncertain=True)
    return token


def literal(value: str) -> str:
    """A text as SOQL quotes it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
