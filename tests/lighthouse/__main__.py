"""`make lighthouse`: what Lighthouse says of the pages that customers see; docs/pages.md is made of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.kit import machine, say_load
from shared.runtime.clock import SystemMachine
from shared.runtime.logging import configure
from tests.lighthouse.customers import NAMES, Place, live, town
from tests.lighthouse.judge import CATEGORIES, Report, installed, judged, report_on, versions
from tests.support.house import House
from tests.support.serving import served
from tools.pages import GOAL, LIGHTHOUSE, ROOT

ROUNDS = 3
"""Fewer are not kept: a single run says little of a machine that others use too."""


async def main() -> int:
    """Judge every page some times, in turn; 1 where one of them misses the goal."""
    parser = argparse.ArgumentParser(prog="make lighthouse")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--only", choices=NAMES, action="append", help="a page; may be repeated; keeps nothing"
    )
    parser.add_argument("--reports", type=Path, help="folder that takes Lighthouse's own reports as JSON")
    given = parser.parse_args()
    installed()
    configure("ERROR", human=True)
    load = say_load()
    with tempfile.TemporaryDirectory(prefix="afterword-lighthouse-") as folder:
        async with town(Path(folder)) as house:
            places = [place for place in await live(house) if not given.only or place.name in given.only]
            async with served(house) as url:
                reports = await _look(house, url, places, given.rounds)
    found = [judged(place.name, place.what, reports[place.name]) for place in places]
    for one in found:
        _say(_line(one))
    if given.reports:
        _save(given.reports, reports)
    if given.rounds < ROUNDS or given.only:
        _say(f"not kept: fewer than {ROUNDS} rounds, or not all pages")
    else:
        kept = {
            "taken_at": SystemMachine().wall().isoformat(timespec="minutes"),
            "machine": machine(),
            "load": round(load, 2),
            "rounds": given.rounds,
            **versions(reports[places[0].name][0]),
            "pages": found,
        }
        target = ROOT / LIGHTHOUSE
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        _say(f"kept in {LIGHTHOUSE}; make docs writes the page")
    return int(any(min(scores) < GOAL for one in found for scores in one["scores"].values()))


async def _look(house: House, url: str, places: list[Place], rounds: int) -> dict[str, list[Report]]:
    reports: dict[str, list[Report]] = {place.name: [] for place in places}
    for number in range(1, rounds + 1):
        for place in places:
            await house.wait(60)  # time stands still otherwise, and one address may only ask so often
            reports[place.name].append(await report_on(url + place.path))
            _say(f"round {number}  {place.name}")
    return reports


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _line(one: dict[str, Any]) -> str:
    scores = "  ".join(f"{category} {'/'.join(map(str, one['scores'][category]))}" for category in CATEGORIES)
    missed = f"  misses {', '.join(one['misses'])}" if one["misses"] else ""
    return f"{one['page']:28} {scores}  {one['bytes'] / 1000:.1f} kB{missed}"


def _save(folder: Path, reports: dict[str, list[Report]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, of in reports.items():
        for number, report in enumerate(of, 1):
            file = folder / f"{name.replace(', ', '-').replace(' ', '-')}-{number}.json"
            file.write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
