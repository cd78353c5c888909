"""The SMTP server of sink and tests: it takes what clients send, and fails as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import aiosmtplib
import pytest

from shared.embedded.smtp import HOST, Fault, FaultKind
from tests.support.smtp_sink import SmtpSink, smtp_sink

MAIL = b"From: a@b.test\r\nTo: c@d.test\r\nSubject: Hi\r\n\r\nfirst\r\n.dotted\r\n..twice\r\nlast\r\n"


@pytest.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with smtp_sink() as running:
        yield running


async def send(sink: SmtpSink, *recipients: str, content: bytes = MAIL, seconds: float = 5) -> None:
    client = aiosmtplib.SMTP(hostname=HOST, port=sink.port, timeout=seconds, use_tls=False, start_tls=False)
    async with client:
        await client.sendmail("a@b.test", list(recipients or ("c@d.test",)), content)


async def test_a_mail_arrives_byte_for_byte_with_its_envelope(sink: SmtpSink) -> None:
    await send(sink, "c@d.test", "e@f.test")
    (envelope,) = sink.arrived
    assert envelope.content == MAIL
    assert envelope.sender == "a@b.test"
    assert envelope.recipients == ("c@d.test", "e@f.test")
    assert sink.mails()[0]["Subject"] == "Hi"


async def test_one_connection_carries_many_mails(sink: SmtpSink) -> None:
    client = aiosmtplib.SMTP(hostname=HOST, port=sink.port, use_tls=False, start_tls=False)
    async with client:
        for number in range(20):
            await client.sendmail("a@b.test", [f"r{number}@d.test"], MAIL)
    assert [envelope.recipients[0] for envelope in sink.arrived] == [f"r{n}@d.test" for n in range(20)]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(Fault("*@full.test", FaultKind.REFUSE_RECIPIENT, "452 4.2.2 full"), 452, id="for now"),
        pytest.param(Fault("*@full.test", FaultKind.REFUSE_RECIPIENT, "550 5.1.1 no"), 550, id="for ever"),
    ],
)
async def test_a_recipient_is_refused(sink: SmtpSink, fault: Fault, code: int) -> None:
    sink.faults.rules = [fault]
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(sink, "anna@full.test")
    assert refused.value.recipients[0].code == code
    await send(sink, "anna@free.test")
    assert [envelope.recipients for envelope in sink.arrived] == [("anna@free.test",)]


async def test_content_is_refused(sink: SmtpSink) -> None:
    sink.faults.rules = [Fault("*", FaultKind.REFUSE_CONTENT, "554 5.7.1 no")]
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await send(sink)
    assert refused.value.code == 554
    assert sink.arrived == []


async def test_the_connection_drops_before_the_mail_is_kept(sink: SmtpSink) -> None:
    sink.faults.rules = [Fault("*", FaultKind.DROP_BEFORE_ACCEPT)]
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(sink)
    assert sink.arrived == []


async def test_the_connection_drops_after_the_mail_was_kept(sink: SmtpSink) -> None:
    sink.faults.rules = [Fault("*", FaultKind.DROP_AFTER_ACCEPT)]
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(sink)
    assert len(sink.arrived) == 1


async def test_a_slow_server_outlasts_the_clients_patience_and_keeps_the_mail(sink: SmtpSink) -> None:
    sink.faults.rules = [Fault("*", FaultKind.SLOW, seconds=0.3)]
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await send(sink, seconds=0.1)
    sink.faults.rules = []
    await send(sink)
    assert sink.arrived


async def test_a_fault_happens_as_often_as_it_says(sink: SmtpSink) -> None:
    sink.faults.rules = [Fault("*", FaultKind.REFUSE_CONTENT, times=2)]
    for _ in range(2):
        with pytest.raises(aiosmtplib.SMTPDataError):
            await send(sink)
    await send(sink)
    assert len(sink.arrived) == 1


async def test_what_is_no_smtp_is_answered_and_survived(sink: SmtpSink) -> None:
    reader, writer = await asyncio.open_connection(HOST, sink.port)
    writer.write(b"HELLO\r\nRCPT TO:<a@b.test>\r\nMAIL FROM a\r\nDATA\r\nQUIT\r\n")
    replies = (await reader.read()).decode().split("\r\n")
    assert [reply[:3] for reply in replies if reply] == ["220", "500", "503", "501", "503", "221"]
    writer.close()
    await writer.wait_closed()
    await send(sink)


async def test_a_line_without_end_ends_the_connection_only(sink: SmtpSink) -> None:
    reader, writer = await asyncio.open_connection(HOST, sink.port)
    writer.write(b"x" * 200_000)
    with suppress(ConnectionResetError):
        await reader.read()
    writer.close()
    await send(sink)
    assert len(sink.arrived) == 1
