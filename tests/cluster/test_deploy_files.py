"""The Compose and Kubernetes files of docs/deploy, by the schemas of those who read them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import pytest
import yaml

from loadtests.settings import Settings
from mocks.server.options import ServeOptions

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
KUBERNETES = "1.33"


def compose() -> dict[str, Any]:
    text = (DEPLOY / "compose.yaml").read_text()
    return yaml.safe_load(
        re.sub(r"\$\{\w+(?::-(\w+)|:\?[^}]*)\}", lambda m: m[1] or "secret", text)
    )


def resources() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    return subprocess.run([*command, str(file)], capture_output=True, text=True)


def test_compose_file_is_what_the_compose_specification_allows(tmp_path):
    done = checked(DEPLOY / "compose.yaml")
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DEPLOY / "compose.yaml").read_text().replace("healthcheck:", "healthcheque:"))
    assert checked(wrong).returncode == 1  # the schema does look


def test_kubernetes_resources_are_what_the_api_allows():
    found = resources()
    for resource in found:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
    found[0]["dta"] = found[0].pop("data")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(found[0], KUBERNETES, strict=True)


def test_names_that_resources_use_exist():
    found = resources()
    named = {kind: {r["metadata"]["name"] for r in found if r["kind"] == kind} for kind in
             ("Service", "PersistentVolumeClaim", "ConfigMap")}  # fmt: skip
    text = (DEPLOY / "kubernetes.yaml").read_text()
    assert set(re.findall(r"http://(\w+):", text)) - {"127"} <= named["Service"]
    assert set(re.findall(r"claimName: ([\w-]+)", text)) == named["PersistentVolumeClaim"]
    for resource in found:
        template = resource.get("spec", {}).get("template")
        if template is None:
            continue
        volumes = {volume["name"] for volume in template["spec"].get("volumes", [])}
        for container in template["spec"]["containers"]:
            assert {m["name"] for m in container.get("volumeMounts", [])} == volumes
        selector = resource["spec"].get("selector", {}).get("matchLabels", {})
        assert selector.items() <= template["metadata"]["labels"].items()


def configurations() -> dict[str, dict[str, str]]:
    return {
        "compose": {name: one["content"] for name, one in compose()["configs"].items()},
        "kubernetes": {
            name.removesuffix(".json"): text for name, text in resources()[0]["data"].items()
        },
    }


@pytest.mark.parametrize("place", ["compose", "kubernetes"])
def test_servers_are_given_options_that_they_accept(place, monkeypatch):
    monkeypatch.setenv("BINDRILL_SIGNING_KEY", "secret")
    found = configurations()[place]
    assert set(found) == {"bank", "sms", "payment", "lender"}
    for name, text in found.items():
        options = msgspec.convert(
            json.loads(text), ServeOptions, dec_hook=lambda kind, value: kind(value)
        )
        options.check()
        assert set(options.ports) == {name}
        if name == "lender":
            for gateway, url in options.gateways.items():
                port = json.loads(found[gateway])["ports"][gateway]
                assert url == f"http://{gateway}:{port}"


def test_locust_is_given_variables_that_it_reads(monkeypatch):
    known = set(Settings().as_environment())
    services = compose()["services"]
    for name in ("locust-master", "locust-worker"):
        assert set(services[name]["environment"]) <= known
    for resource in resources():
        if resource["kind"] == "Job":
            (container,) = resource["spec"]["template"]["spec"]["containers"]
            assert {variable["name"] for variable in container["env"]} <= known
    # The events are where the workers send them: at the master alone.
    assert "BINDRILL_EVENTS" in services["locust-master"]["environment"]
    assert "BINDRILL_EVENTS" not in services["locust-worker"]["environment"]


def test_the_image_holds_every_package():
    text = (DEPLOY / "Dockerfile").read_text()
    for package in ("bindrill", "sim", "loadtests", "reports", "mocks", "scenarios"):
        assert f"COPY {package} {package}\n" in text
