"""P7: mails worded, rendered, built, proven and handed over, beside EmailMessage and aiosmtplib."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.kit import ROOT, Result, keep, run_side, say_load


def main() -> None:
    """Measure both sides in turn and print."""
    parser = argparse.ArgumentParser(prog="make bench-dispatch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--mails", type=int, default=4000, help="of ours in a round; the other side gets a tenth"
    )
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    load = say_load()
    found: dict[str, list[list[float]]] = {"ours": [], "peer": []}
    with _sink() as port:
        for number in range(1, given.rounds + 1):
            for side, mails in (("ours", given.mails), ("peer", given.mails // 10)):
                command = [sys.executable, "-m", f"benchmarks.dispatch.{side}"]
                command += [str(port), str(mails), str(given.connections)]
                profile = given.profile and side == "ours"
                said = run_side(command + (["--profile"] if profile else []), {}, show_errors=profile)
                found[side].append(said)
                print(f"round {number}  {side:5} {said[0]:8,.0f} mails/s  {said[1]:6.0f} µs CPU", flush=True)
    ours, theirs = found["ours"], found["peer"]
    cpu = f"{median(one[1] for one in ours):.0f} µs against {median(one[1] for one in theirs):.0f} µs"
    result = Result(
        figure="P7", what="mails worded, rendered, built, proven, handed over",
        against="EmailMessage + aiosmtplib", unit="mails/s", goal=6, at_least=True,
        ours=[one[0] for one in ours], theirs=[one[0] for one in theirs], notes={"client CPU each": cpu},
    )  # fmt: skip
    keep([result], "make bench-dispatch", load, rounds=given.rounds)


@contextmanager
def _sink() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.dispatch.sink"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


main()
