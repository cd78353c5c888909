"""One partner's API: JSON in and out, bounded in time, failures as SendError."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from shared.errors import SendError
from shared.partners.wire import as_json, checked, wish
from shared.runtime.clock import Machine
from shared.runtime.trust import authorities

SECONDS = 15.0
_MOST_BYTES = 2 * 1024 * 1024
_LATER = frozenset({408, 409, 425, 429})
_SERVER = 500
_INVALID = 400
_GONE = frozenset({404, 410})
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,59}")
"""A failure by the partner's own name; its sentences may quote a customer, so they go nowhere."""


class Api:
    """Asks and tells; `known=False` turns "there is no such thing" into an empty answer."""

    def __init__(self, client: httpx.AsyncClient, machine: Machine, seconds: float = SECONDS) -> None:
        self._client = client
        self._machine = machine
        self._seconds = seconds

    @property
    def monotonic(self) -> float:
        """Machine seconds, for what is remembered for a while."""
        return self._machine.monotonic()

    @property
    def now(self) -> datetime:
        """Machine time, for partners that want to be told when something was written."""
        return self._machine.wall()

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        known: bool = True,
    ) -> dict[str, Any]:
        """Make one request; returns the object that came back, empty when nothing did.

        Raises:
            SendError: 4xx: for good; 408, 409, 425, 429, 5xx, silence and what is no JSON: later.
        """
        answer = await self._request(method, path, body, headers or {})
        if not known and answer.status_code in _GONE:
            return {}
        found = self._read(answer)
        if not isinstance(found, dict):
            raise SendError("the answer is no JSON object", permanent=False, uncertain=True)
        return found

    async def several(self, method: str, path: str, body: object) -> list[dict[str, Any]]:
        """Make one request about several things; returns what came of each, in their order.

        Raises:
            SendError: As for `ask`.
        """
        found = self._read(await self._request(method, path, body, {}))
        if not isinstance(found, list):
            raise SendError("the answer is no JSON list", permanent=False, uncertain=True)
        return [one if isinstance(one, dict) else {} for one in found]

    async def listed(self, path: str, *, unknown: str = "") -> list[dict[str, Any]]:
        """The objects of an answer that is a list.

        Args:
            path: What to get.
            unknown: A field of the query; none are found when the partner refuses its value.

        Raises:
            SendError: As for `ask`.
        """
        answer = await self._request("GET", path, None, {})
        if answer.status_code in _GONE or (unknown and _refuses(answer, unknown)):
            return []
        found = self._read(answer)
        if not isinstance(found, list):
            raise SendError("the answer is no JSON list", permanent=False, uncertain=True)
        return [one for one in found if isinstance(one, dict)]

    async def post_form(self, path: str, fields: Mapping[str, str]) -> None:
        """Post a form to a partner whose answer says nothing but that it came.

        Raises:
            SendError: As for `ask`.
        """
        kind = {"content-type": "application/x-www-form-urlencoded"}
        self._check(await self._sent("POST", path, urlencode(fields).encode(), kind))

    async def _request(
        self, method: str, path: str, body: object, headers: Mapping[str, str]
    ) -> httpx.Response:
        content = None if body is None else as_json(body)
        sent = {"content-type": "application/json", "accept": "application/json", **headers}
        return await self._sent(method, path, content, sent)

    async def _sent(
        self, method: str, path: str, content: bytes | None, sent: Mapping[str, str]
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._client.request(method, path, content=content, headers=dict(sent))
        except (httpx.HTTPError, TimeoutError) as error:
            raise SendError(f"no answer: {type(error).__name__}", permanent=False, uncertain=True) from error

    def _read(self, answer: httpx.Response) -> object:
        self._check(answer)
        return _json(answer) if answer.content else {}

    def _check(self, answer: httpx.Response) -> None:
        later = answer.status_code in _LATER or answer.status_code >= _SERVER
        if not answer.is_success:
            after = wish(answer.headers.get("retry-after", ""), self._machine.wall()) if later else None
            said = f"HTTP {answer.status_code} {code_of(_json(answer))}".rstrip()
            raise SendError(said, permanent=not later, retry_after=after, status=answer.status_code)


@dataclass(frozen=True, slots=True)
class Line:
    """Makes connections to partners, each with a pool of its own, so that none waits for another."""

    machine: Machine

    def api(self, url: str, headers: Mapping[str, str], auth: httpx.Auth | None = None) -> Api:
        """A partner's API.

        Raises:
            ValueError: the address is not https.
        """
        client = httpx.AsyncClient(
            base_url=checked(url),
            headers=dict(headers),
            auth=auth,
            verify=authorities(),
            trust_env=False,
            follow_redirects=False,
        )
        return Api(client, self.machine)


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json() if len(answer.content) <= _MOST_BYTES else None
    except ValueError:
        return None


def _refuses(answer: httpx.Response, name: str) -> bool:
    """Whether a partner that lists the wrong fields in `errors` names this one."""
    found = _json(answer) if answer.status_code == _INVALID else None
    return isinstance(found, dict) and any(text(one, "field") == name for one in objects(found, "errors"))


def code_of(found: object) -> str:
    """The name that a partner gives to a failure (`REQUEST_LIMIT_EXCEEDED`, `MISSING_SCOPES`); "" without."""
    first = found[0] if isinstance(found, list) and found else found
    if not isinstance(first, dict):
        return ""
    named = (text(first, field) for field in ("errorCode", "category", "statusCode"))
    return next((code for code in named if _CODE.fullmatch(code)), "")


def text(found: Mapping[str, Any], *path: str) -> str:
    """A field of an answer as text, by its path; "" without one."""
    here: object = found
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return str(here).strip() if isinstance(here, str | int) and not isinstance(here, bool) else ""


def objects(found: Mapping[str, Any], *path: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer, by its path."""
    here: object = found
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return [one for one in here if isinstance(one, dict)] if isinstance(here, list) else []


def lost(what: str) -> SendError:
    """The failure of an answer that says yes and does not say what was made."""
    return SendError(f"the answer names no {what}", permanent=False, uncertain=True)
