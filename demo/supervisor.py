"""Runs `afterword up` as a process of its own and starts it again when it dies, as a supervisor would."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from demo.browser import TRUST
from demo.patience import Away, patiently

_SECRETS = ("master", "token", "blind", "database", "webhook", "zendesk")
_PLAIN = str.maketrans("+/=", "abc")
ROOT = Path(__file__).resolve().parents[1]


class Afterword:
    """The product from outside: its process, its address, its command."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._data = folder / "afterword"
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None
        self.restarts = 0

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def _settings(self) -> dict[str, str]:
        settings: dict[str, str] = json.loads((self._data / "settings.json").read_text())
        return settings

    @property
    def bootstrap(self) -> str:
        """The broker."""
        return self._settings["kafka_bootstrap"]

    @property
    def admin_dsn(self) -> str:
        """The database, for the demo's stop watch."""
        address = self._settings["database_url"].removeprefix("postgresql://")
        return f"postgresql://postgres:{(self._data / 'postgres.secret').read_text()}@{address}"

    @property
    def zendesk_secret(self) -> str:
        """What the helpdesk signs with."""
        secret: str = json.loads((self._data / "secrets.json").read_text())["zendesk_secret"]
        return secret

    @property
    def mailbox(self) -> Path:
        """Where the sink keeps the mails."""
        return self._data / "mail"

    @property
    def mail_page(self) -> str:
        """Where the mails can be read."""
        state = json.loads((self._data / "mail.json").read_text())
        return f"http://127.0.0.1:{state['facts']['http_port']}/"

    async def __aenter__(self) -> Self:
        self._fix_secrets()
        try:
            await self._start()
            while not (self._data / "settings.json").exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            await self._end()  # told to stop while it started
            raise
        self._watching = asyncio.create_task(self._watch())  # noqa: TID251 - cancelled in _end
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._client is not None:
            await self._client.aclose()
        if self._watching is not None:
            self._watching.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await self._process.wait()
        await self.command("down")

    async def kill(self) -> None:
        """End the process as a crash does; the supervisor starts it again."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def kill_broker(self) -> None:
        """End the broker, and with it all its records."""
        state = json.loads((self._data / "broker.json").read_text())
        with suppress(ProcessLookupError):
            os.kill(int(state["pid"]), signal.SIGKILL)

    async def ready(self) -> None:
        """Wait until it says that it is ready."""

        async def attempt() -> None:
            async with httpx.AsyncClient(timeout=5) as client:
                if (await client.get(f"{self.url}/readyz")).status_code != httpx.codes.OK:
                    raise Away("not ready yet")

        await patiently(attempt)

    async def noticed(self, now: datetime) -> None:
        """Wait until it goes by this business time: its clock is stopped there."""

        async def attempt() -> None:
            if self._client is None:
                self._client = httpx.AsyncClient(timeout=5, verify=TRUST)
            answer = (await self._client.get(f"{self.url}/livez")).raise_for_status().json()
            if datetime.fromisoformat(answer["business_time"]) != now:
                raise Away("the clock is being moved")

        await patiently(attempt, pause=0.01, tries=12_000)

    async def command(self, *words: str) -> str:
        """Run `afterword WORDS`; its output.

        Raises:
            RuntimeError: it failed; with what it said.
        """
        argv = (sys.executable, "-m", "services.cli", *words, "--data", str(self._data))
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=_wide()
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(said.decode())
        return said.decode()

    async def wipe(self) -> None:
        """Stop and remove what an earlier demo left."""
        if self._data.exists():
            await self.command("down")
            shutil.rmtree(self._folder)

    def _fix_secrets(self) -> None:
        """Give this deployment the same secrets every time: ids depend on them, and so does the story."""
        file = self._data / "secrets.json"
        if file.exists():
            return
        self._data.mkdir(parents=True)
        keys = {name: base64.b64encode(hashlib.sha256(name.encode()).digest()).decode() for name in _SECRETS}
        kept = {
            "master_keys": f"1:{keys['master']}",
            "token_keys": f"1:{keys['token']}",
            "blind_secret": keys["blind"],
            "database_password": keys["database"].translate(_PLAIN),
            "webhook_secret": f"whsec_{keys['webhook']}",
            "zendesk_secret": keys["zendesk"],
        }
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
            json.dump(kept, sink)

    async def _start(self) -> None:
        log = (self._folder / "afterword.log").open("ab")
        argv = (
            sys.executable,
            "-m",
            "services.cli",
            "up",
            "--port",
            str(self._port),
            "--data",
            str(self._data),
        )
        self._process = await asyncio.create_subprocess_exec(
            *argv, cwd=ROOT, stdout=log, stderr=log, env=_wide() | _PATIENCE
        )
        log.close()

    async def _watch(self) -> None:
        while self._process is not None:
            await self._process.wait()
            self.restarts += 1
            await self._start()


_PATIENCE = {"AFTERWORD_SCORING_DIGEST_SECONDS": "0.5"}
"""Each week of the story waits for its digests, and no longer than it must."""


def _wide() -> dict[str, str]:
    """The environment with lines long enough for links."""
    return {**os.environ, "COLUMNS": "200"}  # noqa: TID251 - passed on to a child
