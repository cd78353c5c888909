"""Whatever is logged, by us or by a library, is one JSON line."""

from __future__ import annotations

import json
import subprocess
import sys

_LOGS = """
import logging
from shared.runtime.logging import configure, get_logger
configure()
get_logger("relay").warning("relay_waits", error="Unavailable", email="ana@customer.example")
try:
    raise ConnectionResetError("gone")
except ConnectionResetError:
    logging.getLogger("asyncpg.pool").warning("no %s", "connection", exc_info=True)
logging.getLogger("uvicorn").info("chatter")
"""


def test_ours_and_libraries_warnings_are_one_json_line_each() -> None:
    said = subprocess.run([sys.executable, "-c", _LOGS], capture_output=True, text=True, check=True)
    ours, theirs = (json.loads(line) for line in said.stderr.splitlines())
    assert (ours["event"], ours["area"], ours["email"]) == ("relay_waits", "relay", "[redacted]")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == (
        "no connection",
        "asyncpg.pool",
        "warning",
    )
    assert "ConnectionResetError: gone" in theirs["exception"]
    assert theirs["timestamp"]
