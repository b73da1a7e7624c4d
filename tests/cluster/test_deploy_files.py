"""The Compose and Kubernetes files of docs/deploy, by the schemas of those who read them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import pytest
import yaml

from loadtests.settings import Settings
from mocks.server.hosts import Hosts
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
    monkeypatch.setenv("BINDRILL_SIGNING_KEY", "sixteen-or-more!")
    found = configurations()[place]
    assert set(found) == {"bank", "sms", "payment", "lender"}
    for name, text in found.items():
        options = msgspec.convert(
            json.loads(text), ServeOptions, dec_hook=lambda kind, value: kind(value)
        )
        options.check()
        assert set(options.ports) == {name}
        assert Hosts(options.host, options.allow_hosts).serves(f"{name}:{options.ports[name]}")
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


def test_only_what_the_images_are_made_of_goes_to_the_builder():
    root = DEPLOY.parents[1]
    allowed = [
        line[1:]
        for line in (root / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for package in ("bindrill", "sim", "loadtests", "reports", "mocks", "scenarios"):
        assert package in allowed
    text = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (docs/\S+)", text, re.MULTILINE))
    assert copied <= {str(f.relative_to(root)) for f in root.glob("docs/deploy/requirements-*.txt")}
    assert all(
        "--require-hashes" in run for run in re.findall(r"RUN [^\n]*requirements\.txt", text)
    )


def test_packages_of_the_images_are_pinned_by_hash_at_the_versions_that_are_tested():
    root = DEPLOY.parents[1]
    tested = dict(
        line.lower().split("==")
        for line in (root / "constraints.txt").read_text().splitlines()
        if "==" in line
    )
    for name in ("servers", "load"):
        text = (DEPLOY / f"requirements-{name}.txt").read_text()
        pinned = re.findall(r"^([\w.-]+)(?:\[\w+\])?==([^\s;]+)(.*?)(?=^\S|\Z)", text, re.M | re.S)
        assert len(pinned) > 20
        for package, version, rest in pinned:
            assert "--hash=sha256:" in rest, package
            known = {key.replace("_", "-"): value for key, value in tested.items()}
            assert known.get(package.replace("_", "-"), version) == version
    # Everything that the project needs is in the image that plays it.
    needed = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    load = (DEPLOY / "requirements-load.txt").read_text().lower()
    for requirement in needed:
        package = re.match(r"[\w-]+", requirement)[0].lower()
        assert re.search(rf"^{package}(\[\w+\])?==", load, re.MULTILINE), package


ONLY_OF_THE_IMAGE = """
import sys
from importlib import metadata
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    names = metadata.packages_distributions()

    def find_spec(self, name, path=None, target=None):
        owners = self.names.get(name.partition(".")[0], ())
        if owners and not {owner.lower().replace("_", "-") for owner in owners} & PRESENT:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

PRESENT = {"bindrill", *sys.argv.pop(1).split()}
sys.meta_path.insert(0, Absent())
from mocks.server.__main__ import main
sys.exit(main())
"""


def test_servers_run_on_the_packages_of_their_image(tmp_path):
    image = (DEPLOY / "requirements-servers.txt").read_text().lower().replace("_", "-")
    present = re.findall(r"^([\w.-]+)(?:\[\w+\])?==", image, re.MULTILINE)
    assert not {"locust", "matplotlib", "polars", "simpy", "gevent"} & set(present)
    options = tmp_path / "options.json"
    options.write_text(
        json.dumps(
            {
                "ports": dict.fromkeys(("bank", "sms", "payment", "lender"), 0),
                "scenario": "baseline",
                "database": f"sqlite:///{tmp_path}/lender.db",
                "key_ring": f"{tmp_path}/keys.json",
            }
        )
    )
    program = [sys.executable, "-c", ONLY_OF_THE_IMAGE, " ".join(present)]
    with subprocess.Popen(
        [*program, "--options", str(options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as served:
        line = served.stdout.readline()
        served.terminate()
        _, said = served.communicate()
    assert set(json.loads(line)["ready"]) == {"bank", "sms", "payment", "lender"}, said


def workloads() -> list[tuple[str, dict[str, Any]]]:
    return [
        (resource["metadata"]["name"], resource["spec"]["template"])
        for resource in resources()
        if "template" in resource.get("spec", {})
    ]


def test_pods_are_confined_as_the_restricted_pod_security_standard_asks():
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, and what the usual
    checklists add: a read-only root, no token of the API, bounds of what a pod may use."""
    assert len(workloads()) == 7
    for name, template in workloads():
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert not any("hostPath" in volume for volume in pod["volumes"]), name
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"]["limits"])
            assert ":" in container["image"]
            assert not container["image"].endswith(":latest")


def test_every_pod_speaks_only_to_its_partners():
    policies = {
        r["metadata"]["name"]: r["spec"] for r in resources() if r["kind"] == "NetworkPolicy"
    }
    default = policies.pop("nothing-but-names")
    assert default["podSelector"] == {}
    assert set(default["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in default
    labels = {name: template["metadata"]["labels"]["app"] for name, template in workloads()}
    assert set(policies) == set(labels.values())
    # What one may send, the other may receive.
    sent, received = set(), set()
    for name, spec in policies.items():
        assert spec["podSelector"] == {"matchLabels": {"app": name}}
        for way, found in (("egress", sent), ("ingress", received)):
            for rule in spec.get(way, []):
                for peer in rule["from" if way == "ingress" else "to"]:
                    other = peer["podSelector"]["matchLabels"]["app"]
                    pair = (name, other) if way == "egress" else (other, name)
                    found.update((*pair, port["port"]) for port in rule["ports"])
    assert sent == received
    assert ("lender", "postgres", 5432) in sent
    assert not any(other == "postgres" and name != "lender" for name, other, _ in sent)


def test_servers_and_load_have_images_apart():
    for name, template in workloads():
        if name == "postgres":
            continue
        wanted = "bindrill-load:" if name.startswith("locust") else "bindrill-servers:"
        assert template["spec"]["containers"][0]["image"].startswith(wanted)
    targets = re.findall(r"^FROM base AS (\w+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert targets == ["servers", "load"]


def test_containers_of_compose_are_confined():
    found = compose()
    for name, service in found["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["pids_limit"] > 0, name
        assert service["mem_limit"], name
        assert "ports" not in service, name  # nothing is published
    assert all(network["internal"] for network in found["networks"].values())
    assert found["services"]["postgres"]["networks"] == ["data"]
    assert {n for n, s in found["services"].items() if "data" in s.get("networks", [])} == {
        "postgres",
        "lender",
    }
