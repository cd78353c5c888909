"""Style sheet and pictures, read and packed once; an address that names the content may be kept for ever."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
    """A file with the short hash of its content, plain and packed."""

    body: bytes
    packed: bytes
    media_type: str
    version: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> Self:
        """A file with this content."""
        packed = gzip.compress(body, mtime=0)
        return cls(body, packed, media_type, hashlib.sha256(body).hexdigest()[:12])

    def response(self, request: Request, headers: Mapping[str, str]) -> Response:
        """The file, packed where the browser can unpack it; nothing but headers where it has it already."""
        packing = "gzip" in request.headers.get("accept-encoding", "")
        told = {**headers, "ETag": f'"{self.version}{"-gzip" if packing else ""}"', "Vary": "Accept-Encoding"}
        if told["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=told)
        if packing:
            told["Content-Encoding"] = "gzip"
        return Response(self.packed if packing else self.body, media_type=self.media_type, headers=told)


def load(folder: Path = FOLDER) -> Mapping[str, StaticFile]:
    """All files of a folder by name; those of other types are not served."""
    return {
        path.name: StaticFile.of(body, TYPES[path.suffix])
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
    caching = FOR_EVER if request.query_params.get("v") == found.version else ASK_EACH_TIME
    return found.response(request, {"Cache-Control": caching})
