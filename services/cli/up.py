"""`afterword up`: all five services in one process, on one port."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr
from rich.console import Console

from services.alerts.app import build as build_alerts
from services.alerts.settings import Settings as AlertsSettings
from services.cli.deployment import Embedded, keep_settings, kept_secrets, start_embedded
from services.collector.app import build as build_collector
from services.collector.settings import Settings as CollectorSettings
from services.dispatch.app import build as build_dispatch
from services.dispatch.settings import Settings as DispatchSettings
from services.scoring.app import build as build_scoring
from services.scoring.settings import Settings as ScoringSettings
from services.trigger.app import build as build_trigger
from services.trigger.settings import Settings as TriggerSettings
from shared.embedded import stack
from shared.embedded.broker import ensure_broker
from shared.embedded.mail import ensure_mail_sink
from shared.embedded.postgres import ensure_postgres
from shared.errors import CannotStart
from shared.runtime.host import Build, run
from shared.runtime.main import give_up, read_settings
from shared.runtime.service import Platform, Service

console = Console(stderr=True, markup=False)
PID_FILE = "up.pid"
KEEP_SECONDS = 1.0
PATIENCE_SECONDS = 20
"""A little more than a stop in peace may take."""


async def run_all(data_dir: Path, port: int, programmes: Path) -> None:
    """Start what is needed, say where everything is, run until told to stop.

    Raises:
        SystemExit: it runs in this directory already, or cannot start by its settings; which is said.
    """
    if process := running(data_dir):
        console.print(f"It runs here already, as process {process.pid}. To stop it: afterword down")
        raise SystemExit(1)
    with console.status("Starting PostgreSQL, broker and mail sink …"):
        embedded = await start_embedded(data_dir, port)
    services = builds(embedded, programmes)
    keep_settings(embedded)
    (data_dir / PID_FILE).write_text(f"{os.getpid()} {psutil.Process().create_time()}")
    why_not = None
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(_keep_parts(data_dir))
        try:
            await run(services, embedded.settings, opened=lambda: _greet(embedded))
        except CannotStart as error:
            why_not = error
        keeping.cancel()
    if why_not:
        give_up(str(why_not))


async def _keep_parts(data_dir: Path) -> None:
    """Start database, broker and mail sink again when one of them died; they come back at their addresses."""
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        if all(part.running for part in stack.status(data_dir)):
            continue
        console.print("A part beside us died; starting it again.")
        await ensure_postgres(data_dir)
        await ensure_broker(data_dir)
        await ensure_mail_sink(data_dir)


def builds(embedded: Embedded, programmes: Path) -> dict[str, Build]:
    """The five composition roots with the embedded parts' settings.

    Raises:
        SystemExit: settings in the environment are wrong; all of one service are named.
    """
    kept = kept_secrets(embedded.settings.data_dir)
    trigger = read_settings(
        TriggerSettings,
        programmes_dir=programmes,
        webhook_secrets=SecretStr(kept["webhook_secret"]),
        zendesk_secrets=SecretStr(kept["zendesk_secret"]),
    )
    smtp: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": embedded.mail.smtp_port,
        "smtp_tls": "none",
    }
    return {
        "trigger": _bind(build_trigger, trigger),
        "dispatch": _bind(build_dispatch, read_settings(DispatchSettings, **smtp)),
        "collector": _bind(build_collector, read_settings(CollectorSettings)),
        "scoring": _bind(build_scoring, read_settings(ScoringSettings, **smtp)),
        "alerts": _bind(build_alerts, read_settings(AlertsSettings, **smtp)),
    }


def _bind(build: Callable[[Any, Platform], Awaitable[Service]], settings: object) -> Build:
    async def bound(platform: Platform) -> Service:
        return await build(settings, platform)

    return bound


def running(data_dir: Path) -> psutil.Process | None:
    """The `afterword up` that runs in this directory."""
    file = data_dir / PID_FILE
    if not file.exists():
        return None
    pid, started = file.read_text().split()
    try:
        process = psutil.Process(int(pid))
        return process if abs(process.create_time() - float(started)) <= 1 else None
    except psutil.NoSuchProcess:
        return None


def stop_running(data_dir: Path, patience: float = PATIENCE_SECONDS) -> bool:
    """Stop a running `afterword up` of this directory and wait for it; tells whether there was one.

    What does not stop within `patience` seconds is killed: the product is built to be.
    """
    process = running(data_dir)
    (data_dir / PID_FILE).unlink(missing_ok=True)
    if process is None:
        return False
    try:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=patience)
        except psutil.TimeoutExpired:
            console.print(f"It did not stop within {patience:g} seconds and is ended; nothing is lost.")
            process.kill()
            process.wait()
    except psutil.NoSuchProcess:
        return False
    return True


def _greet(embedded: Embedded) -> None:
    url = embedded.settings.public_url
    console.print(f"Afterword at {url}", style="bold")
    console.print(f"  Inbox   {url}/inbox     Scores  {url}/scores     Why  {url}/why")
    console.print(f"  Mails   {embedded.mail.page}")
    console.print(f"  Kafka   {embedded.settings.kafka_bootstrap}  (topic afterword.touchpoints)")
    console.print("  First sign-in: afterword users invite you@example.com --role admin")
    console.print("  Stop: Ctrl-C; PostgreSQL, broker and mail sink stay until `afterword down`")
