"""The door for the mail server: what is ours is kept, then acknowledged; all else is refused or put off."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from services.dispatch.api.listener import IDLE_SECONDS, ReturnListener
from services.dispatch.api.returns import MAX_MAIL
from services.dispatch.app import build
from services.dispatch.domain.return_path import Way, local_part
from services.dispatch.settings import Settings
from shared.contracts.deliveries import ContactUnsubscribed, DeliveryBounced
from shared.db.database import Database
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.service import Listener
from shared.security.keyring import KeyRing
from shared.security.tokens import Tokens
from tests.support.assembled import platform
from tests.support.dispatch import delivery_id
from tests.support.returning import DOMAIN, HOST, PROTOCOLS, Door, counted, one_mail
from tests.unit.dispatch.test_inbound import mail, status

SENDER = "mailer-daemon@mx.example"
pytestmark = pytest.mark.requirement("R50", "R57")


@pytest.mark.parametrize("by", PROTOCOLS)
async def test_a_bounce_is_kept_when_it_is_acknowledged_and_told_once(
    door: Door, by: type[smtplib.SMTP]
) -> None:
    bounce, _ = await door.ask("anna")
    before = counted("taken")
    for _ in range(2):
        assert (await door.bring(status("failed", "5.1.1"), bounce, by=by))[0] == 250
        assert await door.told(DeliveryBounced.TYPE) == 1
    assert counted("taken") == before + 2
    rows = await door.room.fetch("select reason, via from suppressions where kind = 'address'")
    assert [tuple(row) for row in rows] == [("invalid_address", "mail")]


@pytest.mark.parametrize("by", PROTOCOLS)
@pytest.mark.requirement("R51")
async def test_a_reply_reaches_a_person_byte_by_byte(door: Door, by: type[smtplib.SMTP]) -> None:
    _, reply = await door.ask("anna")
    long = "word " * 10_000
    raw = mail("x", Content_Transfer_Encoding="8bit").partition(b"\n\n")[0].replace(b"\n", b"\r\n")
    raw += f"\r\n\r\n.A dot, and é.\r\n..\r\n{long}\r\n".encode()
    assert (await door.bring(raw, reply.upper(), by=by))[0] == 250
    passed = door.room.mails[-1]
    assert passed.recipients == ("karin@northwind.example",)
    assert passed.content.endswith(raw)


async def test_please_stop_is_an_opt_out(door: Door) -> None:
    _, reply = await door.ask("anna")
    assert (await door.bring(mail("Please stop."), reply))[0] == 250
    assert await door.told(ContactUnsubscribed.TYPE) == 1


def forged(way: Way) -> str:
    """An address that somebody else has signed."""
    other = Tokens(KeyRing(1, {1: b"x" * 32}))
    return f"{local_part(way, other.sign(way.value, delivery_id('anna')))}@{DOMAIN}"


@pytest.mark.parametrize("by", PROTOCOLS)
@pytest.mark.parametrize(
    "to",
    [
        f"postmaster@{DOMAIN}",
        "karin@northwind.example",
        forged(Way.BOUNCE),
        forged(Way.REPLY),
        f"b+{'a' * 53}@{DOMAIN}",
        f"é@{DOMAIN}",
        "nobody",
    ],
)
async def test_any_other_address_is_refused_for_good_before_the_mail_is_sent(
    door: Door, by: type[smtplib.SMTP], to: str
) -> None:
    await door.ask("anna")
    before = counted("refused")

    def refused() -> list[int]:
        with by(HOST, door.port, timeout=60) as client:
            client.ehlo_or_helo_if_needed()
            client.command_encoding = "utf-8"
            client.mail(SENDER, ["SMTPUTF8"])
            return [client.rcpt(to)[0], client.docmd("DATA")[0]]

    assert await asyncio.to_thread(refused) == [550, 503]
    assert counted("refused") == before + 1
    assert await door.room.fetch("select from replies") == []


async def test_a_good_address_of_ours_under_another_domain_is_relayed_nowhere(door: Door) -> None:
    bounce, _ = await door.ask("anna")
    elsewhere = bounce.replace(DOMAIN, "elsewhere.example")
    assert (await door.bring(status("failed", "5.1.1"), elsewhere))[0] == 550


async def test_what_is_about_a_mail_that_is_no_longer_kept_is_refused(door: Door) -> None:
    bounce, _ = await door.ask("anna")
    await door.room.run("delete from attempts")
    await door.room.run("delete from messages")
    assert (await door.bring(status("failed", "5.1.1"), bounce))[0] == 550


@pytest.mark.parametrize("by", PROTOCOLS)
async def test_while_the_database_is_away_the_mail_server_keeps_the_mail(
    door: Door, database: Callable[[str], Awaitable[Database]], by: type[smtplib.SMTP]
) -> None:
    bounce, _ = await door.ask("anna")
    lost = await database("dispatch")
    await lost.pool.close()
    away = await door.listen(replace(door.returns, db=lost))
    before = counted("later")
    assert (await door.bring(status("failed", "5.1.1"), bounce, by=by, port=away))[0] == 451
    assert counted("later") == before + 1
    assert await door.told(DeliveryBounced.TYPE) == 0
    assert (await door.bring(status("failed", "5.1.1"), bounce, by=by))[0] == 250
    assert await door.told(DeliveryBounced.TYPE) == 1


async def test_what_goes_wrong_with_us_is_never_held_against_the_mail(door: Door) -> None:
    bounce, _ = await door.ask("anna")
    await door.room.run("alter table replies rename to mislaid")

    def twice() -> list[int]:
        with smtplib.SMTP(HOST, door.port, timeout=60) as client:
            client.ehlo()
            codes = []
            for _ in range(2):
                client.mail(SENDER)
                client.rcpt(bounce)
                codes.append(client.data(status("failed", "5.1.1"))[0])
            return codes

    assert await asyncio.to_thread(twice) == [451, 451]
    await door.room.run("alter table mislaid rename to replies")
    assert (await door.bring(status("failed", "5.1.1"), bounce))[0] == 250


async def test_a_reply_that_cannot_be_passed_on_is_to_be_brought_again(door: Door) -> None:
    _, reply = await door.ask("anna")
    door.room.faults.rules.append(Fault("karin@*", FaultKind.REFUSE_RECIPIENT, "451 4.3.0 later", times=1))
    assert (await door.bring(mail("Hello?"), reply))[0] == 451
    assert await door.room.fetch("select from replies") == []
    assert (await door.bring(mail("Hello?"), reply))[0] == 250
    assert len(door.room.mails) == 2


@pytest.mark.parametrize("by", PROTOCOLS)
async def test_a_mail_has_one_recipient_and_the_next_one_comes_with_the_next_mail(
    door: Door, by: type[smtplib.SMTP]
) -> None:
    first, _ = await door.ask("anna")
    second, _ = await door.ask("bert")

    def both() -> list[int]:
        with by(HOST, door.port, timeout=60) as client:
            client.ehlo_or_helo_if_needed()
            codes = [client.mail(SENDER)[0], client.rcpt(first)[0], client.rcpt(second)[0]]
            codes.append(client.data(status("failed", "5.1.1"))[0])
            codes += [client.mail(SENDER)[0], client.rcpt(second)[0]]
            return [*codes, client.data(status("failed", "5.1.1"))[0]]

    assert await asyncio.to_thread(both) == [250, 250, 452, 250, 250, 250, 250]
    assert await door.told(DeliveryBounced.TYPE) == 2


async def test_a_mail_that_is_too_large_is_refused_announced_or_not(door: Door) -> None:
    bounce, _ = await door.ask("anna")

    def large() -> list[int]:
        with smtplib.SMTP(HOST, door.port, timeout=60) as client:
            client.ehlo()
            announced = client.mail(SENDER, [f"SIZE={MAX_MAIL + 1}"])[0]
            client.mail(SENDER)
            client.rcpt(bounce)
            return [announced, client.data(b"x: y\r\n\r\n" + b"0123456789\r\n" * (MAX_MAIL // 12 + 1))[0]]

    assert await asyncio.to_thread(large) == [552, 552]
    assert await door.room.fetch("select from replies") == []


async def test_the_end_of_a_mail_is_a_dot_between_whole_line_ends_and_nothing_else(door: Door) -> None:
    _, reply = await door.ask("anna")
    smuggled = b"Subject: x\r\n\r\nHello?\n.\nMAIL FROM:<eve@example.org>\n.\r\nThat is all.\r\n"

    def raw() -> bytes:
        with smtplib.SMTP(HOST, door.port, timeout=60) as client:
            client.ehlo()
            client.mail(SENDER)
            client.rcpt(reply)
            client.putcmd("DATA")
            client.getreply()
            client.send(smuggled + b".\r\n")
            return b"%d" % client.getreply()[0]

    assert await asyncio.to_thread(raw) == b"250"
    whole = smuggled.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert door.room.mails[-1].content.endswith(whole), "one mail, with what was to pass as another inside"


async def test_a_connection_too_many_is_asked_to_come_again(door: Door) -> None:
    port = await door.listen(connections=1)

    def crowd() -> list[int]:
        with smtplib.SMTP(HOST, port, timeout=60) as first:
            codes = [first.ehlo()[0]]
            with pytest.raises(smtplib.SMTPConnectError) as error:
                smtplib.SMTP(HOST, port, timeout=60)
            codes.append(error.value.smtp_code)
        return codes

    assert await asyncio.to_thread(crowd) == [250, 421]


async def test_nobody_signs_in_and_nobody_is_told_who_is_here(door: Door) -> None:
    def curious() -> tuple[bool, int, int]:
        with smtplib.SMTP(HOST, door.port, timeout=60) as client:
            client.ehlo()
            return client.has_extn("auth"), client.docmd("AUTH", "PLAIN AGEAYg==")[0], client.verify("x")[0]

    offered, signed_in, known = await asyncio.to_thread(curious)
    assert not offered
    assert signed_in // 100 == 5
    assert known == 252


async def test_what_is_being_kept_when_the_process_stops_is_finished_and_answered(door: Door) -> None:
    _, reply = await door.ask("anna")
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def forward(_sender: str, _recipient: str, _content: bytes) -> None:
        reached.set()
        await go_on.wait()

    listener = ReturnListener(replace(door.returns, forward=forward), DOMAIN, HOST, 0)
    stop, ports = asyncio.Event(), asyncio.Queue[int]()

    async def listening() -> None:
        async with listener.opened() as port:
            await ports.put(port)
            await stop.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listening())
        port = await ports.get()
        with await asyncio.to_thread(socket.create_connection, (HOST, port), IDLE_SECONDS) as idle:
            bringing = tasks.create_task(door.bring(mail("Hello?"), reply, port=port))
            await reached.wait()
            stop.set()
            while await asyncio.to_thread(is_open, port):
                pass
            go_on.set()
            assert (await bringing)[0] == 250
            assert (await asyncio.to_thread(idle.recv, 100)).startswith(b"220 ")
            assert await asyncio.to_thread(idle.recv, 100) == b""
    [kept] = await door.room.fetch("select kind from replies")
    assert kept["kind"] == "reply"


async def test_it_listens_until_it_is_told_to_stop_when_a_port_is_named() -> None:
    assert (await build(Settings(), platform("dispatch"))).listeners == ()
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    named = Settings(return_port=port, return_domain=DOMAIN.upper())
    [listener] = (await build(named, platform("dispatch"))).listeners
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(_until(listener, stop))
        while not listening.done() and not await asyncio.to_thread(is_open, port):
            pass
        answer = await asyncio.to_thread(one_mail, smtplib.SMTP, port, b"x: y\r\n", f"karin@{DOMAIN}")
        assert answer[0] == 550
        stop.set()
    assert not is_open(port)


async def _until(listener: Listener, stop: asyncio.Event) -> None:
    await listener(stop)


def is_open(port: int) -> bool:
    """Whether somebody listens; whoever closes its door meanwhile resets what waits before it."""
    try:
        socket.create_connection((HOST, port)).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


async def test_a_port_without_a_domain_ends_the_start_and_is_named() -> None:
    with pytest.raises(ValueError, match="AFTERWORD_DISPATCH_RETURN_DOMAIN"):
        await build(Settings(return_port=2525), platform("dispatch"))
