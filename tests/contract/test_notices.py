"""One suite over every channel by which reps are told, each against a real server of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Protocol

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.alerts.channels import email, slack
from services.alerts.channels.email import EmailChannel, Server
from services.alerts.channels.port import Channel, Delivery
from services.alerts.channels.slack import SlackChannel, body, checked
from services.alerts.domain.alarm import Text
from shared.errors import SendError
from shared.runtime.ids import derive

TEXT = Text(
    subject="Ana Diaz (Acme) gave 2 of 10 (23 h left)",
    headline="Ana Diaz is unhappy. Contact them within 24 h.",
    quote="Nobody called back.\nTwice!",
    facts=(("Who", "Ana Diaz, operations"), ("Phone", "+46 70 123 45 67"), ("E-mail", "ana@acme.test")),
    action="Call +46 70 123 45 67, then log the contact in the case.",
    link="https://afterword.test/tickets/1",
    button="Open the case",
)
DELIVERY = Delivery(derive("notice"), TEXT, "rita@afterword.test", "Rita Ek")


@dataclass
class Partner:
    """A server that answers as it is told and remembers what it took."""

    answer: str = "ok"
    taken: list[str] = field(default_factory=list)


class _Mailbox:
    """Says to the sender what the partner is told to say."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answers = {
            "refuse": "550 no such user",
            "busy": "451 try later",
            "down": "421 closing",
            "ok": "250 OK",
        }
        if self._partner.answer == "silent":
            await asyncio.sleep(3600)
        if self._partner.answer == "ok":
            content = envelope.content or b""
            self._partner.taken.append(content if isinstance(content, str) else content.decode())
        return answers[self._partner.answer]


@asynccontextmanager
async def mail(partner: Partner) -> AsyncIterator[Channel]:
    box = _Mailbox(partner)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield EmailChannel(Server("127.0.0.1", port, "Afterword <alerts@afterword.test>"), seconds=0.5)
    finally:
        server.close()


@asynccontextmanager
async def room(partner: Partner) -> AsyncIterator[Channel]:
    statuses = {"ok": 200, "refuse": 404, "busy": 429, "down": 503}

    async def respond(request: httpx.Request) -> httpx.Response:
        if partner.answer == "silent":
            raise httpx.ReadTimeout("no answer", request=request)
        status = statuses[partner.answer]
        if status == 200:
            partner.taken.append(request.content.decode())
        return httpx.Response(status, headers={"retry-after": "30"} if status == 429 else {}, text="ok")

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        yield SlackChannel("https://hooks.chat.test/services/T/B/secret", client)


CHANNELS = pytest.mark.parametrize("opened", [pytest.param(mail, id="email"), pytest.param(room, id="slack")])
Opened = Callable[[Partner], "_Context"]


class _Context(Protocol):
    async def __aenter__(self) -> Channel: ...

    async def __aexit__(self, *_: object) -> bool | None: ...


async def failure(sending: Awaitable[None]) -> SendError:
    with pytest.raises(SendError) as caught:
        await sending
    return caught.value


@pytest.mark.requirement("R72")
@CHANNELS
async def test_a_notice_arrives_with_who_what_they_said_and_the_link(opened: Opened) -> None:
    partner = Partner()
    async with opened(partner) as channel:
        await channel.send(DELIVERY)
    (taken,) = partner.taken
    for words in ("Ana Diaz", "Nobody called back.", "https://afterword.test/tickets/1", "Open the case"):
        assert words in taken.replace("=\r\n", "")


@CHANNELS
@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        pytest.param("refuse", True, id="refused for good"),
        pytest.param("busy", False, id="asked to wait"),
        pytest.param("down", False, id="server broken"),
        pytest.param("silent", False, id="no answer"),
    ],
)
async def test_a_failure_says_whether_repeating_can_help(
    opened: Opened, answer: str, permanent: bool
) -> None:
    partner = Partner(answer)
    async with opened(partner) as channel:
        error = await failure(channel.send(DELIVERY))
    assert error.permanent is permanent
    assert error.uncertain is (answer == "silent")
    assert "secret" not in str(error)
    assert "rita" not in str(error)
    assert partner.taken == []


@CHANNELS
async def test_a_repetition_can_be_told_from_a_second_notice(opened: Opened) -> None:
    partner = Partner()
    async with opened(partner) as channel:
        await channel.send(DELIVERY)
        await channel.send(DELIVERY)
    first, second = partner.taken
    if first.startswith("From:"):
        ids = [message_from_bytes(t.encode(), policy=policy.default)["Message-ID"] for t in (first, second)]
        assert ids[0] == ids[1] == f"<{DELIVERY.id}@afterword.test>"
    else:
        assert first == second


async def test_slack_tells_how_long_to_wait() -> None:
    async with room(Partner("busy")) as channel:
        error = await failure(channel.send(DELIVERY))
    assert error.retry_after == timedelta(seconds=30)


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    channel = EmailChannel(Server("127.0.0.1", 1, "a@afterword.test"))
    assert not (await failure(channel.send(DELIVERY))).permanent


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
    delivery = replace(DELIVERY, name=evil, text=replace(TEXT, subject=f"{evil} gave 2"))
    built = email.build(delivery, "Afterword <alerts@afterword.test>")
    read = message_from_bytes(built.as_bytes(), policy=policy.default)
    assert sorted(read.keys()) == sorted(built.keys())
    assert "Bcc" not in read
    assert len(read["To"].addresses) == 1
    assert read["Subject"].isprintable()


@pytest.mark.parametrize("address", ["", "nobody", "a@x.test\r\nRCPT TO:<b@x.test>", "a@x.test, b@x.test"])
async def test_an_address_that_is_none_is_refused_for_good(address: str) -> None:
    channel = EmailChannel(Server("127.0.0.1", 1, "a@afterword.test"))
    assert (await failure(channel.send(replace(DELIVERY, to=address)))).permanent


def test_what_a_customer_wrote_is_text_everywhere() -> None:
    evil = '<img src=x onerror=alert(1)> <!channel> [x](javascript:1) *bold* "><script>'
    text = replace(TEXT, quote=evil, facts=(("Who", evil), ("E-mail", '"><b>@x')))
    rich = email.rich(text)
    assert "<img" not in rich
    assert "<script" not in rich
    assert "<b>" not in rich
    posted = json.dumps(body(text), ensure_ascii=False)
    assert "<!channel>" not in posted
    assert "*bold*" not in posted


def test_slack_gets_no_more_than_it_takes() -> None:
    long = replace(
        TEXT, subject="s" * 400, headline="h" * 4000, quote="&" * 4000, facts=(("Who", "w" * 3000),) * 14
    )
    blocks = body(long)["blocks"]
    assert len(blocks[0]["text"]["text"]) == slack.HEADER_CHARS
    assert len(blocks[1]["text"]["text"]) <= slack.SECTION_CHARS
    assert len(blocks[2]["fields"]) == slack.FIELDS
    assert all(len(one["text"]) <= slack.FIELD_CHARS for one in blocks[2]["fields"])


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
