"""Starts service processes quickly: it has imported everything once, and each start is a fork of it.

A service begins in its `__main__`, with its own environment, as `python -m services.<name>` would; what is
saved is two seconds of imports for each of hundreds of starts. `python -m tests.chaos.nursery` takes orders
as JSON lines on its input and tells pids and exits as JSON lines.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
from contextlib import suppress
from typing import Any

MODULES = (
    "shared.runtime.main",
    *(f"services.{name}.app" for name in ("trigger", "dispatch", "collector", "scoring", "alerts")),
)

_living: set[int] = set()


def main() -> None:
    """Serve orders until the input ends; what then still runs is killed."""
    for module in MODULES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _say({"ready": True})
    buffered = b""
    while True:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _reap()
        if 0 in readable:
            got = os.read(0, 65_536)
            if not got:
                _kill_all()
                return
            *lines, buffered = (buffered + got).split(b"\n")
            for line in lines:
                _start(json.loads(line), (woken, waker))


def _start(order: dict[str, Any], ours: tuple[int, int]) -> None:
    pid = os.fork()
    if pid:
        _living.add(pid)
        _say({"started": order["label"], "pid": pid})
        return
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor in ours:
        os.close(descriptor)
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.environ.clear()  # noqa: TID251 - becomes the environment of another program
    os.environ.update(order["env"])  # noqa: TID251 - as above
    sys.argv = [order["module"]]
    code = 1
    try:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the end of a process: its last words, then its code
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _kill_all() -> None:
    """Whoever gave the orders is gone."""
    for pid in _living:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _living.discard(pid)
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _say(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
