"""P4, P5 and P6: plans that come due."""

from __future__ import annotations

import argparse
import asyncio

from benchmarks.cluster import cluster
from benchmarks.kit import Result, keep, say_load
from benchmarks.plans.claims import compare_ages, compare_sizes
from benchmarks.plans.due import compare
from shared.embedded.broker import ensure_broker, stop_broker


async def main() -> None:
    """Set up, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench-plans")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plans", type=int, default=20_000, help="due plans a round of P4")
    parser.add_argument("--pending", type=int, default=10_000_000, help="pending plans of P5")
    parser.add_argument("--people", type=int, default=1_000_000, help="contacts of P5")
    parser.add_argument("--claims", type=int, default=300, help="claims of 500 before P6 measures again")
    parser.add_argument("--only", choices=["P4", "P5", "P6"])
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    load = say_load()

    def say(*results: Result) -> None:
        keep(results, "make bench-plans", load, rounds=given.rounds)

    async with cluster("bench-plans") as server:
        if given.only in {None, "P4"}:
            bootstrap = await ensure_broker(server.home)
            try:
                say(*await compare(server, bootstrap, given.rounds, given.plans, profile=given.profile))
            finally:
                await stop_broker(server.home)
        if given.only in {None, "P5"}:
            say(await compare_sizes(server, given.rounds, given.pending, given.people))
        if given.only in {None, "P6"}:
            say(await compare_ages(server, given.rounds, given.claims))


if __name__ == "__main__":
    asyncio.run(main())
