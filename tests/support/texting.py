"""A provider of text messages that speaks as Twilio does, beside the mail room of dispatch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import httpx
from twilio.request_validator import RequestValidator

from services.dispatch.api.pending import pending_routes
from services.dispatch.api.twilio import twilio_routes
from services.dispatch.channels.inhouse import InHouse
from services.dispatch.channels.sms import SmsChannel, SmsProvider
from services.dispatch.handlers.texting import Texting
from shared.contracts.model import Channel, Person
from shared.runtime.ids import derive
from shared.web.app import web_app
from tests.support.dispatch import PUBLIC_URL, MailRoom, Site, survey_id
from tests.support.provider import Provider

NUMBER = "+46701740605"
TOKEN = "12345"


@dataclass(slots=True)
class Exchange:
    """A mail room that also texts, keeps surveys for the product, and hands links out."""

    room: MailRoom
    provider: Provider
    http: httpx.AsyncClient

    async def ask(self, name: str, *channels: Channel, phone: str = NUMBER, email: str = "") -> None:
        person = Person(name=name.title(), email=email or f"{name}@customer.example", phone=phone)
        await self.room.ask(name, person=person, channels=channels)
        await self.room.work()

    async def twilio(self, path: str, form: dict[str, str]) -> httpx.Response:
        url = f"{PUBLIC_URL}{path}"
        signature = RequestValidator(TOKEN).compute_signature(url, form)
        return await self.http.post(path, data=form, headers={"X-Twilio-Signature": signature})

    async def fate(self, name: str, status: str, code: str = "") -> None:
        path = f"/hooks/twilio/status?delivery={delivery(name, Channel.SMS)}"
        answer = await self.twilio(path, {"MessageStatus": status, "ErrorCode": code})
        assert answer.status_code == 204

    async def reply(self, body: str, reply_id: str = "SM9", number: str = NUMBER) -> str:
        form = {"MessageSid": reply_id, "From": number, "Body": body}
        answer = await self.twilio("/hooks/twilio/reply", form)
        assert answer.status_code == 200
        return answer.text

    async def told(self) -> list[str]:
        return [told.type.removeprefix("delivery.").removesuffix(".v1") for told in await self.room.told()]

    async def states(self, name: str) -> list[tuple[int, str, str]]:
        rows = await self.room.fetch(
            "select step, channel, state from messages where survey_id = $1::text::uuid "
            "order by step, finished_at nulls last, channel desc",
            survey_id(name),
        )
        return [tuple(row) for row in rows]


def delivery(name: str, channel: Channel, step: int = 0) -> UUID:
    return derive("delivery", survey_id(name), step, channel.value)


@asynccontextmanager
async def exchange_of(room: MailRoom, site: Site) -> AsyncIterator[Exchange]:
    """Let a mail room text, keep surveys for the product, and hand links out."""
    provider = Provider()
    await provider.start()
    sms = SmsChannel(
        SmsProvider("AC1", TOKEN, "+46700000000", f"{PUBLIC_URL}/hooks/twilio/status", provider.url)
    )
    inhouse = InHouse()
    channels = {**room.postman.channels, Channel.SMS: sms, Channel.IN_APP: inhouse, Channel.LINK: inhouse}
    desk = replace(room.postman.desk, channels=frozenset(channels), sms_replies=True)
    room.postman = replace(room.postman, channels=channels, desk=desk)
    app = web_app(site.access, PUBLIC_URL)
    app.include_router(twilio_routes(Texting(room.db, room.sealer, room.tokens, PUBLIC_URL), (TOKEN,)))
    app.include_router(pending_routes(room.db, room.tokens, PUBLIC_URL))
    transport = httpx.ASGITransport(app=app)
    headers = {"authorization": f"Bearer {await site.key()}"}
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as http:
        yield Exchange(room, provider, http)
    await sms.close()
    await provider.stop()
