"""What a failed request is answered with: a plain page for people, problem+json (RFC 9457) for programs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from shared.db.errors import RAISED, UNWRITABLE, is_transient
from shared.errors import Unavailable
from shared.security.access import session_of
from shared.web.problems import Problem, wants_html
from shared.web.security_headers import set_security_headers
from shared.web.templates import SHARED_TEMPLATES, environment, page
from shared.wrong import reason_of

ENVIRONMENT = environment(SHARED_TEMPLATES)
RETRY_SECONDS = 10

_HEADINGS: Mapping[int, tuple[str, str]] = {
    400: ("That could not be read", "Go back and try again."),
    401: ("Please sign in", "Sign in and open the page again."),
    403: ("That is not allowed", "Ask an admin of your organisation if you need it."),
    404: ("There is no such page", "Check the address, or start from the first page."),
    405: ("That does not work this way", "Go back and use the buttons of the page."),
    409: ("Somebody was faster", "Reload the page to see how things stand now."),
    410: ("This is gone", "The link has expired or was used already."),
    413: ("That is too large", "Send less at once."),
    422: ("Something is missing or wrong", "Go back, correct it and send it again."),
    429: ("Too many tries", "Wait a little, then try again."),
    500: (
        "That is our fault",
        "Nothing was changed. Try again in a minute; we can see in our log what happened.",
    ),
    503: ("Back in a moment", "A part of Afterword is not reachable. Try again shortly; nothing is lost."),
}
_OTHER = ("That did not work", "Go back and try again.")
_TO_PROGRAMS: Mapping[int, str] = {
    400: "Send it as the description at /v1/openapi.json says.",
    404: "Check the path and what it names.",
    405: "Use a method that the description at /v1/openapi.json names for this path.",
    422: "Correct what errors name, and send it again.",
}
"""What to do where the advice to people speaks of pages."""


def install_errors(app: FastAPI, *, https: bool) -> None:
    """Make every failure of the application speak."""

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 -- registered for it alone
        if 300 <= error.status_code < 400:  # noqa: PLR2004 -- the range of redirects
            return RedirectResponse((error.headers or {})["Location"], error.status_code)
        await _recognise(request)
        return answer(request, as_problem(error))

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for it alone
        await _recognise(request)
        return _invalid(request, error)

    async def on_bug(request: Request, _error: Exception) -> Response:
        response = answer(request, Problem(500, "An unexpected error; it is in the log."))
        # Made outside the middleware that adds them to every other answer.
        set_security_headers(response.headers, https=https)
        return response

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    for kind in RAISED:
        app.add_exception_handler(kind, _of_database)
    app.add_exception_handler(Exception, on_bug)


async def _of_database(request: Request, error: Exception) -> Response:
    """A database that is away, or went away in mid-work, is back soon; a wrong statement is a bug.

    Texts of addresses and bodies reach the database as they are, so it is the one place that sees all that it
    cannot hold.
    """
    if isinstance(error, UNWRITABLE):
        return answer(request, Problem(422, "A text holds a zero byte.", what_to_do="Send it without."))
    if not is_transient(error):
        raise error
    return answer(request, Problem(503, "The database is not reachable.", retry_after=RETRY_SECONDS))


async def _recognise(request: Request) -> None:
    """Let the error page of somebody who is signed in keep its navigation."""
    with suppress(Unavailable):
        await session_of(request)


def as_problem(error: HTTPException) -> Problem:
    """Any HTTP exception as a problem."""
    if isinstance(error, Problem):
        return error
    return Problem(error.status_code, str(error.detail), headers=error.headers)


def answer(request: Request, problem: Problem, fields: Sequence[Mapping[str, str]] = ()) -> Response:
    """The response of a problem, in the form that the client asked for."""
    heading, advice = _HEADINGS.get(problem.status_code, _OTHER)
    if wants_html(request):
        context = {
            "problem": problem,
            "heading": heading,
            # The phrase of the status says no more than the heading.
            "reason": "" if problem.reason == problem.title else problem.reason,
            "advice": problem.what_to_do or advice,
            "fields": fields,
        }
        response: Response = page(request, ENVIRONMENT, "error.html", context, status=problem.status_code)
    else:
        response = JSONResponse(
            _body(problem, _TO_PROGRAMS.get(problem.status_code, advice), fields),
            problem.status_code,
            media_type="application/problem+json",
        )
    response.headers.update(problem.headers or {})
    return response


def _body(problem: Problem, advice: str, fields: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status_code,
        "detail": problem.reason,
        "what_to_do": problem.what_to_do or advice,
    }
    if problem.field:
        body["field"] = problem.field
    if problem.retry_after is not None:
        body["retry_after"] = problem.retry_after
    return body | ({"errors": list(fields)} if fields else {})


def _invalid(request: Request, error: RequestValidationError) -> Response:
    """Name each field and what is wrong with it, and quote nothing: it may be somebody's data."""
    fields = [_defect(defect) for defect in error.errors()]
    names = ", ".join(dict.fromkeys(entry["field"] for entry in fields))
    problem = Problem(422, f"Missing or wrong: {names}.", field=fields[0]["field"] if fields else "")
    return answer(request, problem, fields)


def _defect(defect: Mapping[str, Any]) -> dict[str, str]:
    """Which field is wrong, and how."""
    if defect["type"] == "json_invalid":
        told = str(defect.get("ctx", {}).get("error", "")).rstrip(".")
        return {"field": "body", "reason": f"not readable as JSON: {told} at character {defect['loc'][-1]}"}
    return {"field": ".".join(map(str, defect["loc"][1:])) or "body", "reason": reason_of(defect)}
