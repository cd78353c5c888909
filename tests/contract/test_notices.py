"""One suite over every channel by which reps are told, each against a real server of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.channels import email, pagerduty, slack, sms, teams
from services.alerts.channels.email import EmailChannel
from services.alerts.channels.http import Poster, client
from services.alerts.channels.pagerduty import PagerDutyChannel
from services.alerts.channels.port import Channel
from services.alerts.channels.sms import SmsChannel
from services.alerts.channels.webhook import WebhookChannel
from shared.embedded.smtp import Envelope, FaultKind, Faults, SmtpServer
from shared.embedded.smtp import Fault as MailFault
from shared.errors import SendError
from shared.partners.wire import checked, wish
from shared.runtime.clock import FakeMachine
from shared.smtp import Server
from tests.support.made_notices import DELIVERY, SECRET, TEXT
from tests.support.partner import Fault, Partner, Taken, listening

Opened = Callable[[Partner], AbstractAsyncContextManager[Channel]]
Build = Callable[[Callable[[str], Poster]], Channel]

_MAIL = {
    Fault.REFUSE: MailFault("*", FaultKind.REFUSE_CONTENT, "550 5.1.1 no such user"),
    Fault.BUSY: MailFault("*", FaultKind.REFUSE_CONTENT, "451 4.3.0 try later"),
    Fault.BROKEN: MailFault("*", FaultKind.REFUSE_CONTENT, "421 4.3.2 closing"),
    Fault.SILENT: MailFault("*", FaultKind.SLOW, seconds=1.0),
    Fault.CUT_BEFORE: MailFault("*", FaultKind.DROP_BEFORE_ACCEPT),
    Fault.CUT_AFTER: MailFault("*", FaultKind.DROP_AFTER_ACCEPT),
}


@asynccontextmanager
async def mail(partner: Partner) -> AsyncIterator[Channel]:
    """A mail server; who speaks no SMTP at all is the partner of the others."""

    async def store(envelope: Envelope) -> None:
        partner.taken.append(Taken("DATA", "", {}, envelope.content))

    if partner.fault in {Fault.DOWN, Fault.GARBAGE, Fault.PORTAL, Fault.DRIP}:
        partner.first = True
        async with listening(partner):
            yield _mail(partner, int(partner.url.rpartition(":")[2]))
        return
    faults = [_MAIL[partner.fault]] if partner.fault in _MAIL else []
    server = SmtpServer(store, Faults(faults))
    port = await server.start()
    try:
        yield _mail(partner, port)
    finally:
        await server.stop()


def _mail(partner: Partner, port: int) -> Channel:
    return EmailChannel(Server("127.0.0.1", port, "Afterword <alerts@afterword.test>"), patience(partner))


def patience(partner: Partner) -> float:
    """Seconds until a channel gives up: short only where nothing else ends the test."""
    return 0.15 if partner.fault in {Fault.SILENT, Fault.DRIP, Fault.GARBAGE, Fault.PORTAL} else 20.0


def posted(says: str, build: Build) -> Opened:
    """A channel that posts to a partner who says this when all is well."""

    @asynccontextmanager
    async def opened(partner: Partner) -> AsyncIterator[Channel]:
        partner.says = says
        async with client() as line, listening(partner):
            yield build(lambda path: Poster(partner.url + path, line, FakeMachine(), patience(partner)))

    return opened


HOOK = "/hook/secret"
ACCOUNT = sms.Account("AC1", "+15005550006", "secret")
ROOMS = {
    "slack": posted("ok", lambda at: slack.room(at(HOOK))),
    "teams": posted("", lambda at: teams.room(at(HOOK))),
    "pagerduty": posted(
        '{"status": "success", "message": "Event processed", "dedup_key": "x"}',
        lambda at: PagerDutyChannel(at(pagerduty.ENQUEUE), "secret"),
    ),
    "webhook": posted("", lambda at: WebhookChannel(at(HOOK), SECRET, FakeMachine())),
    "sms": posted(
        '{"sid": "SM1", "status": "queued"}',
        lambda at: SmsChannel(at(sms.path("AC1")), ACCOUNT),
    ),
}
ALL = {"email": mail, **ROOMS}
CHANNELS = pytest.mark.parametrize("opened", [pytest.param(o, id=name) for name, o in ALL.items()])
POSTED = pytest.mark.parametrize("opened", [pytest.param(o, id=name) for name, o in ROOMS.items()])


async def failure(sending: Awaitable[None]) -> SendError:
    with pytest.raises(SendError) as caught:
        await sending
    return caught.value


async def tried(opened: Opened, partner: Partner) -> SendError:
    async with opened(partner) as channel:
        return await failure(send(opened, channel))


async def send(opened: Opened, channel: Channel) -> None:
    to = "+46701234567" if opened is ROOMS["sms"] else "rita@afterword.test"
    await channel.send(replace(DELIVERY, to=to))


@pytest.mark.requirement("R72")
@CHANNELS
async def test_a_notice_arrives_with_who_it_is_about_and_the_link(opened: Opened) -> None:
    partner = Partner()
    async with opened(partner) as channel:
        await send(opened, channel)
    (taken,) = partner.taken
    said = taken.body.decode().replace("=\r\n", "").replace("+", " ").replace("%3A", ":").replace("%2F", "/")
    assert "Ana Diaz" in said
    assert TEXT.link in said


@CHANNELS
@pytest.mark.parametrize(
    ("fault", "permanent"),
    [
        (Fault.REFUSE, True),
        (Fault.BUSY, False),
        (Fault.BROKEN, False),
        (Fault.SILENT, False),
        (Fault.DRIP, False),
        (Fault.GARBAGE, False),
        (Fault.PORTAL, False),
        (Fault.CUT_BEFORE, False),
        (Fault.CUT_AFTER, False),
        (Fault.DOWN, False),
    ],
)
async def test_a_failure_says_whether_repeating_can_help(
    opened: Opened, fault: Fault, permanent: bool
) -> None:
    partner = Partner(fault)
    error = await tried(opened, partner)
    assert error.permanent is permanent
    assert "secret" not in str(error)
    assert "rita" not in str(error)
    assert len(partner.taken) == (fault is Fault.CUT_AFTER)


@CHANNELS
@pytest.mark.parametrize(
    ("fault", "uncertain"),
    [(Fault.SILENT, True), (Fault.CUT_AFTER, True), (Fault.REFUSE, False), (Fault.DOWN, False)],
)
async def test_only_what_was_on_its_way_is_uncertain(opened: Opened, fault: Fault, uncertain: bool) -> None:
    assert (await tried(opened, Partner(fault))).uncertain is uncertain


@CHANNELS
async def test_a_repetition_can_be_told_from_a_second_notice(opened: Opened) -> None:
    partner = Partner()
    async with opened(partner) as channel:
        await send(opened, channel)
        await send(opened, channel)
    first, second = partner.taken
    if opened is mail:
        ids = [message_from_bytes(t.body, policy=policy.default)["Message-ID"] for t in (first, second)]
        assert ids[0] == ids[1] == f"<{DELIVERY.id}@afterword.test>"
    else:
        assert first.body == second.body
        assert first.headers.get("webhook-id") == second.headers.get("webhook-id")


@POSTED
async def test_a_partner_says_how_long_to_wait(opened: Opened) -> None:
    assert (await tried(opened, Partner(Fault.BUSY))).retry_after == timedelta(seconds=30)


@POSTED
async def test_a_partner_that_is_back_takes_the_next_one(opened: Opened) -> None:
    partner = Partner(Fault.CUT_BEFORE)
    async with opened(partner) as channel:
        await failure(send(opened, channel))
        partner.fault = Fault.NONE
        await send(opened, channel)
    assert len(partner.taken) == 1


@CHANNELS
async def test_as_many_at_once_as_the_channel_says(opened: Opened) -> None:
    partner = Partner()
    async with opened(partner) as channel:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(channel.concurrency):
                tasks.create_task(send(opened, channel))
        assert len(partner.taken) == channel.concurrency


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_nobody_is_led_elsewhere(status: int) -> None:
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(status, headers={"location": "https://elsewhere.test/"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as line:
        room = slack.room(Poster("https://hooks.chat.test/x", line, FakeMachine()))
        assert (await failure(room.send(DELIVERY))).permanent
    assert asked == ["https://hooks.chat.test/x"]


WALL = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("30", timedelta(seconds=30)),
        (" 0 ", timedelta()),
        ("Tue, 03 Mar 2026 09:01:00 GMT", timedelta(minutes=1)),
        ("Tue, 03 Mar 2026 08:00:00 GMT", timedelta()),
        ("", None),
        ("-5", None),
        ("1e9", None),
        ("٣", None),
        ("9999999", None),
        ("soon", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, wait: timedelta | None) -> None:
    assert wish(header, WALL) == wait


@settings(max_examples=30)
@given(st.text())
def test_no_retry_after_breaks_anything(header: str) -> None:
    wait = wish(header, WALL)
    assert wait is None or wait >= timedelta()


@pytest.mark.parametrize(
    "evil",
    [
        "Ana\r\nBcc: all@acme.test",
        "Ana\nSubject: x",
        "Ana\x00\x1b[31m",
        "Ana\u202egnp.exe",
        "Ana\u2028Bcc: b@x.test",
    ],
)
def test_no_name_can_add_a_header(evil: str) -> None:
    delivery = replace(
        DELIVERY, to="rita@afterword.test", name=evil, text=replace(TEXT, subject=f"{evil} gave 2")
    )
    built = email.build(delivery, "Afterword <alerts@afterword.test>")
    read = message_from_bytes(built.as_bytes(), policy=policy.default)
    assert sorted(read.keys()) == sorted(built.keys())
    assert "Bcc" not in read
    assert len(read["To"].addresses) == 1
    assert read["Subject"].isprintable()
    assert read["Date"].datetime == DELIVERY.at


@pytest.mark.parametrize("address", ["", "nobody", "a@x.test\r\nRCPT TO:<b@x.test>", "a@x.test, b@x.test"])
async def test_an_address_that_is_none_is_refused_for_good(address: str) -> None:
    channel = EmailChannel(Server("127.0.0.1", 1, "a@afterword.test"))
    assert (await failure(channel.send(replace(DELIVERY, to=address)))).permanent


@pytest.mark.parametrize("number", ["", "0701234567", "rita", "+46", "+46 70 123 45 67 89 01 23 45"])
async def test_a_number_that_is_none_is_refused_for_good(number: str) -> None:
    async with client() as line:
        channel = SmsChannel(Poster("http://127.0.0.1:1", line, FakeMachine()), ACCOUNT)
        assert (await failure(channel.send(replace(DELIVERY, to=number)))).permanent


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://hooks.slack.com/services/T/B/x", True),
        ("http://127.0.0.1:9/hook", True),
        ("http://10.0.0.1/hook", False),
        ("file:///etc/passwd", False),
        ("https://user:pw@hooks.slack.com/x", False),
        ("hooks.slack.com/x", False),
    ],
)
def test_a_webhook_goes_out_encrypted_or_stays_here(url: str, taken: bool) -> None:
    if taken:
        assert checked(url) == url
    else:
        with pytest.raises(ValueError, match="webhook"):
            checked(url)
