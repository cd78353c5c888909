"""What the routes of the directory have in common: references, ETags, preconditions."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import Header, Path
from pydantic import BaseModel, StringConstraints

from shared.web.paths import PLAIN
from shared.web.problems import Problem

Ref = Annotated[str, Path(min_length=1, max_length=320, pattern=PLAIN)]
AccountRef = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]
Text = Annotated[str, StringConstraints(max_length=320, pattern=PLAIN, strip_whitespace=True)]
IfMatch = Annotated[str | None, Header(alias="if-match", description="an ETag, or * for any")]
IfNoneMatch = Annotated[str | None, Header(alias="if-none-match", description="* to write only what is new")]


def etag(shown: BaseModel, *more: object) -> str:
    """A strong validator of what is shown of somebody: another one once any of it changes.

    Args:
        shown: What there is, with its id and version.
        more: What is shown beside it and moves no version; as JSON.
    """
    content = json.dumps([shown.model_dump(mode="json"), *more], sort_keys=True)
    return f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


def check(if_match: str | None, if_none_match: str | None, now: str | None) -> None:
    """Hold a write against what its sender knows.

    Args:
        if_match: ETags of which one has to fit, or `*` for whatever is there.
        if_none_match: ETags of which none may, or `*` for nothing at all.
        now: The ETag of what is there; None = there is nothing yet.

    Raises:
        Problem: 412, somebody wrote meanwhile.
    """
    wanted = {tag.strip() for tag in (if_match or "").split(",") if tag.strip()}
    stale = bool(wanted) and (now is None or not wanted & {"*", now})
    unwanted = {tag.strip() for tag in (if_none_match or "").split(",") if tag.strip()}
    there = now is not None and bool(unwanted & {"*", now})
    if stale or there:
        raise Problem(
            412,
            "It is not as you know it.",
            what_to_do="Read it again, then write with its ETag in If-Match.",
            field="if-match" if stale else "if-none-match",
            headers={"ETag": now} if now else None,
        )
