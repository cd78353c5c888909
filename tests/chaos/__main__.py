"""`python -m tests.chaos`: run a campaign by its seed and counts; exit 1 when anything was broken."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from shared.embedded.postgres import NAME as POSTGRES
from shared.runtime.clock import SystemMachine
from tests.chaos.campaign import Plan, campaign
from tests.chaos.report import keep, summary
from tests.chaos.room import NoRoom
from tests.chaos.schedule import Counts


def main() -> int:
    """Run one campaign by the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", default="1")
    for one in fields(Counts):
        parser.add_argument(f"--{one.name}", type=int, default=0)
    parser.add_argument("--rolls", type=int, default=0, help="rolling restarts of all services")
    parser.add_argument("--soak", type=float, default=0.0, help="seconds of quiet load that are watched")
    parser.add_argument("--rate", type=float, default=4.0, help="events told per second")
    parser.add_argument("--folder", type=Path, help="where everything lies; else a new folder")
    parser.add_argument("--results", type=Path, help="folder that takes the result as JSON")
    wish = parser.parse_args()
    counts = Counts(**{one.name: getattr(wish, one.name) for one in fields(Counts)})
    plan = Plan(wish.seed, counts, per_second=wish.rate, soak=wish.soak, rolls=wish.rolls)
    folder = wish.folder or Path(tempfile.mkdtemp(prefix="afterword-chaos-"))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that brokers are away is the campaign's doing
    (folder / POSTGRES).mkdir(parents=True, exist_ok=True)
    machine = SystemMachine()
    begun = machine.monotonic()

    def say(what: str) -> None:
        sys.stdout.write(f"{machine.monotonic() - begun:7.1f}  {what}\n")
        sys.stdout.flush()

    say(f"seed {plan.seed} in {folder}")
    try:
        result = asyncio.run(campaign(plan, folder, say))
    except NoRoom as error:
        sys.stderr.write(f"{error}\nLeave out --disks here; all other faults work without.\n")
        return 2
    sys.stdout.write(summary(result))
    if wish.results:
        keep(result, wish.results)
    return 0 if result.sound else 1


if __name__ == "__main__":
    sys.exit(main())
