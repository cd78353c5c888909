"""What a campaign came to, as data and for people; `tests.chaos.proof` makes `docs/proof.md` of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos.campaign import Result


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def facts(result: Result) -> dict[str, Any]:
    """The result as data."""
    happened = Counter(one.fault.kind.value for one in result.struck)
    return {
        "seed": result.plan.seed,
        "day": result.day,
        "commit": result.commit,
        "load_average": result.load,
        "replay": replay(result),
        "broker": result.broker,
        "seconds": round(result.seconds),
        "sound": result.sound,
        "faults": dict(happened),
        "recovery": {kind: recovery(result, kind) for kind in sorted(happened)},
        "rolling": [asdict(one) for one in result.rolled],
        "soak": asdict(result.flatness) if result.flatness else None,
        "totals": result.totals,
        "unplanned_exits": result.unplanned_exits,
        "defects": result.defects,
        "anomalies": [asdict(one) for one in result.report.anomalies] if result.report else [],
        "unchecked": [asdict(one) for one in result.report.unchecked] if result.report else [],
        "checks": len(result.report.checked) if result.report else 0,
    }


def recovery(result: Result, kind: str) -> dict[str, float]:
    """Seconds until progress after the faults of a kind; `alone`: none overlapped."""
    took = [one for one in result.struck if one.fault.kind.value == kind and one.recovery is not None]
    alone = [one.recovery for one in took if one.alone and one.recovery is not None]
    every = [one.recovery for one in took if one.recovery is not None]
    return {
        "n": len(every),
        "p50": round(percentile(every, 0.5), 1),
        "p99": round(percentile(every, 0.99), 1),
        "max": round(max(every, default=0.0), 1),
        "stuck": sum(one.fault.kind.value == kind and one.recovery is None for one in result.struck),
        "alone": len(alone),
        "alone_max": round(max(alone, default=0.0), 1),
    }


def replay(result: Result) -> str:
    """The command that runs the same schedule again."""
    plan = result.plan
    counts = " ".join(f"--{name} {count}" for name, count in asdict(plan.counts).items() if count)
    more = f" --rolls {plan.rolls}" if plan.rolls else ""
    more += f" --soak {plan.soak:.0f}" if plan.soak else ""
    return f"python -m tests.chaos --seed {plan.seed} {counts}{more} --rate {plan.per_second:g}"


def summary(result: Result) -> str:
    """The result for people."""
    told = facts(result)
    state = "sound" if told["sound"] else "BROKEN"
    lines = [f"\nseed {told['seed']} on {told['broker']}: {state} in {told['seconds']} s"]
    lines += [_of_kind(kind, took) for kind, took in told["recovery"].items()]
    lines += [f"  {name}: {count}" for name, count in told["totals"].items()]
    lines += [
        f"  rolling restart: {one['requests']} requests, {one['early']} before their survey, failed"
        f" {one['failures']}"
        for one in told["rolling"]
    ]
    if told["soak"]:
        lines.append(f"  soak: memory grew by {max(told['soak']['rss_growth'].values()):.1%} at most")
    if told["unplanned_exits"]:
        lines.append(f"  ended though nobody ended them: {told['unplanned_exits']}")
    lines += [f"  DEFECT {defect}" for defect in told["defects"]]
    lines += [_anomaly(one) for one in told["anomalies"]]
    lines += [f"  not checked: {one['name']} ({one['invariant']}): {one['why']}" for one in told["unchecked"]]
    return "\n".join([*lines, f"  again: {told['replay']}", ""])


def _of_kind(kind: str, took: dict[str, float]) -> str:
    return (
        f"  {kind:12} {took['n']:4}  progress after p50 {took['p50']} s, p99 {took['p99']} s,"
        f" max {took['max']} s; by itself ({took['alone']}) max {took['alone_max']} s; stuck {took['stuck']}"
    )


def _anomaly(one: dict[str, Any]) -> str:
    ids = ", ".join(map(str, one["ids"][:5]))
    return f"  ANOMALY {one['name']} ({one['invariant']}) x{one['count']}: {one['meaning']} {ids}"


def keep(result: Result, folder: Path) -> None:
    """Write the result beside those of other campaigns."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"seed-{result.plan.seed}.json"
    (folder / name).write_text(json.dumps(facts(result), indent=2) + "\n")
