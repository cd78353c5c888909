"""What the routes of the directory have in common: references, versions as ETags, preconditions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path
from pydantic import StringConstraints

from shared.web.paths import PLAIN
from shared.web.problems import Problem

Ref = Annotated[str, Path(min_length=1, max_length=320, pattern=PLAIN)]
AccountRef = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]
Text = Annotated[str, StringConstraints(max_length=320, pattern=PLAIN, strip_whitespace=True)]
IfMatch = Annotated[str | None, Header(alias="if-match", description="an ETag, or * for any")]
IfNoneMatch = Annotated[str | None, Header(alias="if-none-match", description="* to write only what is new")]


def etag(version: int) -> str:
    """A version as a strong validator."""
    return f'"{version}"'


def check(if_match: str | None, if_none_match: str | None, version: int | None) -> None:
    """Hold a write against what its sender knows; `version` None = there is nothing yet.

    Raises:
        Problem: 412, somebody wrote meanwhile.
    """
    wanted = {tag.strip() for tag in (if_match or "").split(",") if tag.strip()}
    stale = bool(wanted) and (version is None or not wanted & {"*", etag(version)})
    unwanted = {tag.strip() for tag in (if_none_match or "").split(",") if tag.strip()}
    there = version is not None and bool(unwanted & {"*", etag(version)})
    if stale or there:
        now = {"ETag": etag(version)} if version is not None else None
        raise Problem(
            412,
            "It is not as you know it.",
            what_to_do="Read it again, then write with its ETag in If-Match.",
            field="if-match" if stale else "if-none-match",
            headers=now,
        )
