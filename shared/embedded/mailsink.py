"""The local mail sink as a process, `python -m shared.embedded.mailsink`: SMTP in, files and a page out."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shared.embedded.mailbox import Arrival, Mailbox, part_of, read_mail
from shared.embedded.smtp import HOST, Fault, FaultKind, Faults, SmtpServer
from shared.runtime.clock import SystemMachine

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'"
# A mail may bring style and pictures; scripts and forms never run, and its links open beside it.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: http://127.0.0.1:*; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


def build(mailbox: Mailbox, faults: Faults) -> Starlette:
    """Build the web side of the sink.

    Args:
        mailbox: what is shown.
        faults: what `/faults` reads and replaces.
    """
    pages = _Pages(mailbox, faults)
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/mails", pages.mails),
            Route("/mails/{seq:int}", pages.mail),
            Route("/mails/{seq:int}/html", pages.html),
            Route("/mails/{seq:int}/text", pages.text),
            Route("/mails/{seq:int}/raw", pages.raw),
            Route("/faults", pages.read_faults, methods=["GET"]),
            Route("/faults", pages.write_faults, methods=["PUT"]),
        ]
    )


class _Pages:
    """The routes; newest mail first for people, in order of arrival for programs."""

    def __init__(self, mailbox: Mailbox, faults: Faults) -> None:
        self._mailbox = mailbox
        self._faults = faults
        self._templates = Environment(
            loader=PackageLoader("shared.embedded"), autoescape=True, undefined=StrictUndefined
        )

    async def index(self, _request: Request) -> Response:
        return self._page("mails.html", arrivals=self._mailbox.arrivals()[::-1][:500])

    async def mails(self, request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        return JSONResponse([asdict(arrival) for arrival in self._mailbox.arrivals(after)])

    async def mail(self, request: Request) -> Response:
        arrival = self._arrival(request)
        message = read_mail(self._mailbox.root, arrival)
        return self._page(
            "mail.html",
            arrival=arrival,
            headers=[(name, str(value)) for name, value in message.items()],
            has_html=part_of(message, "html") is not None,
            text=part_of(message, "plain"),
        )

    async def html(self, request: Request) -> Response:
        html = part_of(read_mail(self._mailbox.root, self._arrival(request)), "html")
        if html is None:
            raise HTTPException(404, "this mail has no HTML part")
        content = f'<base target="_blank">{html}'
        return HTMLResponse(content, headers={"Content-Security-Policy": _MAIL_POLICY})

    async def text(self, request: Request) -> Response:
        text = part_of(read_mail(self._mailbox.root, self._arrival(request)), "plain")
        if text is None:
            raise HTTPException(404, "this mail has no text part")
        return PlainTextResponse(text)

    async def raw(self, request: Request) -> Response:
        content = (self._mailbox.root / self._arrival(request).file).read_bytes()
        return Response(content, media_type="text/plain; charset=utf-8")

    async def read_faults(self, _request: Request) -> Response:
        return JSONResponse([asdict(fault) for fault in self._faults.rules])

    async def write_faults(self, request: Request) -> Response:
        try:
            rules = [
                Fault(**rule | {"kind": FaultKind(rule["kind"])}) for rule in json.loads(await request.body())
            ]
        except (TypeError, ValueError, KeyError) as error:
            raise HTTPException(422, f"a list of faults is expected: {error}") from error
        self._faults.rules = rules
        return JSONResponse([asdict(fault) for fault in rules])

    def _arrival(self, request: Request) -> Arrival:
        arrival = self._mailbox.find(request.path_params["seq"])
        if arrival is None:
            raise HTTPException(404, "no such mail")
        return arrival

    def _page(self, template: str, **values: object) -> Response:
        content = self._templates.get_template(template).render(values)
        return HTMLResponse(content, headers={"Content-Security-Policy": _PAGE_POLICY})


async def serve(root: Path, smtp_port: int, http_port: int) -> None:
    """Serve until told to stop by a signal."""
    faults = Faults()
    mailbox = Mailbox(root, SystemMachine())
    smtp = SmtpServer(mailbox.store, faults)
    await smtp.start(smtp_port)
    config = uvicorn.Config(
        build(mailbox, faults), host=HOST, port=http_port, log_level="warning", timeout_graceful_shutdown=2
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        await smtp.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mailbox", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    wish = parser.parse_args()
    asyncio.run(serve(wish.mailbox, wish.smtp_port, wish.http_port))


if __name__ == "__main__":
    main()
