"""The compose file is valid, hardened, and says nothing that the services' settings do not know."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from shared.runtime.settings import PlatformSettings, ServiceSettings

ROOT = Path(__file__).parents[2]
OURS = ("trigger", "dispatch", "collector", "scoring", "alerts")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
# Read by `afterword migrate` alone.
MIGRATION_ONLY = {"AFTERWORD_ADMIN_DATABASE_URL"}


def interpolate(text: str) -> str:
    """Fill in what compose would: defaults, and a word where a value is required."""
    return _VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "given", text)


def compose() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(interpolate(text))
    return loaded


def settings_of(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return found


def variables(model: type[ServiceSettings]) -> set[str]:
    prefix = str(model.model_config.get("env_prefix", ""))
    return {f"{prefix}{name}".upper() for name in model.model_fields}


def test_it_follows_the_compose_specification() -> None:
    PyCompose.from_json(json.dumps(compose())).validate()


@pytest.mark.parametrize("name", compose()["services"])
def test_every_container_is_hardened(name: str) -> None:
    service = compose()["services"][name]
    assert service["user"] not in {"root", "0", "0:0"}
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is (name != "kafka")
    assert re.search(r":v?\d+\.\d+", service["image"]) or service["image"] == "afterword:local"
    assert "healthcheck" in service


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_told_all_it_must_know_and_nothing_else(name: str) -> None:
    told = set(compose()["services"][name]["environment"])
    settings = settings_of(name)
    assert told <= variables(PlatformSettings) | variables(settings)
    required = {field.upper() for field, how in PlatformSettings.model_fields.items() if how.is_required()}
    assert {f"AFTERWORD_{field}" for field in required} <= told
    prefix = str(settings.model_config.get("env_prefix", ""))
    assert {f"{prefix}{n}".upper() for n, how in settings.model_fields.items() if how.is_required()} <= told


def test_the_migration_is_told_what_it_must_know() -> None:
    told = set(compose()["services"]["migrate"]["environment"])
    assert told <= variables(PlatformSettings) | MIGRATION_ONLY


def test_the_example_environment_names_what_compose_reads() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    read = {found[0] for found in _VARIABLE.findall(text)}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert named == read - {"AFTERWORD_VERSION", "KAFKA_CLUSTER_ID"}


def test_no_secret_ships_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    filled = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert not {name for name, value in filled.items() if value and re.search("KEY|PASSWORD|SECRET", name)}


def test_every_service_waits_for_the_migration_and_the_gateway_for_every_service() -> None:
    services = compose()["services"]
    for name in OURS:
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert services["gateway"]["depends_on"][name]["condition"] == "service_healthy"
        assert services[name]["command"] == ["python", "-m", f"services.{name}"]
