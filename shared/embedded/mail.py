"""Start, find again and end the mail sink's process."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import shared
from shared.embedded import processes
from shared.embedded.processes import HOST, Command, Detached

NAME = "mail"
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class MailSink:
    """Where the sink takes mail, shows it, and keeps it."""

    smtp_port: int
    http_port: int
    mailbox: Path

    @property
    def page(self) -> str:
        """Name the page that shows the mails."""
        return f"http://{HOST}:{self.http_port}/"


async def ensure_mail_sink(data_dir: Path) -> MailSink:
    """Take over the running sink of this data directory, or start it; mails stay over its end.

    Raises:
        EmbeddedError: it did not come up; the message ends with its log.
    """
    async with processes.exclusive(data_dir):
        running = processes.recall(data_dir, NAME)
        if running is None or not processes.is_alive(running):
            running = await _start(data_dir, running)
        sink = sink_of(data_dir, running)

        async def serves() -> bool:
            return await processes.accepts(sink.http_port) and await processes.accepts(sink.smtp_port)

        await processes.wait_ready(data_dir, running, serves, _START_SECONDS)
        return sink


async def stop_mail_sink(data_dir: Path) -> bool:
    """End the sink; tells whether it ran."""
    running = processes.recall(data_dir, NAME)
    if running is None:
        return False
    return await processes.end(running, (signal.SIGTERM, 5), (signal.SIGKILL, 5))


def sink_of(data_dir: Path, running: Detached) -> MailSink:
    """Read where a sink is from what its starter wrote down."""
    return MailSink(int(running.facts["port"]), int(running.facts["http_port"]), data_dir / NAME)


async def _start(data_dir: Path, former: Detached | None) -> Detached:
    smtp_port = await processes.choose_port(data_dir, NAME, processes.kept_port(former))
    kept_http = None if former is None else int(former.facts["http_port"])
    http_port = await processes.choose_port(data_dir, f"{NAME}-page", kept_http)
    source = Path(shared.__file__).parents[1]
    command = Command(
        argv=[
            *(sys.executable, "-m", "shared.embedded.mailsink"),
            *("--mailbox", str(processes.absolute(data_dir) / NAME)),
            *("--smtp-port", str(smtp_port)),
            *("--http-port", str(http_port)),
        ],
        env={"PATH": os.defpath, "PYTHONPATH": str(source), "PYTHONUNBUFFERED": "1"},
        cwd=Path("/"),
    )
    return await processes.launch(data_dir, NAME, command, {"port": smtp_port, "http_port": http_port})
