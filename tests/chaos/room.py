"""A file system of bounded size, so that a disk can be full: one in memory, which only root can make."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
SIZE_MIB = 3072
"""Room for PostgreSQL's files and its log of a whole campaign; memory is taken only by what is stored."""
_BALLAST = "ballast"


class NoRoom(Exception):
    """This machine does not let us make a file system; the message says why."""


@dataclass(frozen=True, slots=True)
class Room:
    """A mounted file system that holds one folder."""

    folder: Path

    @classmethod
    async def mounted(cls, folder: Path) -> Room:
        """Mount one at a folder that is there and empty.

        Raises:
            NoRoom: mounting is not allowed here.
        """
        options = f"size={SIZE_MIB}m,mode=700"
        if why := await _run("mount", "-t", "tmpfs", "-o", options, "afterword-chaos", str(folder)):
            raise NoRoom(f"a full disk needs a file system of its own, which only root can mount: {why}")
        return cls(folder)

    def fill(self) -> None:
        """Take all room that is left."""
        with (self.folder / _BALLAST).open("wb") as ballast:
            taken = 0
            for piece in (256 * MIB, MIB, 4096):  # who else writes meanwhile takes from what is left
                with suppress(OSError):
                    while True:
                        os.posix_fallocate(ballast.fileno(), taken, piece)
                        taken += piece

    def clear(self) -> None:
        """Give it back."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    async def unmount(self) -> None:
        """Remove it with all that it holds; nothing may use it any more."""
        if why := await _run("umount", str(self.folder)):
            raise NoRoom(why)


async def _run(*command: str) -> str:
    """Run a program; gives what it complained of, "" when all is well."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError as error:
        return str(error)
    _, said = await process.communicate()
    if not process.returncode:
        return ""
    return said.decode().strip() or f"{command[0]} ended with {process.returncode}"
