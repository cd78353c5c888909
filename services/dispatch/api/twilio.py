"""`/hooks/twilio/*`: what the provider of text messages calls back with, proven before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.dispatch.handlers.texting import Texting
from services.dispatch.webhooks.twilio import SIGNATURE, is_signed, read_reply, read_report
from shared.web.problems import Problem

MAX_BODY = 64 * 1024


def twilio_routes(texting: Texting, tokens: Sequence[str]) -> APIRouter:
    """The two routes; without a token of the account they refuse everything."""
    router = APIRouter(prefix="/hooks/twilio", tags=["providers"])

    async def proven(request: Request) -> dict[str, str]:
        body = await request.body()
        if len(body) > MAX_BODY:
            raise Problem(413, "The call is larger than 64 KiB.")
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"{texting.public_url.rstrip('/')}{request.url.path}{query}"
        if not is_signed(url, form, request.headers.get(SIGNATURE, ""), tokens):
            raise Problem(
                401,
                "The signature does not match.",
                what_to_do="Check AFTERWORD_DISPATCH_SMS_TOKEN; AFTERWORD_PUBLIC_URL must be what is called.",
            )
        return dict(form)

    @router.post("/status", status_code=204)
    async def status(request: Request, delivery: str = "") -> Response:
        """What became of a text message."""
        report = read_report(delivery, await proven(request))
        if report is not None:
            await texting.fate(report)
        return Response(status_code=204)

    @router.post("/reply")
    async def reply(request: Request) -> Response:
        """What somebody sent back: STOP, a number, or something else; answered in TwiML."""
        found = read_reply(await proven(request))
        text = await texting.reply(found) if found else ""
        message = f"<Message>{escape(text)}</Message>" if text else ""
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
        return Response(body, media_type="text/xml")

    return router
