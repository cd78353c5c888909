"""What `/v1/openapi.json` says: what the routes say of themselves, and how any of them may refuse.

Refusals are made in one place (`shared.web.errors`), so they are described in one place: no route lists them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from shared.security.access import Needs, cookie_name, require_session

_WRITES = frozenset({"post", "put", "patch", "delete"})
_METHODS = _WRITES | {"get", "head", "options"}
_KEY = "key"
_SESSION = "session"
_OF_FRAMEWORK = ("HTTPValidationError", "ValidationError")

Guards = Mapping[tuple[str, str], dict[str, list[str]]]

REFUSALS: Mapping[int, str] = {
    400: "The body cannot be read, or its signature is too old.",
    401: "No key, no sign-in or no valid signature came with the request.",
    403: "The key or the role does not have the scope that this needs.",
    404: "What is named is not known.",
    409: "It does not fit how things stand by now.",
    410: "The person's data were erased, the link was used up, or it was taken back.",
    412: "It was changed since it was read: `If-Match` names another version.",
    413: "The body is larger than is taken.",
    415: "The body is of another media type than this takes.",
    422: "A field is missing or wrong; `errors` names each.",
    429: "Too many requests; `Retry-After` says when to come again.",
    500: "An error of ours; nothing was changed, and it is in the log.",
    501: "This installation lacks a library that this needs.",
    503: "The database is away for the moment; the same request works again shortly.",
}
"""What each refusal means wherever it comes."""

PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "description": "Why a request was refused, and what to do about it (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The phrase of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in a sentence; it quotes nobody's data."},
        "what_to_do": {"type": "string", "description": "The next step."},
        "field": {"type": "string", "description": "The field of path, query or body that is wrong."},
        "retry_after": {"type": "integer", "description": "Seconds."},
        "errors": {
            "type": "array",
            "description": "Each field that is missing or wrong.",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}


def install_description(app: FastAPI, *, https: bool) -> None:
    """Let the application describe its routes together with their refusals; made once, when it is asked."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            app.openapi_schema = _complete(made, _guards(app), cookie_name(secure=https))
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign] # the way FastAPI offers


def _guards(app: FastAPI) -> Guards:
    """What opens each operation, by its path and method: a key with scopes, or signing in."""
    return {
        (route.path_format, method.lower()): _guard(route.dependant)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def _guard(dependant: Dependant) -> dict[str, list[str]]:
    wanted = list(asked(dependant))
    scopes = {one.scope.value for one in wanted if isinstance(one, Needs)}
    if scopes:
        return {_KEY: sorted(scopes)}
    return {_SESSION: []} if require_session in wanted else {}


def asked(dependant: Dependant) -> Iterator[object]:
    """What is asked before a route is: the route itself, and all that it depends on."""
    yield dependant.call
    for one in dependant.dependencies:
        yield from asked(one)


def _complete(description: dict[str, Any], guards: Guards, cookie: str) -> dict[str, Any]:
    """A description by FastAPI with problems for refusals, and what opens that which is guarded."""
    components = description.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _OF_FRAMEWORK:
        schemas.pop(name, None)
    schemas["Problem"] = dict(PROBLEM)
    components["responses"] = {str(status): _refusal(meaning) for status, meaning in REFUSALS.items()}
    key = "An API key, `aw_...`, with the scopes named; made under Settings, API keys."
    components["securitySchemes"] = {
        _KEY: {"type": "http", "scheme": "bearer", "description": key},
        _SESSION: {"type": "apiKey", "in": "cookie", "name": cookie, "description": "Signing in."},
    }
    for path, operations in description.get("paths", {}).items():
        for method, operation in operations.items():
            if method in _METHODS:
                _guard_and_refuse(method, operation, guards.get((path, method), {}))
    return description


def _refusal(meaning: str) -> dict[str, Any]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": meaning, "content": {"application/problem+json": problem}}


def _guard_and_refuse(method: str, operation: dict[str, Any], guard: dict[str, list[str]]) -> None:
    if guard:
        operation["security"] = [guard]
    responses = operation.setdefault("responses", {})
    said = (status for status in REFUSALS if str(status) in responses)
    for status in {*_may_refuse(method, operation), *said}:
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    operation["responses"] = dict(sorted(responses.items()))


def _may_refuse(method: str, operation: Mapping[str, Any]) -> Iterator[int]:
    """How an operation may refuse, by whom it lets in and what it takes."""
    yield from (500, 503)
    parameters = operation.get("parameters", ())
    if "security" in operation:
        # Also where there is no parameter: one that is none is named.
        yield from (401, 403, 422)
    if parameters:
        yield from (404, 422)
    if any(one["name"].lower() == "if-match" for one in parameters):
        yield 412
    if method in _WRITES:
        # Who sends without a key signs instead.
        yield from (400, 401, 404, 409, 410, 413, 415, 422, 429)
