"""Style sheet and pictures, read once; an address that names the content may be kept for ever."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from shared.web.problems import Problem

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "public, no-cache"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file with the short hash of its content."""

    body: bytes
    media_type: str
    version: str


def load(folder: Path = FOLDER) -> Mapping[str, StaticFile]:
    """All files of a folder by name; those of other types are not served."""
    return {
        path.name: StaticFile(body, TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:12])
        for path in sorted(folder.iterdir())
        if path.suffix in TYPES and (body := path.read_bytes())
    }


FILES = load()


def static_url(name: str) -> str:
    """The address of a file, which changes with its content.

    Raises:
        KeyError: There is no such file.
    """
    return f"/static/{name}?v={FILES[name].version}"


router = APIRouter(include_in_schema=False)


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
async def static_file(name: str, request: Request) -> Response:
    """One file."""
    found = FILES.get(name)
    if found is None:
        raise Problem(404, "There is no such file.")
    etag = f'"{found.version}"'
    caching = FOR_EVER if request.query_params.get("v") == found.version else ASK_EACH_TIME
    headers = {"ETag": etag, "Cache-Control": caching}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)
