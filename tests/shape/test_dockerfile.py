"""The image is built as promised: linted, two stages, no root, hashes checked, no syntax line, no heredoc."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint_finds_nothing() -> None:
    hadolint = str(Path(sys.executable).with_name("hadolint"))
    result = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_it_needs_no_frontend_of_its_own() -> None:
    assert "syntax=" not in TEXT
    assert "<<" not in TEXT


def test_it_runs_without_root_from_pinned_bases_and_hashes() -> None:
    assert TEXT.count("\nFROM ") == 2
    assert re.findall(r"^FROM python:\d+\.\d+\.\d+\S*", TEXT, re.MULTILINE)
    assert re.search(r"^USER (\d+):\1$", TEXT, re.MULTILINE)
    assert TEXT.count("--require-hashes") == 2


def test_everything_copied_exists_and_is_let_through() -> None:
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for sources in re.findall(r"^COPY (?!--)(.*) \S+$", TEXT, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists()
            assert f"!{source}" in let_through
