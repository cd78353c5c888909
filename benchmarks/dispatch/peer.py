"""P7, the other side: the same words and templates, EmailMessage, aiosmtplib over kept connections."""

from __future__ import annotations

import asyncio
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib
import uvloop

from benchmarks.dispatch.mails import NOW, ORGANISATION, claimed, desk
from services.dispatch.channels.render import Rendered, Renderer
from services.dispatch.domain.letter import Letter
from services.dispatch.worker.preparing import _worded
from shared.runtime.memory import spare_startup


def build(letter: Letter, rendered: Rendered, number: int) -> EmailMessage:
    """The same headers and parts, by the standard library."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"{letter.frame.sender_name} <{letter.frame.sender}>"
    mail["To"] = f"anna{number}@customer.example"
    mail["Reply-To"] = str(letter.frame.reply_to)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(NOW)
    mail["Message-ID"] = f"<{number}@nordlicht.example>"
    mail["List-Unsubscribe"] = f"<{letter.links.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["List-Id"] = "<programme-0.surveys.nordlicht.example>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    return mail


async def main(port: int, mails: int, connections: int) -> None:
    """Send so many mails; says mails a second and microseconds of CPU a mail."""
    # Worded once: the other side need not look anybody up, check values or sign links.
    letter, renderer = _worded(claimed(0), ORGANISATION, desk()), Renderer()
    spare_startup()

    async def sender(smtp: aiosmtplib.SMTP, numbers: range) -> None:
        for number in numbers:
            await smtp.send_message(build(letter, renderer.render(letter), number))

    clients = [aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) for _ in range(connections)]
    for smtp in clients:
        await smtp.connect()
    await sender(clients[0], range(20))
    started, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for index, smtp in enumerate(clients):
            tasks.create_task(sender(smtp, range(index, mails, connections)))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    print(f"RESULT {mails / seconds:.1f} {used / mails * 1e6:.1f}", flush=True)


uvloop.run(main(*map(int, sys.argv[1:4])))
