"""`afterword down` ends what runs, also what does not listen."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from services.cli.up import PID_FILE, run_all, stop_running

_DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
)


def test_what_does_not_stop_in_time_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", _DEAF], stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        (tmp_path / PID_FILE).write_text(f"{deaf.pid} {psutil.Process(deaf.pid).create_time()}")
        assert stop_running(tmp_path, patience=0.1)
        assert not psutil.pid_exists(deaf.pid)
    assert "nothing is lost" in capsys.readouterr().err
    assert not (tmp_path / PID_FILE).exists()


def test_what_does_not_run_is_not_stopped(tmp_path: Path) -> None:
    assert not stop_running(tmp_path)
    (tmp_path / PID_FILE).write_text(f"{psutil.Process().pid} 1.0")
    assert not stop_running(tmp_path), "another process has that number now"


def test_a_second_one_in_the_same_place_says_so_and_leaves_the_first_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = psutil.Process()
    written = f"{mine.pid} {mine.create_time()}"
    (tmp_path / PID_FILE).write_text(written)
    with pytest.raises(SystemExit) as ended:
        asyncio.run(run_all(tmp_path, 8000, tmp_path))
    assert ended.value.code == 1
    assert f"It runs here already, as process {mine.pid}." in capsys.readouterr().err
    assert (tmp_path / PID_FILE).read_text() == written
    assert [file.name for file in tmp_path.iterdir()] == [PID_FILE]
