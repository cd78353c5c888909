"""What comes back to a signed address: bounces, complaints, stop, and replies that reach a person."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from services.dispatch.api.returns import MailHooks, Proofs, forward_by
from services.dispatch.handlers.mail_reports import MailReports
from services.dispatch.handlers.returns import Returns
from shared.contracts.deliveries import (
    ContactUnsubscribed,
    DeliveryBounced,
    DeliveryComplained,
    DeliveryDelivered,
)
from shared.contracts.model import Channel, Person
from shared.contracts.reasons import Reason
from shared.embedded.smtp import Fault, FaultKind
from shared.security.access import Scope
from shared.web.app import web_app
from tests.support.dispatch import PUBLIC_URL, MailRoom, Site, delivery_id, snapshot, survey_id
from tests.unit.dispatch.test_inbound import feedback, mail, status

DOMAIN = "ask.northwind.example"
ANNA = Person(name="Anna", email="anna@customer.example")


@dataclass(slots=True)
class Office:
    """A mail room whose mails come back."""

    room: MailRoom
    http: httpx.AsyncClient

    async def ask(self, name: str, of: str = "") -> None:
        person = Person(name="Anna", email=f"{of or name}@customer.example")
        await self.room.ask(name, snapshot=snapshot(of or name), survey_id=survey_id(name), person=person)
        await self.room.work()

    async def back(self, raw: bytes, to: str = "") -> httpx.Response:
        return await self.http.post(
            "/hooks/mail", params={"to": to or self.room.mails[0].sender}, content=raw
        )

    async def told(self) -> list[str]:
        return [one.type.removeprefix("delivery.").removesuffix(".v1") for one in await self.room.told()]


@pytest.fixture
async def office(room: MailRoom, site: Site) -> AsyncIterator[Office]:
    desk = replace(room.postman.desk, return_domain=DOMAIN, replies=True)
    room.postman = replace(room.postman, desk=desk)
    returns = Returns(room.db, room.tokens, forward_by(room.postman.channels[Channel.EMAIL]))
    proofs = Proofs(mailgun_keys=("key",), postmark_secret="open sesame")

    async def fetch(_url: str) -> bytes:
        raise AssertionError("nothing is fetched")

    app = web_app(site.access, PUBLIC_URL)
    reports = MailReports(room.db, room.sealer, room.tokens)
    app.include_router(MailHooks(returns, reports, proofs, fetch).routes())
    headers = {"authorization": f"Bearer {await site.key(Scope.TOUCHPOINTS_WRITE)}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as http:
        yield Office(room, http)


@pytest.mark.requirement("R50", "R51")
async def test_each_mail_has_return_addresses_of_its_own(office: Office) -> None:
    await office.ask("anna")
    await office.ask("bert")
    first, second = office.room.mails
    assert first.sender != second.sender
    assert first.sender.startswith("b+")
    assert first.sender.endswith(f"@{DOMAIN}")
    sent = office.room.read(0)
    assert sent["Reply-To"].startswith("r+")
    assert sent["From"] == "Karin Lindqvist <karin@northwind.example>"


@pytest.mark.requirement("R57")
async def test_a_hard_bounce_buries_the_address_and_is_told_once(office: Office) -> None:
    await office.ask("anna")
    for _ in range(2):
        answer = await office.back(status("failed", "5.1.1"))
        assert (answer.status_code, answer.json()) == (202, {"said": "bounced"})
    told = [one.data for one in await office.room.told() if one.type == DeliveryBounced.TYPE]
    assert [(one.kind, one.detail) for one in told] == [("hard", "bounce: 5.1.1")]
    await office.ask("again", of="anna")
    assert office.room.mails[1:] == []
    [row] = await office.room.fetch("select reason, via from suppressions where kind = 'address'")
    assert tuple(row) == (Reason.INVALID_ADDRESS, "mail")


async def test_policy_harms_no_address(office: Office) -> None:
    await office.ask("anna")
    await office.back(status("failed", "5.7.1"))
    assert await office.room.fetch("select * from suppressions") == []
    assert await office.told() == ["handed_over", "bounced"]


async def test_an_address_that_always_bounces_for_now_is_given_up(office: Office) -> None:
    for number in range(3):
        assert await office.room.fetch("select * from suppressions") == []
        await office.room.ask(
            f"s{number}", snapshot=snapshot("anna"), survey_id=survey_id(f"s{number}"), person=ANNA
        )
        await office.room.work()
        await office.back(status("failed", "4.2.2"), office.room.mails[-1].sender)
    [row] = await office.room.fetch("select reason, via from suppressions")
    assert tuple(row) == (Reason.BOUNCED, "bounce")


async def test_a_complaint_ends_everything(office: Office) -> None:
    await office.ask("anna")
    for _ in range(2):
        await office.back(feedback("abuse"))
    assert [one.type for one in await office.room.told()][1:] == [DeliveryComplained.TYPE]
    await office.ask("again", of="anna")
    assert await office.room.state("again") == ("suppressed", Reason.OPTED_OUT)


@pytest.mark.requirement("R51")
async def test_a_reply_reaches_the_person_who_signed(office: Office) -> None:
    await office.ask("anna")
    raw = mail("The export is broken since Monday, could you call me?")
    assert (await office.back(raw, office.room.read(0)["Reply-To"])).json() == {"said": "reply"}
    passed = office.room.mails[-1]
    assert passed.recipients == ("karin@northwind.example",)
    assert b"could you call me?" in passed.content
    assert b"From: anna@customer.example" in passed.content


async def test_a_reply_that_cannot_be_passed_on_is_to_be_brought_again(office: Office) -> None:
    await office.ask("anna")
    office.room.faults.rules.append(Fault("karin@*", FaultKind.REFUSE_RECIPIENT, "451 4.3.0 later", times=1))
    raw, to = mail("Hello?"), office.room.read(0)["Reply-To"]
    assert (await office.back(raw, to)).status_code == 503
    assert (await office.back(raw, to)).status_code == 202
    assert len(office.room.mails) == 2


@pytest.mark.requirement("R51")
async def test_please_stop_is_an_opt_out_and_an_absence_is_nothing(office: Office) -> None:
    await office.ask("anna")
    to = office.room.read(0)["Reply-To"]
    assert (await office.back(mail("I am away.", Auto_Submitted="auto-replied"), to)).json()[
        "said"
    ] == "automatic"
    assert await office.told() == ["handed_over"]
    assert (await office.back(mail("Please stop."), to)).json()["said"] == "stop"
    [gone] = [one.data for one in await office.room.told() if one.type == ContactUnsubscribed.TYPE]
    assert (gone.scope, gone.via) == ("all", "mail")
    assert len(office.room.mails) == 1


@pytest.mark.parametrize("to", ["x@ask.northwind.example", "b+" + "a" * 53 + "@ask.northwind.example", ""])
async def test_a_forged_address_does_nothing(office: Office, to: str) -> None:
    await office.ask("anna")
    assert (await office.back(status("failed", "5.1.1"), to or "nobody")).status_code == 404
    assert await office.told() == ["handed_over"]


async def test_without_a_key_nothing_is_taken(office: Office) -> None:
    answer = await office.http.post("/hooks/mail?to=x", content=b"", headers={"authorization": ""})
    assert answer.status_code == 401


@pytest.mark.requirement("R57")
async def test_a_provider_reports_by_our_message_id(office: Office) -> None:
    await office.ask("anna")
    sign = hmac.digest(b"key", b"1" + b"t", "sha256").hex()
    told: dict[str, Any] = {
        "signature": {"timestamp": "1", "token": "t", "signature": sign},
        "event-data": {
            "event": "delivered",
            "recipient": "anna@customer.example",
            "message": {"headers": {"message-id": f"{delivery_id('anna')}@northwind.example"}},
        },
    }
    for _ in range(2):
        answer = await office.http.post("/hooks/mail/mailgun", json=told)
        assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    assert [one.type for one in await office.room.told()][1:] == [DeliveryDelivered.TYPE]
    told["signature"]["signature"] = "0" * 64
    assert (await office.http.post("/hooks/mail/mailgun", json=told)).status_code == 401


async def test_a_report_may_name_the_recipient_alone(office: Office) -> None:
    await office.ask("anna")
    told = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "Anna@customer.example".lower()}
    assert (await office.http.post("/hooks/mail/postmark", json=told)).status_code == 401
    headers = {"x-afterword-secret": "open sesame"}
    answer = await office.http.post("/hooks/mail/postmark", json=told, headers=headers)
    assert answer.json() == {"taken": 1}
    assert await office.told() == ["handed_over", "bounced"]
    stranger = told | {"Email": "eve@customer.example"}
    answer = await office.http.post("/hooks/mail/postmark", json=stranger, headers=headers)
    assert answer.json() == {"taken": 0}


@pytest.mark.parametrize("path", ["ses", "sendgrid", "mailgun", "postmark"])
async def test_an_unproven_report_is_refused(office: Office, path: str) -> None:
    assert (await office.http.post(f"/hooks/mail/{path}", json={"TopicArn": "x"})).status_code == 401
