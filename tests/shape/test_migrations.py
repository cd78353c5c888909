"""Migrations of a service are one chain: two that were written side by side get numbers of their own."""

from __future__ import annotations

import re

import pytest

from tests.support.rooms import ROOT, SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_each_migration_follows_the_one_before(service: str) -> None:
    files = sorted((ROOT / "services" / service / "migrations" / "versions").glob("[0-9]*.py"))
    before = "None"
    for number, file in enumerate(files, 1):
        text = file.read_text(encoding="utf-8")
        told = dict(re.findall(r'^(revision|down_revision) = "?([^"\n]+)"?$', text, re.MULTILINE))
        assert file.name.startswith(f"{number:04}_")
        assert told == {"revision": f"{service}_{number:04}", "down_revision": before}
        before = told["revision"]
