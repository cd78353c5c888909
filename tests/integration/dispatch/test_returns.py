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
from services.dispatch.worker.minding import reap
from shared.contracts.deliveries import (
    ContactUnsubscribed,
    DeliveryBounced,
    DeliveryComplained,
    DeliveryDelivered,
)
from shared.contracts.model import Channel, Person
from shared.contracts.reasons import Reason
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime import failpoints
from shared.runtime.failpoints import FailpointHit
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
    hooks = MailHooks(returns, reports, proofs, fetch, fetch, room.db.machine)
    app.include_router(hooks.routes())
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
    told = mailgun(office, "delivered", "t")
    answer = await office.http.post("/hooks/mail/mailgun", json=told)
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    assert [one.type for one in await office.room.told()][1:] == [DeliveryDelivered.TYPE]
    told["signature"]["signature"] = "0" * 64
    assert (await office.http.post("/hooks/mail/mailgun", json=told)).status_code == 401


def mailgun(office: Office, event: str, token: str, age: float = 0) -> dict[str, Any]:
    """A call of Mailgun about Anna's mail, signed some seconds ago."""
    stamp = str(int(office.room.db.machine.wall().timestamp() - age))
    sign = hmac.digest(b"key", stamp.encode() + token.encode(), "sha256").hex()
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": sign},
        "event-data": {
            "event": event,
            "recipient": "anna@customer.example",
            "message": {"headers": {"message-id": f"{delivery_id('anna')}@northwind.example"}},
        },
    }


@pytest.mark.requirement("R57")
async def test_a_signature_of_mailgun_proves_one_call_and_none_that_is_old(office: Office) -> None:
    await office.ask("anna")
    told = mailgun(office, "delivered", "t")
    assert (await office.http.post("/hooks/mail/mailgun", json=told)).json() == {"taken": 1}
    # What Mailgun signs is not what it reports: a signature that was seen must prove nothing else.
    forged = mailgun(office, "complained", "u") | {"signature": told["signature"]}
    assert (await office.http.post("/hooks/mail/mailgun", json=forged)).json() == {"taken": 0}
    old = await office.http.post("/hooks/mail/mailgun", json=mailgun(office, "complained", "v", 13 * 3600))
    assert old.status_code == 406
    assert await office.told() == ["handed_over", "delivered"]
    await office.room.run("update calls_heard set heard_at = heard_at - interval '23 hours'")
    await reap(office.room.db)
    assert len(await office.room.fetch("select * from calls_heard")) == 1
    await office.room.run("update calls_heard set heard_at = heard_at - interval '1 hour'")
    await reap(office.room.db)
    assert await office.room.fetch("select * from calls_heard") == []


@pytest.mark.requirement("R57")
@pytest.mark.parametrize("moment", ["unit.before_commit", "unit.after_commit"])
@pytest.mark.parametrize("way", ["mailgun", "postmark", "bounce", "stop"])
async def test_a_call_that_breaks_off_and_comes_again_is_heard_once(
    office: Office, way: str, moment: str
) -> None:
    await office.ask("anna")
    room = office.room
    returns = Returns(room.db, room.tokens, forward_by(room.postman.channels[Channel.EMAIL]))
    complaint = mailgun(office, "complained", "t")
    bounce = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "anna@customer.example"}

    async def call() -> None:
        match way:
            case "mailgun":
                await office.http.post("/hooks/mail/mailgun", json=complaint)
            case "postmark":
                secret = {"x-afterword-secret": "open sesame"}
                await office.http.post("/hooks/mail/postmark", json=bounce, headers=secret)
            case "bounce":
                await returns.take(room.mails[0].sender, status("failed", "5.1.1"))
            case _:
                await returns.take(str(room.read(0)["Reply-To"]), mail("Please stop."))

    failpoints.disarm()
    failpoints.arm(f"{moment}:1:raise")
    with pytest.raises((FailpointHit, ExceptionGroup)):
        await call()
    failpoints.disarm()
    before = len(await room.told())
    assert before == (1 if moment == "unit.before_commit" else 2)
    await call()
    await call()
    assert len(await room.told()) == 2, "it was handed over, and one thing came of it"
    assert len(await room.fetch("select * from suppressions where kind = 'address'")) == 1


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
