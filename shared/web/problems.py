"""A "no" with its reason and what to do about it: a plain page for people, RFC 9457 for programs."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request


class Problem(HTTPException):
    """A refusal that says what is wrong and what to do.

    Args:
        status: HTTP status.
        reason: One sentence: what is wrong, naming what was sent, never quoting personal data.
        what_to_do: One sentence: the next step.
        field: The field of form, query or body that is wrong; "" when none.
        retry_after: Seconds after which the same request may work (429, 503).
        headers: More response headers.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        what_to_do: str = "",
        field: str = "",
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        merged = dict(headers or {})
        if retry_after is not None:
            merged["Retry-After"] = str(retry_after)
        super().__init__(status, reason, merged)
        self.reason = reason
        self.what_to_do = what_to_do
        self.field = field
        self.retry_after = retry_after

    @property
    def title(self) -> str:
        """The standard phrase of the status."""
        return HTTPStatus(self.status_code).phrase


class Redirect(HTTPException):
    """Send the browser to another page of ours, as GET."""

    def __init__(self, path: str) -> None:
        super().__init__(303, headers={"Location": path})


def wants_html(request: Request) -> bool:
    """Whether a person's browser asks: it names text/html; programs name JSON or nothing."""
    if request.url.path.startswith("/v1/"):
        return False
    return "text/html" in request.headers.get("accept", "")
