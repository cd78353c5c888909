"""The manifests are valid, without privileges, know every setting they give, and scale on what is read."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from shared.runtime.settings import PlatformSettings
from tests.shape.test_compose import MIGRATION_ONLY, OURS, settings_of, variables
from tools import flow

K8S = Path(__file__).parents[2] / "deploy/k8s"
RELEASE = "1.33"


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((K8S / name).read_text(encoding="utf-8"))
    return loaded


def overlay(service: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The two patches of a service: its command, and what it is scaled on."""
    command, scaler = (
        yaml.safe_load(patch["patch"]) for patch in load(f"{service}/kustomization.yaml")["patches"]
    )
    return command, scaler


@pytest.mark.parametrize(
    "name", ["service/service.yaml", "migrate.yaml", "ingress.yaml", "dispatch/returns.yaml"]
)
def test_a_manifest_follows_the_schema_of_its_kind(name: str) -> None:
    kubernetes_validate.validate(load(name), RELEASE, strict=True)


def test_the_deployment_follows_its_schema_once_labels_are_set() -> None:
    deployment = load("service/deployment.yaml")
    labels = {"app.kubernetes.io/component": "trigger"}
    deployment["spec"]["selector"] = {"matchLabels": labels}
    deployment["spec"]["template"]["metadata"]["labels"] = labels
    kubernetes_validate.validate(deployment, RELEASE, strict=True)


@pytest.mark.parametrize("name", ["service/deployment.yaml", "migrate.yaml"])
def test_a_pod_has_no_privileges_and_no_surprises(name: str) -> None:
    pod = load(name)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_its_own_module(service: str) -> None:
    command, _ = overlay(service)
    assert command[0]["value"] == ["python", "-m", f"services.{service}"]
    assert load(f"{service}/kustomization.yaml")["nameSuffix"] == f"-{service}"


@pytest.mark.parametrize("service", OURS)
def test_a_service_is_scaled_on_the_topics_it_reads(service: str) -> None:
    part = flow.part_of(service)
    _, scaler = overlay(service)
    triggers = [trigger["metadata"] for trigger in scaler["spec"]["triggers"]]
    assert {trigger["topic"] for trigger in triggers} == {topic.value for topic in part.topics(part.reads)}
    assert {trigger["consumerGroup"] for trigger in triggers} == {f"afterword.{service}"}
    assert scaler["spec"]["scaleTargetRef"]["name"] == f"afterword-{service}"


def test_the_settings_given_exist() -> None:
    literals = load("kustomization.yaml")["configMapGenerator"][0]["literals"]
    known = variables(PlatformSettings) | MIGRATION_ONLY
    for service in OURS:
        known |= variables(settings_of(service))
    assert {literal.split("=")[0] for literal in literals} <= known
