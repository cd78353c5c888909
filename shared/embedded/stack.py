"""The whole embedded set at once: what runs, and stop it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.embedded import broker, mail, postgres, processes

NAMES = (mail.NAME, broker.NAME, postgres.NAME)
"""In the order in which they are stopped."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """Whether one of the set runs, and where."""

    name: str
    running: bool
    pid: int | None
    port: int | None


def status(data_dir: Path) -> list[ProcessStatus]:
    """Tell of each process of a data directory whether it runs."""
    found = []
    for name in NAMES:
        process = processes.recall(data_dir, name)
        running = process is not None and processes.is_alive(process)
        pid = process.pid if process is not None and running else None
        found.append(ProcessStatus(name, running, pid, processes.kept_port(process)))
    return found


async def stop_all(data_dir: Path) -> list[str]:
    """Stop whatever runs for a data directory; gives the names of what was stopped."""
    if not processes.exists(data_dir):
        return []
    async with processes.exclusive(data_dir):
        stopped = {
            mail.NAME: await mail.stop_mail_sink(data_dir),
            broker.NAME: await broker.stop_broker(data_dir),
            postgres.NAME: await postgres.stop_postgres(data_dir),
        }
    return [name for name, was_running in stopped.items() if was_running]
