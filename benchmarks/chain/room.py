"""The room that is told: an HTTP server that notes when each customer was spoken of first."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field

_NAME = re.compile(rb"Customer-(\d+)-")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Room:
    """When who was told of, by the driver's clock; `arrived` rings at each notice."""

    told_at: dict[int, float] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One kept connection of HTTP/1.1."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                found = _NAME.search(body)
                if found:
                    self.told_at.setdefault(int(found[1]), time.perf_counter())
                    self.arrived.set()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
