"""Each query of the dashboard asked of a real Prometheus with a day of made-up series; the alert rules."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import httpx
import pytest

from tests.support.programs import PROMETHEUS, PROMTOOL
from tools import dashboard, metrics

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus"

END = 1_800_000_000
STEP = 60
SPAN = 25 * 3600

# Values that queries ask for by name; other labels get the same two words.
WORDS = {
    "outcome": ("requested", "suppressed"),
    "result": ("sent", "failed"),
    "state": ("handed_over", "failed"),
}

pytestmark = [pytest.mark.promql, pytest.mark.xdist_group("promql")]


def history() -> str:
    """A day of every gauge and counter in OpenMetrics, one sample a minute."""
    lines = []
    for metric in metrics.metrics():
        if metric.kind not in {"gauge", "counter"}:
            continue
        lines.append(f"# TYPE {metric.name.removesuffix('_total')} {metric.kind}")
        for at in range(2 if metric.labels else 1):
            labels = ",".join(f'{label}="{WORDS.get(label, ("one", "two"))[at]}"' for label in metric.labels)
            lines += [
                f"{metric.name}{{{labels}}} {sample(metric.kind, n)} {n_time(n)}" for n in range(SPAN // STEP)
            ]
    lines.append("# TYPE up gauge")
    lines += [f'up{{job="afterword",service_name="trigger"}} 1 {n_time(n)}' for n in range(SPAN // STEP)]
    return "\n".join([*lines, "# EOF\n"])


def sample(kind: str, n: int) -> int:
    return n if kind == "counter" else 7


def n_time(n: int) -> int:
    return END - SPAN + n * STEP


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A Prometheus with that day in its database and nothing to scrape."""
    program, tool = PROMETHEUS.path(), PROMTOOL.path()
    assert program
    assert tool
    home = tmp_path_factory.mktemp("prometheus")
    (home / "series.txt").write_text(history(), encoding="utf-8")
    (home / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    made = [tool, "tsdb", "create-blocks-from", "openmetrics", str(home / "series.txt"), str(home / "data")]
    subprocess.run(made, check=True, capture_output=True)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        program,
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = next((line for line in process.stderr if "ready to receive web requests" in line), None)
        try:
            assert said, "Prometheus did not start"
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                yield client
        finally:
            process.terminate()
            process.stderr.read()


@pytest.mark.parametrize(
    "expr", [pytest.param(expr, id=f"{at} {title}") for at, (title, expr) in enumerate(dashboard.queries())]
)
def test_the_query_of_a_panel_returns_series(prometheus: httpx.Client, expr: str) -> None:
    answer = prometheus.get("/api/v1/query", params={"query": expr, "time": END - STEP}).json()
    assert answer["status"] == "success", answer
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    assert values
    assert all(value >= 0 for value in values)


def test_a_day_of_dead_letters_is_counted(prometheus: httpx.Client) -> None:
    expr = dict(dashboard.queries())["Dead letters, 24 hours"]
    answer = prometheus.get("/api/v1/query", params={"query": expr, "time": END - STEP}).json()
    assert float(answer["data"]["result"][0]["value"][1]) == pytest.approx(2 * 24 * 60, rel=0.01)


def test_the_alert_rules_fire_when_they_should_and_only_then() -> None:
    tool = PROMTOOL.path()
    assert tool
    result = subprocess.run(
        [tool, "test", "rules", "rules.test.yml"], cwd=RULES, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_configuration_passes_prometheus_own_check() -> None:
    tool = PROMTOOL.path()
    assert tool
    for command in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"],
    ):
        result = subprocess.run([tool, *command], cwd=RULES, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
