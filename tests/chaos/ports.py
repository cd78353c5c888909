"""Ports of a campaign, apart from those of embedded processes: other runs on the machine take these none."""

from __future__ import annotations

from pathlib import Path

from shared.embedded.processes import choose_port

PORTS = range(31_000, 32_700)
"""Below those that systems give to outgoing connections: a process that was killed finds its port again."""

_given: set[int] = set()
"""Who is given one opens it later, so that it still looks free."""


async def own_port(folder: Path, name: str) -> int:
    """A port that nobody else in this process was given."""
    port = await choose_port(folder, name, None, [port for port in PORTS if port not in _given])
    _given.add(port)
    return port
