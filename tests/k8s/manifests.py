"""deploy/k8s as kubectl renders it, with secrets made for the occasion."""

from __future__ import annotations

import atexit
import base64
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("single", "cluster", "external")

Resource = dict[str, Any]
Resources = list[Resource]


def kubectl() -> str:
    """The one that ./dev install put there, if it had to."""
    own = ROOT / ".local/kubernetes/bin"
    found = shutil.which("kubectl", path=f"{own}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        raise FileNotFoundError("kubectl is missing: ./dev install")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def checked(*command: str | Path) -> str:
    done = run(*command)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def copy() -> Path:
    """deploy/k8s in a tree of its own, without the secrets of whoever works here."""
    tree = Path(tempfile.mkdtemp(prefix="martlet-k8s."))
    atexit.register(shutil.rmtree, tree, ignore_errors=True)
    unwanted = shutil.ignore_patterns("private", "secrets", "secrets.new", ".secrets.*")
    shutil.copytree(ROOT / "deploy/k8s", tree / "deploy/k8s", ignore=unwanted)
    shutil.copytree(ROOT / "compose", tree / "compose")
    return tree / "deploy/k8s"


def make_secrets(tree: Path, *options: str) -> None:
    checked("bash", tree / "make-secrets.sh", *options)


@functools.cache
def made() -> Path:
    """A copy with secrets; nobody changes it."""
    tree = copy()
    make_secrets(tree)
    return tree


def render_directory(directory: Path) -> Resources:
    text = checked(kubectl(), "kustomize", directory)
    return [resource for resource in yaml.safe_load_all(text) if resource]


@functools.cache
def render(overlay: str) -> Resources:
    return render_directory(made() / "overlays" / overlay)


@functools.cache
def render_with_components() -> Resources:
    """An overlay as an operator writes it, with all of them."""
    directory = made() / "overlays/with-components"
    directory.mkdir()
    names = sorted(path.name for path in (made() / "components").iterdir())
    lines = "".join(f"  - ../../components/{name}\n" for name in names)
    (directory / "kustomization.yaml").write_text(f"resources: [../single]\ncomponents:\n{lines}")
    return render_directory(directory)


def of_kind(resources: Resources, *kinds: str) -> dict[str, Resource]:
    return {r["metadata"]["name"]: r for r in resources if r["kind"] in kinds}


def workloads(resources: Resources) -> dict[str, Resource]:
    return of_kind(resources, "Deployment", "StatefulSet")


def pod(workload: Resource) -> Resource:
    spec: Resource = workload["spec"]["template"]["spec"]
    return spec


def labels(workload: Resource) -> dict[str, str]:
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def container(workload: Resource) -> Resource:
    (only,) = pod(workload)["containers"]
    found: Resource = only
    return found


def all_containers(workload: Resource) -> Resources:
    return [container(workload), *pod(workload).get("initContainers", [])]


def ports(workload: Resource) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container(workload).get("ports", [])}


def environment(workload: Resource) -> dict[str, str]:
    """What Kubernetes fills in itself stands as the path of the field, or the key of the Secret."""

    def value(entry: Resource) -> str:
        if "valueFrom" not in entry:
            return str(entry["value"])
        ((_, source),) = entry["valueFrom"].items()
        return str(source.get("fieldPath") or source["key"])

    return {entry["name"]: value(entry) for entry in container(workload).get("env", [])}


def secret(resource: Resource) -> dict[str, str]:
    return {key: base64.b64decode(text).decode() for key, text in resource["data"].items()}


def mounted_secrets(resources: Resources, workload: Resource) -> Iterator[tuple[str, str]]:
    """Every file of a Secret that the container sees, and what is in it."""
    secrets = of_kind(resources, "Secret")
    volumes = {v["name"]: v["secret"] for v in pod(workload)["volumes"] if "secret" in v}
    for mount in container(workload)["volumeMounts"]:
        volume = volumes.get(mount["name"])
        if volume is None or volume["secretName"] not in secrets:
            continue
        files = secret(secrets[volume["secretName"]])
        if "subPath" in mount:
            yield mount["mountPath"], files[mount["subPath"]]
        else:
            for key, text in files.items():
                yield f"{mount['mountPath']}/{key}", text
