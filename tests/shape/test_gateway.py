"""The gateways send every path to the service that serves it, and no probe to anybody."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from shared.web.app import web_app
from tests.support.assembled import SERVICES, assemble, paths, platform

ROOT = Path(__file__).parents[2]
_MATCHER = re.compile(r"@(\w+) path (.*)")
# Served by every service beside its own, for whoever signs in there.
FRAMEWORK = {"/v1/openapi.json"}


def caddy(path: str) -> str | None:
    """The service that the Caddyfile sends a path to.

    Its matchers are disjoint, but for those named `service_…` of a part of another's: they stand first.
    """
    text = (ROOT / "deploy/gateway/Caddyfile").read_text(encoding="utf-8")
    found = [
        name
        for name, patterns in _MATCHER.findall(text)
        if any(fnmatchcase(path, p) for p in patterns.split())
    ]
    parts = [name for name in found if "_" in name]
    assert len(found) - len(parts) < 2, f"{path} goes to {found}"
    assert found[: len(parts)] == parts, f"{path} goes to {found}"
    return found[0].partition("_")[0] if found else None


def ingress(path: str) -> str | None:
    """The service that the Kubernetes ingress sends a path to: the longest prefix of whole segments wins."""
    manifest = yaml.safe_load((ROOT / "deploy/k8s/ingress.yaml").read_text(encoding="utf-8"))
    rules = manifest["spec"]["rules"][0]["http"]["paths"]
    prefixes = [rule for rule in rules if rule["pathType"] == "Prefix"]
    fits = [rule for rule in rules if path == rule["path"]]
    fits += [rule for rule in prefixes if path.startswith(f"{rule['path']}/")]
    if not fits:
        return None
    longest = max(fits, key=lambda rule: len(rule["path"]))
    name: str = longest["backend"]["service"]["name"]
    return name.removeprefix("afterword-")


def sample(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x1", path)


@pytest.mark.parametrize("name", SERVICES)
async def test_every_path_of_a_service_reaches_it(name: str) -> None:
    served = {sample(path) for path in paths((await assemble(name)).router)}
    assert served
    assert {path: caddy(path) for path in served} == dict.fromkeys(served, name)
    assert {path: ingress(path) for path in served} == dict.fromkeys(served, name)


async def test_signing_in_and_static_files_reach_somebody() -> None:
    app = web_app(platform("alerts").access, "https://ask.example.com")
    served = {sample(path) for path in paths(app.router)} - FRAMEWORK
    assert "/signin" in served
    assert {path for path in served if caddy(path) is None or caddy(path) != ingress(path)} == set()


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_and_metrics_stay_inside(path: str) -> None:
    assert caddy(path) is None
    assert ingress(path) is None
