"""Processes that outlive their starter: begin, find again, end.

A process is known by its pid and its start time together: a pid alone may long belong to somebody else.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import signal
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import psutil

from shared.errors import AfterwordError

HOST = "127.0.0.1"
_DETACH = Path(__file__).with_name("detach.py")
_POLL_SECONDS = 0.02
_SAME_START_SECONDS = 1.0
_FREE_SECONDS = 3.0
PORTS = range(20_000, 30_000)
"""Below those that systems give to outgoing connections: nobody takes ours while we are down."""


class EmbeddedError(AfterwordError):
    """An embedded process did not come up or did not end; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Detached:
    """A process that was started once: who it is, and what its starter wrote down about it."""

    name: str
    pid: int
    started: float
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: its whole environment is given here, nothing is inherited."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    user: int | None = None
    group: int | None = None


@asynccontextmanager
async def exclusive(data_dir: Path) -> AsyncIterator[None]:
    """Hold the data directory against other starters and stoppers."""
    with _lock_file(data_dir) as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


def absolute(data_dir: Path) -> Path:
    """Name the directory independently of where we stand."""
    return data_dir.resolve()


def exists(data_dir: Path) -> bool:
    """Tell whether anything was ever started here."""
    return data_dir.is_dir()


def _lock_file(data_dir: Path) -> TextIO:
    data_dir.mkdir(parents=True, exist_ok=True)
    return (data_dir / "lock").open("w")


def recall(data_dir: Path, name: str) -> Detached | None:
    """Read who was started last under this name; says nothing about whether it still runs."""
    try:
        state = json.loads((data_dir / f"{name}.json").read_text())
        return Detached(name, int(state["pid"]), float(state["started"]), state["facts"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def kept_port(former: Detached | None) -> int | None:
    """Give the port that a process had last time."""
    return None if former is None else int(former.facts["port"])


def is_alive(detached: Detached) -> bool:
    """Tell whether this very process runs."""
    try:
        process = psutil.Process(detached.pid)
        same = abs(process.create_time() - detached.started) < _SAME_START_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def launch(data_dir: Path, name: str, command: Command, facts: Mapping[str, Any]) -> Detached:
    """Start a process in a session of its own; returns when its state file is written."""
    wish = {
        "command": list(command.argv),
        "env": dict(command.env),
        "cwd": str(command.cwd),
        "user": command.user,
        "group": command.group,
        "log": str(log_of(data_dir, name)),
        "state": str(data_dir / f"{name}.json"),
        "facts": dict(facts),
    }
    starter = await asyncio.create_subprocess_exec(
        sys.executable, str(_DETACH), stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await starter.communicate(json.dumps(wish).encode())
    detached = recall(data_dir, name)
    if starter.returncode != 0 or detached is None:
        raise EmbeddedError(f"{name} could not be started: {complaint.decode()[-2000:]}")
    return detached


async def wait_ready(
    data_dir: Path, process: Detached, ready: Callable[[], Awaitable[bool]], seconds: float
) -> None:
    """Wait until a process serves.

    Raises:
        EmbeddedError: it ended, or did not serve in time.
    """
    try:
        async with asyncio.timeout(seconds):
            while not await ready():
                if not is_alive(process):
                    raise EmbeddedError(f"{process.name} ended at once: {log_tail(data_dir, process.name)}")
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        tail = log_tail(data_dir, process.name)
        raise EmbeddedError(f"{process.name} did not serve within {seconds:g} s: {tail}") from error


async def end(process: Detached, *steps: tuple[signal.Signals, float]) -> bool:
    """Send the signals one after another, each with its time to act; tells whether there was anything to end.

    Raises:
        EmbeddedError: the process outlived every signal.
    """
    if not is_alive(process):
        return False
    for number, seconds in steps:
        try:
            psutil.Process(process.pid).send_signal(number)
        except psutil.NoSuchProcess:
            return True
        if await _gone(process, seconds):
            return True
    raise EmbeddedError(f"{process.name} (pid {process.pid}) does not end")


async def _gone(process: Detached, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while is_alive(process):  # noqa: ASYNC110 - an orphan's end announces itself to nobody
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        return False
    return True


def log_of(data_dir: Path, name: str) -> Path:
    """Name the file that takes the output of a process."""
    return data_dir / f"{name}.log"


def log_tail(data_dir: Path, name: str) -> str:
    """Give the end of a process's output."""
    try:
        return log_of(data_dir, name).read_text(errors="replace")[-2000:]
    except FileNotFoundError:
        return "(no log)"


async def choose_port(data_dir: Path, name: str, kept: int | None, ports: Sequence[int] = PORTS) -> int:
    """Keep the port of last time if it is free, else find one; each data directory looks elsewhere first.

    Raises:
        EmbeddedError: no port is free.
    """
    if kept is not None and await _comes_free(kept):
        return kept
    first = zlib.crc32(f"{absolute(data_dir)}/{name}".encode()) % len(ports)
    for step in range(len(ports)):
        port = ports[(first + step) % len(ports)]
        if _is_free(port):
            return port
    raise EmbeddedError("no free port")


async def _comes_free(port: int) -> bool:
    """Wait a little: a killed process of many threads is seen as dead before its sockets are closed."""
    try:
        async with asyncio.timeout(_FREE_SECONDS):
            while not _is_free(port):  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: closed connections of the former process that still linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
        return True


async def accepts(port: int) -> bool:
    """Tell whether somebody listens on a local port."""
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return False
    return True
