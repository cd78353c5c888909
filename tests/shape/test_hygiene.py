"""What must never be committed, looked for in every tracked file."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

# The patterns are split so that this file does not match itself.
_INDEX = re.compile(
    r'"resolved": "ht' r"tp|source = \{ regi" r"stry|--(extra-)?index" r"-url|^index-u" r"rl", re.MULTILINE
)
_LARGE = 400_000
_CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    found = {}
    for path in tracked():
        raw = path.read_bytes()
        if b"\0" not in raw:
            found[str(path.relative_to(ROOT))] = raw.decode("utf-8")
    return found


def test_no_file_carries_the_address_of_a_package_index(texts: dict[str, str]) -> None:
    assert [name for name, text in texts.items() if _INDEX.search(text)] == []
    assert not [name for name in texts if name.endswith(("uv.lock", "package-lock.json"))]


def test_every_pinned_package_has_a_hash(texts: dict[str, str]) -> None:
    locks = {name: text for name, text in texts.items() if re.fullmatch(r"requirements/\w+\.txt", name)}
    assert {"requirements/runtime.txt", "requirements/dev.txt", "requirements/bootstrap.txt"} <= locks.keys()
    for name, text in locks.items():
        pins = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]
        assert [
            pin.splitlines()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin
        ] == [], name


def test_no_tracked_file_is_large() -> None:
    assert [str(path) for path in tracked() if path.stat().st_size > _LARGE] == []


def test_no_half_merged_or_untidy_text(texts: dict[str, str]) -> None:
    assert [name for name, text in texts.items() if _CONFLICT.search(text)] == []
    assert [name for name, text in texts.items() if "\r\n" in text] == []
    assert [name for name, text in texts.items() if text and not text.endswith("\n")] == []


def test_the_pins_are_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(need for extra in project["optional-dependencies"].values() for need in extra),
    ]
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE))
    for need in map(Requirement, asked):
        if need.name != "afterword":
            assert need.specifier.contains(pinned[canonicalize_name(need.name)]), f"{need}: run make lock"
