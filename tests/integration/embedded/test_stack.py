"""The embedded set: it outlives its starter, is taken over, keeps its addresses, and ends when told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import smtplib
import stat
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from shared.embedded import processes
from shared.embedded.broker import ensure_broker
from shared.embedded.mail import ensure_mail_sink
from shared.embedded.mailbox import read_journal
from shared.embedded.postgres import ADMIN, PostgresAddress, ensure_postgres
from shared.embedded.processes import Command, Detached, EmbeddedError
from shared.embedded.smtp import HOST
from shared.embedded.stack import status, stop_all

ROOT = Path(__file__).parents[3]


async def asked(address: PostgresAddress, question: str) -> object:
    connection = await asyncpg.connect(address.admin_dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def process_of(data_dir: Path, name: str) -> Detached:
    process = processes.recall(data_dir, name)
    assert process is not None
    return process


async def killed(process: Detached) -> None:
    await processes.end(process, (signal.SIGKILL, 10))


async def test_postgres_is_taken_over_and_keeps_data_and_port_over_a_stop(data_dir: Path) -> None:
    address = await ensure_postgres(data_dir)
    await asked(address, "create table kept as select 42 as answer")
    first = process_of(data_dir, "postgres")
    assert await ensure_postgres(data_dir) == address
    assert process_of(data_dir, "postgres") == first

    assert await stop_all(data_dir) == ["postgres"]
    assert not processes.is_alive(first)
    assert await ensure_postgres(data_dir) == address
    assert await asked(address, "select answer from kept") == 42


async def test_postgres_comes_back_after_a_kill(data_dir: Path) -> None:
    address = await ensure_postgres(data_dir)
    await asked(address, "create table kept as select 42 as answer")
    await killed(process_of(data_dir, "postgres"))
    assert await ensure_postgres(data_dir) == address
    assert await asked(address, "select answer from kept") == 42


async def test_postgres_lets_nobody_in_without_a_password(data_dir: Path) -> None:
    address = await ensure_postgres(data_dir)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(address.dsn(ADMIN, "guess"))
    assert await asked(address, "show fsync") == "on"
    assert await asked(address, "show max_connections") == "200"
    assert address.password not in repr(address)
    secret = data_dir / "postgres.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


async def test_a_pid_file_that_names_somebody_else_is_no_obstacle(data_dir: Path) -> None:
    await ensure_postgres(data_dir)
    await stop_all(data_dir)
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir / 'postgres'}\n0\n")
    address = await ensure_postgres(data_dir)
    assert await asked(address, "select 1") == 1


async def test_the_broker_is_taken_over_and_restarts_at_its_address(data_dir: Path) -> None:
    bootstrap = await ensure_broker(data_dir)
    first = process_of(data_dir, "broker")
    assert await ensure_broker(data_dir) == bootstrap
    assert process_of(data_dir, "broker") == first
    await killed(first)
    assert await ensure_broker(data_dir) == bootstrap
    assert process_of(data_dir, "broker") != first


async def test_a_state_file_of_a_reused_pid_is_not_believed(data_dir: Path) -> None:
    bootstrap = await ensure_broker(data_dir)
    await stop_all(data_dir)
    state = json.loads((data_dir / "broker.json").read_text())
    (data_dir / "broker.json").write_text(json.dumps(state | {"pid": os.getpid()}))
    assert not processes.is_alive(process_of(data_dir, "broker"))
    assert await stop_all(data_dir) == []
    assert await ensure_broker(data_dir) == bootstrap


async def test_a_port_that_was_taken_meanwhile_is_given_up(data_dir: Path) -> None:
    bootstrap = await ensure_broker(data_dir)
    await stop_all(data_dir)
    port = int(bootstrap.split(":")[1])
    assert await processes.choose_port(data_dir, "broker", port) == port  # its sockets are closed by now
    async with await asyncio.start_server(lambda _r, w: w.close(), HOST, port):
        assert await ensure_broker(data_dir) != bootstrap


async def test_mails_outlive_the_sink(data_dir: Path) -> None:
    sink = await ensure_mail_sink(data_dir)
    assert await ensure_mail_sink(data_dir) == sink

    def send() -> None:
        with smtplib.SMTP(HOST, sink.smtp_port) as client:
            client.sendmail("a@b.test", ["c@d.test"], "Subject: one\r\n\r\nHi\r\n")

    await asyncio.to_thread(send)
    await killed(process_of(data_dir, "mail"))
    assert await ensure_mail_sink(data_dir) == sink
    await asyncio.to_thread(send)
    assert [arrival.seq for arrival in read_journal(sink.mailbox)] == [1, 2]


async def test_the_set_outlives_a_killed_starter(data_dir: Path) -> None:
    program = (
        "import asyncio, sys, pathlib; from shared.embedded.broker import ensure_broker;"
        "print(asyncio.run(ensure_broker(pathlib.Path(sys.argv[1]))), flush=True); sys.stdin.read()"
    )
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(data_dir)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert starter.stdout is not None
    bootstrap = (await starter.stdout.readline()).decode().strip()
    broker = process_of(data_dir, "broker")
    assert os.getsid(broker.pid) != os.getsid(starter.pid)
    starter.kill()
    await starter.wait()
    assert processes.is_alive(broker)
    assert await ensure_broker(data_dir) == bootstrap


async def test_two_starters_at_once_start_one(data_dir: Path) -> None:
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(ensure_broker(data_dir)) for _ in range(2)]
    assert both[0].result() == both[1].result()
    mine = [
        process for process in psutil.process_iter(["environ"]) if _listens_for(process, both[0].result())
    ]
    assert len(mine) == 1


def _listens_for(process: psutil.Process, bootstrap: str) -> bool:
    return (process.info["environ"] or {}).get("LISTENER_URL") == f"tcp://{bootstrap}"


async def test_status_tells_what_runs(data_dir: Path) -> None:
    assert [one.running for one in status(data_dir)] == [False, False, False]
    bootstrap = await ensure_broker(data_dir)
    broker = next(one for one in status(data_dir) if one.name == "broker")
    assert (broker.running, broker.pid) == (True, process_of(data_dir, "broker").pid)
    assert bootstrap.endswith(f":{broker.port}")
    assert await stop_all(data_dir) == ["broker"]
    assert await stop_all(data_dir) == []


async def test_what_does_not_come_up_says_why(data_dir: Path) -> None:
    await ensure_broker(data_dir)  # makes the directory
    command = Command([sys.executable, "-c", "raise SystemExit('no disk')"], {}, ROOT)
    process = await processes.launch(data_dir, "broken", command, {})

    async def never() -> bool:
        return False

    with pytest.raises(EmbeddedError, match="no disk"):
        await processes.wait_ready(data_dir, process, never, 20)
