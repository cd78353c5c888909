"""`python -m tests.chaos.proof` writes `docs/proof.md` from the results of campaigns kept beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.chaos.broker import ROOT
from tests.chaos.soak import LONG_SECONDS

RESULTS = ROOT / "docs" / "proof"
EARLIER = RESULTS / "earlier"
"""Runs before the last mend of the product or of the campaign itself: why there was something to mend."""
PAGE = ROOT / "docs" / "proof.md"
GOAL = {"kill": 300, "postgres": 50, "broker": 30, "broker-lost": 10, "link": 200}
"""What the first recorded campaign is to reach, all runs together."""
RECOVERY = {"postgres": 10, "broker": 15, "broker-lost": 15}
"""Seconds until all runs again after a fault that nothing else overlaps."""
_WORDS = {
    "kill": "`kill -9` of a service",
    "stop": "SIGSTOP beyond the session, then SIGCONT",
    "postgres": "PostgreSQL crash",
    "broker": "broker killed, data kept",
    "broker-lost": "broker killed, all data lost",
    "link": "link broken",
    "mail": "mail server at fault",
    "clock": "database clock jumps",
    "disk": "PostgreSQL's disk full",
}
_HEAD = Path(__file__).with_name("proof_head.md")
_EARLIER = Path(__file__).with_name("proof_earlier.md")
_MENDED = Path(__file__).with_name("proof_mended.md")


def page(results: Sequence[dict[str, Any]], earlier: Sequence[dict[str, Any]]) -> str:
    """The page, made of the runs of the last campaign and of those before it."""
    return "\n".join(
        [
            _HEAD.read_text(),
            "## The campaign",
            "",
            *_sums(results),
            "",
            *_runs(results),
            "",
            *_troubles(results),
            "",
            _EARLIER.read_text(),
            *_runs(earlier),
            "",
            *_troubles(earlier),
            "",
            _MENDED.read_text(),
            *_absent(results),
            "",
        ]
    )


def _sums(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "| fault | happened | goal | progress after: worst p50 | max | by itself: max | goal | stuck |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, words in _WORDS.items():
        of = [one["recovery"][kind] for one in results if kind in one["recovery"]]
        if of:
            count = sum(one["faults"][kind] for one in results if kind in one["faults"])
            middle, most = max(one["p50"] for one in of), max(one["max"] for one in of)
            alone = f"{max(one['alone_max'] for one in of)} s" if any(one["alone"] for one in of) else ""
            limit = f"{RECOVERY[kind]} s" if kind in RECOVERY else ""
            stuck, goal = sum(one["stuck"] for one in of), GOAL.get(kind, "")
            lines.append(
                f"| {words} | {count} | {goal} | {middle} s | {most} s | {alone} | {limit} | {stuck} |"
            )
    totals = [one["totals"] for one in results]
    told = sum(one["events told"] for one in totals)
    mails = sum(one["handed over"] for one in totals)
    unknown = sum(one["uncertain"] for one in totals)
    answers = sum(one["answers"] for one in totals)
    broken = sum(anomaly["count"] for one in results for anomaly in one["anomalies"])
    rolled = [one for result in results for one in result["rolling"]]
    requests = sum(one["requests"] for one in rolled)
    failed = sum(sum(one["failures"].values()) for one in rolled)
    sums = (
        f"{told} events told, {mails} surveys and reminders handed over, {unknown} of unknown fate and not"
        f" repeated (cut off between the mail server's yes and our note of it), {answers} answers kept;"
        f" {requests} requests while all services were restarted one by one ({len(rolled)} times),"
        f" {failed} of them failed. **Broken promises: {broken}.**"
    )
    return [*lines, "", sums, "", *_soaks(results)]


def _soaks(results: Sequence[dict[str, Any]]) -> list[str]:
    """What the longest soak came to."""
    soaks = [one["soak"] | {"seed": one["seed"]} for one in results if one["soak"]]
    if not soaks:
        return []
    longest = max(soaks, key=lambda one: one["seconds"])
    label, growth = max(longest["rss_growth"].items(), key=lambda one: one[1])
    seed, minutes = longest["seed"], longest["seconds"] / 60
    since = "middle" if longest["seconds"] >= LONG_SECONDS else "first"
    most = f"{growth:.1%} ({label}) from its {since} third to its last"
    return [f"Soak of {minutes:.0f} minutes (seed {seed}): no memory grew by more than {most}."]


def _runs(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "| seed | day | code | broker | load | minutes | faults | checks | anomalies | again |",
        "|---|---|---|---|---:|---:|---|---:|---:|---|",
    ]
    for one in results:
        faults = ", ".join(f"{count} {kind}" for kind, count in one["faults"].items())
        lines.append(
            f"| {one['seed']} | {one['day']} | {one['commit']} | {one['broker']} | {one['load_average']}"
            f" | {one['seconds'] // 60} | {faults} | {one['checks']} | {len(one['anomalies'])}"
            f" | `{one['replay']}` |"
        )
    return lines


def _troubles(results: Sequence[dict[str, Any]]) -> list[str]:
    """What was found, run by run; said even when it is harmless."""
    found = [
        f"- seed {one['seed']}: {anomaly['name']} ({anomaly['invariant']}), {anomaly['count']} times:"
        f" {anomaly['meaning']}"
        for one in results
        for anomaly in one["anomalies"]
    ]
    found += [f"- seed {one['seed']}: {defect}" for one in results for defect in one["defects"]]
    found += [f"- seed {one['seed']}, why: {note}" for one in results for note in one.get("notes", ())]
    found += [
        f"- seed {one['seed']}: {label} ended by itself with {codes}"
        for one in results
        for label, codes in one["unplanned_exits"].items()
    ]
    return ["Found:", "", *found] if found else ["Found: nothing."]


def _absent(results: Sequence[dict[str, Any]]) -> list[str]:
    """Checks that a campaign cannot make, and where they are made."""
    why = {(one["name"], one["invariant"]): one["why"] for result in results for one in result["unchecked"]}
    lines = [f"- {name} ({invariant}): {reason}" for (name, invariant), reason in sorted(why.items())]
    return ["## Not checked here", "", *lines]


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(_kept(RESULTS), _kept(EARLIER)))


def _kept(folder: Path) -> list[dict[str, Any]]:
    results = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    return sorted(results, key=lambda one: (one["day"], one["seed"]))


if __name__ == "__main__":
    main()
