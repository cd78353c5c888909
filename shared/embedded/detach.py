"""Start one process that outlives its starter, and write down who it is. Run as a script by `processes`.

It reads one JSON object from stdin. It is a process of its own for two reasons: what it starts becomes an
orphan at once, so nobody has to reap it, and a kill of the starter cannot come between the start and the
state file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil


def main() -> None:
    """Start the process described on stdin and record its pid and start time beside the given facts."""
    wish = json.load(sys.stdin)
    state = Path(wish["state"])
    with Path(wish["log"]).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            wish["command"],
            env=wish["env"],
            cwd=wish["cwd"],
            user=wish["user"],
            group=wish["group"],
            extra_groups=[] if wish["user"] is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    started = psutil.Process(process.pid).create_time()
    draft = state.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"pid": process.pid, "started": started, "facts": wish["facts"]}, file)
    draft.replace(state)
    # Leaving at once keeps the interpreter from waiting for, or warning about, the child.
    os._exit(0)


if __name__ == "__main__":
    main()
