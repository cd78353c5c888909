"""What every channel promises (`services.dispatch.channels.port.Channel`), against a server that fails on
demand.

A channel that joins later gets a `Bench` here and must pass the same tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from services.dispatch.channels.email import EmailChannel
from services.dispatch.channels.email import SmtpServer as Target
from services.dispatch.channels.port import Channel, Outgoing, RefusedError
from shared.contracts.reasons import Reason
from shared.embedded.smtp import Envelope, Fault, FaultKind, Faults, SmtpServer
from shared.errors import SendError
from shared.runtime.clock import SystemMachine

SECONDS = 1.5


@dataclass(slots=True)
class Bench:
    """A channel in front of a provider that keeps what it took."""

    channel: Channel
    server: SmtpServer
    port: int
    faults: Faults
    taken: list[Envelope] = field(default_factory=list)

    def fail(self, kind: FaultKind, reply: str = "451 4.3.0 try again later", seconds: float = 0.0) -> None:
        self.faults.rules.append(Fault("anna@*", kind, reply, seconds))


def message(name: str = "anna", content: bytes = b"Subject: hello\r\n\r\nHello\r\n") -> Outgoing:
    return Outgoing(f"key-{name}", "karin@northwind.example", f"{name}@customer.example", content)


@pytest.fixture(params=["email"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    taken: list[Envelope] = []

    async def store(envelope: Envelope) -> None:
        taken.append(envelope)

    faults = Faults()
    server = SmtpServer(store, faults)
    port = await server.start()
    channel = EmailChannel(Target("127.0.0.1", port, seconds=SECONDS, connections=4), SystemMachine())
    yield Bench(channel, server, port, faults, taken)
    await channel.close()
    await server.stop()


async def refused(bench: Bench, name: str = "anna") -> SendError:
    with pytest.raises(SendError) as caught:
        await bench.channel.send(message(name))
    return caught.value


async def test_what_is_taken_arrives_once_and_unchanged(bench: Bench) -> None:
    content = b"Subject: dots\r\n\r\n.\r\n..two\r\n.three\r\n" + "Åsa\r\n".encode()
    await bench.channel.send(message(content=content))
    [envelope] = bench.taken
    assert (envelope.sender, envelope.recipients) == ("karin@northwind.example", ("anna@customer.example",))
    assert envelope.content == content


async def test_many_at_once_all_arrive(bench: Bench) -> None:
    async with asyncio.TaskGroup() as tasks:
        for n in range(40):
            tasks.create_task(bench.channel.send(message(f"person{n}")))
    assert len({e.recipients for e in bench.taken}) == len(bench.taken) == 40


@pytest.mark.parametrize("kind", [FaultKind.REFUSE_RECIPIENT, FaultKind.REFUSE_CONTENT])
@pytest.mark.parametrize(
    ("reply", "permanent", "reason"),
    [
        ("450 4.2.1 try later", False, Reason.BOUNCED),
        ("452 4.2.2 mailbox full", False, Reason.BOUNCED),
        ("550 5.1.1 no such user anna@customer.example", True, Reason.INVALID_ADDRESS),
        ("554 5.7.1 policy", True, Reason.BOUNCED),
    ],
)
async def test_a_refusal_says_whether_repeating_helps(
    bench: Bench, kind: FaultKind, reply: str, reason: Reason, *, permanent: bool
) -> None:
    bench.fail(kind, reply)
    error = await refused(bench)
    assert isinstance(error, RefusedError)
    assert (error.permanent, error.uncertain, error.reason) == (permanent, False, reason)
    assert reply.split()[1] in str(error)
    assert "anna" not in str(error)
    assert bench.taken == []


async def test_a_server_that_goes_away_asks_for_patience(bench: Bench) -> None:
    bench.fail(FaultKind.REFUSE_RECIPIENT, "421 4.3.2 shutting down")
    assert (await refused(bench)).retry_after == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("kind", "taken"), [(FaultKind.DROP_BEFORE_ACCEPT, 0), (FaultKind.DROP_AFTER_ACCEPT, 1)]
)
async def test_silence_after_the_message_is_uncertain(bench: Bench, kind: FaultKind, taken: int) -> None:
    bench.fail(kind)
    error = await refused(bench)
    assert (error.permanent, error.uncertain) == (False, True)
    assert len(bench.taken) == taken


async def test_an_answer_that_comes_too_late_is_uncertain(bench: Bench) -> None:
    bench.fail(FaultKind.SLOW, seconds=SECONDS * 3)
    error = await refused(bench)
    assert (error.permanent, error.uncertain) == (False, True)


async def test_an_answer_that_comes_in_time_is_an_answer(bench: Bench) -> None:
    bench.fail(FaultKind.SLOW, seconds=SECONDS / 3)
    await bench.channel.send(message())
    assert len(bench.taken) == 1


async def test_a_server_that_is_away_was_certainly_not_told(bench: Bench) -> None:
    await bench.server.stop()
    error = await refused(bench)
    assert (error.permanent, error.uncertain) == (False, False)


async def test_a_connection_lost_before_the_message_may_be_repeated() -> None:
    """The server hangs up after RCPT: nothing of the message was on the wire."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        for answer in (b"250 hello\r\n", b"250 ok\r\n"):
            await reader.readline()
            writer.write(answer)
            await writer.drain()
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = EmailChannel(Target("127.0.0.1", port, seconds=SECONDS), SystemMachine())
    with pytest.raises(SendError) as caught:
        await channel.send(message())
    assert (caught.value.permanent, caught.value.uncertain) == (False, False)
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("greeting", "uncertain"), [(b"nonsense\r\n", False), (b"554 go away\r\n", False), (b"", False)]
)
async def test_a_server_that_speaks_something_else(greeting: bytes, *, uncertain: bool) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = EmailChannel(Target("127.0.0.1", port, seconds=SECONDS), SystemMachine())
    with pytest.raises(SendError) as caught:
        await channel.send(message())
    assert caught.value.uncertain is uncertain
    server.close()
    await server.wait_closed()


async def test_one_refusal_does_not_harm_the_next_message(bench: Bench) -> None:
    bench.fail(FaultKind.REFUSE_RECIPIENT, "550 5.1.1 no")
    for _ in range(3):
        await refused(bench)
        await bench.channel.send(message("bert"))
    assert [e.recipients[0] for e in bench.taken] == ["bert@customer.example"] * 3


async def test_a_kept_connection_that_died_is_replaced(bench: Bench) -> None:
    await bench.channel.send(message())
    await bench.server.stop()
    await asyncio.sleep(0)
    await bench.server.start(bench.port)
    await bench.channel.send(message("bert"))
    assert [e.recipients[0] for e in bench.taken] == ["anna@customer.example", "bert@customer.example"]


@pytest.mark.parametrize("recipient", ["anna@x.example\r\nRCPT TO:<eve@evil.example>", "anna@x.example\x00"])
async def test_a_command_cannot_be_smuggled_in_an_address(bench: Bench, recipient: str) -> None:
    with pytest.raises(SendError) as caught:
        await bench.channel.send(Outgoing("k", "karin@northwind.example", recipient, b"x"))
    assert caught.value.uncertain is False
    assert bench.taken == []


async def test_connections_are_kept(bench: Bench) -> None:
    for _ in range(5):
        await bench.channel.send(message())
    assert len(bench.taken) == 5
    assert len(bench.server._writers) == 1


async def test_without_starttls_a_server_that_must_have_it_gets_nothing(bench: Bench) -> None:
    channel = EmailChannel(Target("127.0.0.1", bench.port, tls="starttls", seconds=SECONDS), SystemMachine())
    with pytest.raises(SendError) as caught:
        await channel.send(message())
    assert caught.value.uncertain is False
    assert bench.taken == []


async def test_close_gives_everything_back(bench: Bench) -> None:
    await bench.channel.send(message())
    await bench.channel.close()
    await bench.channel.close()
    await bench.channel.send(message("bert"))
    assert len(bench.taken) == 2


@dataclass(slots=True)
class Script:
    """A server that answers each command by its verb and keeps everything it was sent."""

    answers: dict[bytes, bytes]
    pipelining: bool = True
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"220 hello\r\n")
        hello = b"250-hi\r\n250 PIPELINING\r\n" if self.pipelining else b"250 hi\r\n"
        try:
            while line := await reader.readline():
                self.heard.append(line)
                verb = line[:4].strip().upper()
                writer.write(self.answers.get(verb) or (hello if verb == b"EHLO" else b"250 ok\r\n"))
        finally:
            writer.close()

    async def say(self, recipient: str = "anna") -> SendError | None:
        """Send two mails in turn; gives what the first came to."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        channel = EmailChannel(Target("127.0.0.1", port, seconds=SECONDS), SystemMachine())
        found: list[SendError | None] = []
        for _ in range(2):
            try:
                await channel.send(message(recipient))
                found.append(None)
            except SendError as error:
                found.append(error)
        await channel.close()
        server.close()
        await server.wait_closed()
        return found[0]


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_refused_envelope_leaves_the_content_unsent(*, pipelining: bool) -> None:
    script = Script({b"RCPT": b"550 5.1.1 nobody\r\n", b"DATA": b"503 no recipient\r\n"}, pipelining)
    error = await script.say()
    assert isinstance(error, RefusedError)
    assert (error.permanent, error.uncertain, error.reason) == (True, False, Reason.INVALID_ADDRESS)
    assert not any(b"Hello" in line for line in script.heard)
    assert script.connections == 1


async def test_a_server_that_waits_for_content_without_a_recipient_gets_none() -> None:
    script = Script({b"RCPT": b"550 5.1.1 nobody\r\n", b"DATA": b"354 go on\r\n"})
    error = await script.say()
    assert isinstance(error, RefusedError)
    assert not error.uncertain
    assert not any(b"Hello" in line or line == b".\r\n" for line in script.heard)
    assert script.connections == 2


async def test_a_refused_sender_is_told_by_its_own_answer() -> None:
    replies = {b"MAIL": b"451 4.7.1 later\r\n", b"RCPT": b"503 no\r\n", b"DATA": b"503 no\r\n"}
    error = await Script(replies).say()
    assert isinstance(error, RefusedError)
    assert "mail: 451" in str(error)
    assert not error.permanent
