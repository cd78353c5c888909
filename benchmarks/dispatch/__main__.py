"""P7: mails worded, rendered, built, proven and handed over, beside EmailMessage and aiosmtplib."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
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
    sides = {"ours": ("ours", given.mails, ()), "signed": ("ours", given.mails, ("--signed",)),
        "peer": ("peer", given.mails // 10, ())}  # fmt: skip
    found: dict[str, list[list[float]]] = {name: [] for name in sides}
    with _sink() as port:
        for number in range(1, given.rounds + 1):
            for name, (side, mails, flags) in sides.items():
                command = [sys.executable, "-m", f"benchmarks.dispatch.{side}"]
                command += [str(port), str(mails), str(given.connections), *flags]
                profile = given.profile and name == "ours"
                said = run_side(command + (["--profile"] if profile else []), {}, show_errors=profile)
                found[name].append(said)
                print(f"round {number}  {name:6} {said[0]:8,.0f} mails/s  {said[1]:6.0f} µs CPU", flush=True)
    what, against = "mails worded, rendered, built, proven, handed over", "EmailMessage + aiosmtplib"
    results = [
        _result(what, against, 6, found["ours"], found["peer"]),
        _result(
            "the same, signed with DKIM (RSA 2048)", f"{against}, unsigned", 0, found["signed"], found["peer"]
        ),
    ]
    keep(results, "make bench-dispatch", load, rounds=given.rounds)


def _result(
    what: str, against: str, goal: float, ours: Sequence[list[float]], theirs: Sequence[list[float]]
) -> Result:
    cpu = f"{median(one[1] for one in ours):.0f} µs against {median(one[1] for one in theirs):.0f} µs"
    return Result(
        figure="P7", what=what, against=against, unit="mails/s", goal=goal, at_least=True,
        ours=[one[0] for one in ours], theirs=[one[0] for one in theirs], notes={"client CPU each": cpu},
    )  # fmt: skip


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
