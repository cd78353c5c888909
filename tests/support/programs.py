"""Programs from outside Python that some tests need, and where they are."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".artifacts" / "bin"


@dataclass(frozen=True, slots=True)
class Program:
    """A program by the names it goes by, and how a reader gets it."""

    title: str
    names: tuple[str, ...]
    get: str

    def path(self) -> str | None:
        """Return where it is: unpacked by make test, else on the search path."""
        places = os.pathsep.join([str(UNPACKED), os.defpath, *os.get_exec_path()])
        return next((found for name in self.names if (found := shutil.which(name, path=places))), None)


CHROMIUM = Program(
    "headless Chromium", ("chromium", "chromium-browser", "google-chrome"), "apt-get install chromium"
)
PROMETHEUS = Program("Prometheus", ("prometheus",), "apt-get install prometheus")
PROMTOOL = Program("promtool", ("promtool",), "apt-get install prometheus")
