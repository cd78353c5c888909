"""Which deployment a command talks to: the environment's, or the embedded one of this directory."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from shared.db.anchor import read_anchor
from shared.db.migrations import provision
from shared.embedded.broker import ensure_broker
from shared.embedded.mail import MailSink, ensure_mail_sink
from shared.embedded.postgres import PostgresAddress, ensure_postgres
from shared.runtime.clock import AnchoredClock, SystemMachine
from shared.runtime.host import platform_for
from shared.runtime.service import Platform
from shared.runtime.settings import PlatformSettings

SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")
DATA_DIR = Path(".afterword")


@dataclass(frozen=True, slots=True)
class Embedded:
    """The running embedded parts and the settings that reach them."""

    settings: PlatformSettings
    postgres: PostgresAddress
    mail: MailSink


async def start_embedded(data_dir: Path, port: int, public_url: str | None = None) -> Embedded:
    """Start or take over PostgreSQL, broker and mail sink, and migrate; idempotent."""
    postgres = await ensure_postgres(data_dir)
    bootstrap = await ensure_broker(data_dir)
    mail = await ensure_mail_sink(data_dir)
    kept = kept_secrets(data_dir)
    await provision(postgres.admin_dsn, SERVICES, kept["database_password"])
    settings = PlatformSettings.model_validate(
        {
            **kept,
            "database_url": f"postgresql://{postgres.host}:{postgres.port}/{postgres.database}",
            "kafka_bootstrap": bootstrap,
            "public_url": public_url or f"http://127.0.0.1:{port}",
            "port": port,
            "drain_seconds": 0,  # nobody else could take over
            "instance": "embedded",
            "log_level": os.environ.get("AFTERWORD_LOG_LEVEL", "warning"),  # noqa: TID251 - this is the root
            "failpoint": os.environ.get("AFTERWORD_FAILPOINT", ""),  # noqa: TID251 - this is the root
            "data_dir": data_dir,
        }
    )
    return Embedded(settings, postgres, mail)


def kept_secrets(data_dir: Path) -> dict[str, str]:
    """Secrets of the embedded deployment, made once and readable by their owner alone."""
    file = data_dir / "secrets.json"
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        made = {
            "master_keys": f"1:{_key()}",
            "token_keys": f"1:{_key()}",
            "blind_secret": _key(),
            "database_password": secrets.token_urlsafe(24),
            "webhook_secret": f"whsec_{_key()}",
            "zendesk_secret": secrets.token_urlsafe(32),
        }
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
            json.dump(made, sink)
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def settings_of(data_dir: Path) -> PlatformSettings:
    """Settings by the environment, else those of the embedded deployment that was started here.

    Raises:
        SystemExit: neither is there; says what to do.
    """
    try:
        return PlatformSettings()
    except ValidationError:
        kept = data_dir / "settings.json"
        if not kept.exists():
            raise SystemExit(
                "No deployment found: start one with `afterword up`, or set AFTERWORD_DATABASE_URL and the"
                f" other variables of .env.example (looked for {kept})."
            ) from None
        return PlatformSettings.model_validate(json.loads(kept.read_text()))


def is_deployed(data_dir: Path) -> bool:
    """Whether the environment or this directory says where a deployment is."""
    try:
        PlatformSettings()
    except ValidationError:
        return (data_dir / "settings.json").exists()
    return True


def keep_settings(embedded: Embedded) -> None:
    """Leave the settings where other commands and processes of this machine find them."""
    file = embedded.settings.data_dir / "settings.json"
    plain = {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in embedded.settings
        if name != "failpoint"
    }
    temporary = file.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as sink:
        json.dump(plain, sink)
    temporary.replace(file)


@asynccontextmanager
async def opened(service: str, data_dir: Path) -> AsyncIterator[Platform]:
    """A service's platform for a command: its database and secrets, no broker connection yet."""
    from shared.bus.kafka import KafkaBus  # noqa: PLC0415 - most commands need no broker
    from shared.runtime.host import kafka_settings  # noqa: PLC0415 - as above

    settings = settings_of(data_dir)
    machine = SystemMachine()
    clock = AnchoredClock(machine)
    bus = KafkaBus(kafka_settings(settings))
    platform = await platform_for(service, settings, bus, clock, machine)
    try:
        async with platform.db.read() as conn:
            clock.observe(await read_anchor(conn, machine))
        yield platform
    finally:
        await bus.stop()
        await platform.db.close()


async def migrate(data_dir: Path, admin_dsn: str | None) -> None:
    """Create roles and schemas and bring every service to its newest revision."""
    settings = settings_of(data_dir)
    password = settings.database_password.get_secret_value()
    await provision(admin_dsn or settings.database_url, SERVICES, password)


async def wait_for_database(admin_dsn: str, seconds: float = 60) -> None:
    """Wait until the server answers; for a job that starts beside it.

    Raises:
        TimeoutError: it did not come.
    """
    machine = SystemMachine()
    until = machine.monotonic() + seconds
    while True:
        try:
            await (await asyncpg.connect(admin_dsn, timeout=3)).close()
        except (OSError, TimeoutError, asyncpg.PostgresError):
            if machine.monotonic() > until:
                raise TimeoutError(f"no database after {seconds:.0f} s") from None
            await machine.sleep(0.5)
        else:
            return
