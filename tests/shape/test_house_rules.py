"""The import contracts of pyproject.toml hold on a house of the planned shape, and each is seen to break."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("alerts", "collector", "dispatch", "scoring", "trigger")

SHARED = ("bus", "contracts", "db", "runtime", "security", "web")

BREAKS = [
    pytest.param(
        "trigger/handlers.py", "import services.alerts.store", "services never import", id="neighbour"
    ),
    pytest.param("../shared/web/pages.py", "import services.scoring.app", "shared knows no", id="upwards"),
    pytest.param(
        "scoring/store.py", "import services.scoring.handlers", "the rooms of", id="store over handlers"
    ),
    pytest.param("alerts/utils.py", "", "the rooms of", id="a stray room"),
    pytest.param(
        "collector/domain/rules.py", "import asyncio", "the domain is pure", id="loop in the domain"
    ),
    pytest.param("collector/domain/rules.py", "import shared.web", "the domain is pure", id="indirectly"),
    pytest.param(
        "../shared/contracts/a.py", "import asyncpg", "contracts carry data", id="contract with driver"
    ),
    pytest.param("dispatch/worker.py", "import aiokafka", "only shared.bus", id="kafka in a service"),
    pytest.param("trigger/api.py", "import asyncpg", "handlers, routes", id="sql in a route"),
    pytest.param(
        "alerts/handlers.py", "import services.alerts.settings", "settings are read", id="settings below"
    ),
    pytest.param(
        "dispatch/channels/smtp.py", "import shared.db", "channels and conn", id="channel with database"
    ),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house of the planned shape, with the contracts of the project."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("services", "services/cli", "shared", *(f"shared/{name}" for name in SHARED)):
        write(tmp_path / package / "__init__.py", "")
    write(tmp_path / "shared/web/__init__.py", "import time\n")
    write(tmp_path / "shared/identity.py", "import asyncpg\n")
    for name in SERVICES:
        room = tmp_path / "services" / name
        write(room / "__init__.py", "")
        write(room / "settings.py", "")
        write(room / "domain/__init__.py", "")
        write(room / "domain/rules.py", "import datetime\nimport shared.contracts\nimport shared.identity\n")
        write(room / "store.py", f"import asyncpg\nimport services.{name}.domain.rules\n")
        write(room / "handlers.py", f"import services.{name}.store\n")
        write(room / "app.py", f"import services.{name}.handlers\nimport services.{name}.settings\n")
        write(room / "__main__.py", f"import services.{name}.app\n")
    write(tmp_path / "services/dispatch/channels/__init__.py", "")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def test_the_planned_shape_keeps_every_contract(house: Path) -> None:
    result = lint(house)
    assert result.returncode == 0, result.stdout
    assert "9 kept, 0 broken" in result.stdout


@pytest.mark.parametrize(("path", "line", "contract"), BREAKS)
def test_a_violation_breaks_its_contract(house: Path, path: str, line: str, contract: str) -> None:
    target = house / "services" / path
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    write(target, f"{before}{line}\n")
    result = lint(house)
    broken = [row for row in result.stdout.splitlines() if " BROKEN" in row]
    assert result.returncode == 1
    assert any(row.startswith(contract) for row in broken), result.stdout
