"""What deploy/k8s renders fits Kubernetes' types and holds together: names, ports, secrets, sizes and rights."""

from __future__ import annotations

import copy
import re
import sys
import unittest
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from k8s import api_types, manifests  # noqa: E402
from k8s.manifests import Resource, Resources  # noqa: E402

OURS = ("edge", "dispatcher", "persist", "api")
STORES = ("nats", "postgres", "redis")
OPERATORS_MAKE = {"edge-tls", "identity"}  # Secrets that are not ours
NATS_SHARE_OF_DISK = 0.75  # nats-server's, when max_file_store is not set
PAGE = (ROOT / "docs/operations.md").read_text()
UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def rendered() -> dict[str, Resources]:
    found = {name: manifests.render(name) for name in manifests.OVERLAYS}
    return {**found, "with-components": manifests.render_with_components()}


def quantity(text: str) -> int:
    found = re.fullmatch(r"(\d+)(|Ki|Mi|Gi)", text)
    assert found is not None, text
    return int(found[1]) * UNITS[found[2]]


def documented_default(key: str) -> str:
    found = re.search(rf"^\| `{re.escape(key)}` \|[^|]*\|[^|]*\| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert found is not None, key
    return found[1]


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        assert rule["operator"] == "In", rule
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return True


def confinement_complaints(workload: Resource) -> list[str]:
    """What Kubernetes' standard `restricted` asks for, and what we ask for beyond it."""
    pod = manifests.pod(workload)
    rights = pod.get("securityContext", {})
    checks = {
        "runs as root": rights.get("runAsNonRoot") is True and rights.get("runAsUser", 0) > 0,
        "seccomp": rights.get("seccompProfile") == {"type": "RuntimeDefault"},
        "has a token of Kubernetes": pod.get("automountServiceAccountToken") is False,
        "gets variables of Services": pod.get("enableServiceLinks") is False,
    }
    found = [what for what, good in checks.items() if not good]
    for container in manifests.all_containers(workload):
        found += container_complaints(container)
    return found


def container_complaints(container: Resource) -> list[str]:
    own = container.get("securityContext", {})
    requests, limits = (container["resources"][kind] for kind in ("requests", "limits"))
    checks = {
        "may get rights": own.get("allowPrivilegeEscalation") is False,
        "has capabilities": own.get("capabilities") == {"drop": ["ALL"]},
        "writes to its root": own.get("readOnlyRootFilesystem") is True,
        "no request of memory": "memory" in requests,
        "no request of processors": "cpu" in requests,
        "no limit of memory": "memory" in limits,
        # A loop that is held back is late for everybody; the request says what it gets at least.
        "a limit of processors": "cpu" not in limits,
    }
    return [what for what, good in checks.items() if not good]


def who_reaches(resources: Resources, target: str, port: str) -> set[str]:
    """The workloads that a NetworkPolicy lets in, besides other namespaces."""
    workloads = manifests.workloads(resources)
    found = set()
    for policy in manifests.of_kind(resources, "NetworkPolicy").values():
        if not selects(policy["spec"]["podSelector"], manifests.labels(workloads[target])):
            continue
        for rule in policy["spec"].get("ingress", []):
            if port not in [entry["port"] for entry in rule["ports"]]:
                continue
            for name, workload in workloads.items():
                if "from" not in rule or any(
                    selects(peer["podSelector"], manifests.labels(workload))
                    for peer in rule["from"]
                    if "podSelector" in peer
                ):
                    found.add(name)
    return found


class Types(unittest.TestCase):
    def test_every_overlay_fits_the_types_of_kubernetes(self) -> None:
        for overlay, resources in rendered().items():
            for resource in resources:
                with self.subTest(overlay=overlay, name=resource["metadata"]["name"]):
                    self.assertEqual(api_types.complaints(resource), [])

    def test_what_does_not_fit_is_found(self) -> None:
        good = manifests.of_kind(manifests.render("single"), "Deployment")["edge"]
        for path, value in (
            (["apiVersion"], "apps/v2"),
            (["spec", "replica"], 2),
            (["spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet"], {}),
            (["spec", "minReadySeconds"], "10"),
            (["spec", "minReadySeconds"], 1.5),
            (["spec", "template", "metadata", "labels", "a"], True),
        ):
            with self.subTest(path=path, value=value):
                bad = copy.deepcopy(good)
                place: Any = bad
                for step in path[:-1]:
                    place = place[step]
                place[path[-1]] = value
                self.assertEqual(len(api_types.complaints(bad)), 1, api_types.complaints(bad))


class Names(unittest.TestCase):
    def test_overlays_have_what_they_are_for(self) -> None:
        for overlay, resources in rendered().items():
            stores = () if overlay == "external" else STORES
            self.assertEqual(set(manifests.workloads(resources)), {*OURS, *stores}, overlay)
            spaces = {r["metadata"].get("namespace") for r in resources if r["kind"] != "Namespace"}
            self.assertEqual(spaces, {"martlet"}, overlay)

    def test_selectors_find_their_pods(self) -> None:
        for overlay, resources in rendered().items():
            workloads = manifests.workloads(resources)
            for name, workload in workloads.items():
                with self.subTest(overlay=overlay, name=name):
                    selector = workload["spec"]["selector"]
                    others = [n for n, w in workloads.items() if selects(selector, manifests.labels(w))]
                    self.assertEqual(others, [name])
                    for spread in manifests.pod(workload).get("topologySpreadConstraints", []):
                        self.assertTrue(selects(spread["labelSelector"], manifests.labels(workload)))
            for name, budget in manifests.of_kind(resources, "PodDisruptionBudget").items():
                self.assertTrue(
                    selects(budget["spec"]["selector"], manifests.labels(workloads[name])), name
                )

    def test_services_and_policies_name_ports_that_are_there(self) -> None:
        for overlay, resources in rendered().items():
            workloads = manifests.workloads(resources)
            for name, service in manifests.of_kind(resources, "Service").items():
                with self.subTest(overlay=overlay, service=name):
                    selector = {"matchLabels": service["spec"]["selector"]}
                    found = [w for w in workloads.values() if selects(selector, manifests.labels(w))]
                    self.assertEqual(len(found), 1)
                    for port in service["spec"]["ports"]:
                        self.assertIn(port["targetPort"], manifests.ports(found[0]))
            for name, policy in manifests.of_kind(resources, "NetworkPolicy").items():
                for workload in workloads.values():
                    if selects(policy["spec"]["podSelector"], manifests.labels(workload)):
                        for rule in policy["spec"].get("ingress", []):
                            for port in rule["ports"]:
                                self.assertIn(port["port"], manifests.ports(workload), name)

    def test_more_than_one_of_each_of_ours_may_not_be_taken_away_at_once(self) -> None:
        for overlay, resources in rendered().items():
            wanted = set(OURS) | ({"nats"} if overlay == "cluster" else set())
            budgets = manifests.of_kind(resources, "PodDisruptionBudget")
            self.assertEqual(set(budgets), wanted, overlay)
            for name, budget in budgets.items():
                self.assertEqual(budget["spec"]["maxUnavailable"], 1, name)

    def test_every_variable_is_a_key_of_that_service(self) -> None:
        keys: dict[str, set[str]] = {}
        rows = re.findall(r"^\| `([a-z_.]+)` \| ([a-z, ]+) \|", PAGE, re.MULTILINE)
        for name, services in rows:
            keys.setdefault(name.replace(".", "_").upper(), set()).update(services.split(", "))
        for overlay, resources in rendered().items():
            for service in OURS:
                for name in manifests.environment(manifests.workloads(resources)[service]):
                    with self.subTest(overlay=overlay, service=service, name=name):
                        key = name.removeprefix("MARTLET_").removesuffix("_FILE")
                        self.assertTrue({"all", service} & keys.get(key, set()))


class Scaling(unittest.TestCase):
    def test_edges_follow_what_the_api_asks_for(self) -> None:
        adapter = yaml.safe_load((ROOT / "deploy/k8s/prometheus-adapter.yaml").read_text())
        (rule,) = adapter["externalRules"]
        series = rule["seriesQuery"].partition("{")[0]
        self.assertIn(f"| `{series}` | api | gauge", PAGE)
        for overlay, resources in rendered().items():
            scaler = manifests.of_kind(resources, "HorizontalPodAutoscaler")["edge"]["spec"]
            deployments = manifests.of_kind(resources, "Deployment")
            self.assertIn(scaler["scaleTargetRef"]["name"], deployments)
            # `kubectl apply` would set it back each time.
            self.assertNotIn("replicas", deployments["edge"]["spec"], overlay)
            (metric,) = scaler["metrics"]
            self.assertEqual(metric["external"]["metric"], {"name": rule["name"]["as"]})
            target = {"type": "AverageValue", "averageValue": "1"}
            self.assertEqual(metric["external"]["target"], target)
            most = manifests.environment(deployments["api"])["MARTLET_SCALE_MAX_EDGES"]
            self.assertEqual(scaler["maxReplicas"], int(most))

    def test_an_edge_asks_for_as_much_as_the_scaling_gives_it(self) -> None:
        permille = int(documented_default("scale.cpu_permille"))
        edge = manifests.workloads(manifests.render("single"))["edge"]
        self.assertEqual(manifests.container(edge)["resources"]["requests"]["cpu"], f"{permille}m")

    def test_the_logs_fit_on_the_volume_of_nats(self) -> None:
        shards = int(documented_default("cluster.shards"))
        log = quantity(documented_default("shard.log_bytes").removesuffix("B"))
        for overlay in ("single", "cluster"):
            (claim,) = manifests.workloads(manifests.render(overlay))["nats"]["spec"]["volumeClaimTemplates"]
            size = quantity(claim["spec"]["resources"]["requests"]["storage"])
            self.assertGreater(NATS_SHARE_OF_DISK * size, 1.1 * shards * (log + 16 * 2**20))

    def test_a_nats_cluster_keeps_as_many_copies_as_it_has_servers(self) -> None:
        resources = manifests.render("cluster")
        workloads = manifests.workloads(resources)
        nats = workloads["nats"]["spec"]
        for service in ("edge", "dispatcher", "persist"):
            copies = manifests.environment(workloads[service])["MARTLET_NATS_REPLICAS"]
            self.assertEqual(int(copies), nats["replicas"], service)
        files = dict(manifests.mounted_secrets(resources, workloads["nats"]))
        arguments = manifests.container(workloads["nats"])["args"]
        configuration = files[arguments[arguments.index("--config") + 1]]
        first = nats["ordinals"]["start"]
        numbers = range(first, first + nats["replicas"])
        names = [f"nats-{n}.{nats['serviceName']}" for n in numbers]
        self.assertEqual(re.findall(r"@([a-z0-9.-]+):6222", configuration), names)
        self.assertEqual(manifests.ports(workloads["nats"])["routes"], 6222)
        self.assertIn('listen: "0.0.0.0:6222"', configuration)
        peers = manifests.of_kind(resources, "Service")[nats["serviceName"]]["spec"]
        self.assertEqual((peers["clusterIP"], peers["publishNotReadyAddresses"]), ("None", True))
        # One that waits for the others before the others are started waits for ever.
        self.assertEqual(nats["podManagementPolicy"], "Parallel")
        self.assertEqual(who_reaches(resources, "nats", "routes"), {"nats"})
        (leader,) = manifests.pod(workloads["nats"])["initContainers"]
        asked = [f"nats-{n}" for n in numbers]
        words = leader["command"][-1]
        self.assertEqual(re.findall(r"nats-\d", words), [asked[-1], *asked[:-1]])
        self.assertIn(f'/dev/tcp/$1.{nats["serviceName"]}/', words)


class Rights(unittest.TestCase):
    def test_pods_have_no_more_than_they_need(self) -> None:
        for overlay, resources in rendered().items():
            for name, workload in manifests.workloads(resources).items():
                with self.subTest(overlay=overlay, name=name):
                    self.assertEqual(confinement_complaints(workload), [])
                    if name in OURS:
                        self.assertEqual(manifests.pod(workload)["securityContext"]["runAsUser"], 10001)
        space = manifests.of_kind(manifests.render("single"), "Namespace")["martlet"]
        enforced = space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        self.assertEqual(enforced, "restricted")

    def test_a_pod_that_has_more_is_found(self) -> None:
        good = manifests.workloads(manifests.render("single"))["redis"]
        for place, key in (("pod", "securityContext"), ("container", "securityContext")):
            bad = copy.deepcopy(good)
            getattr(manifests, place)(bad).pop(key)
            self.assertGreater(len(confinement_complaints(bad)), 1, place)

    def test_a_store_is_reached_by_those_who_have_its_address(self) -> None:
        for overlay in ("single", "cluster"):
            resources = manifests.render(overlay)
            workloads = manifests.workloads(resources)
            for store in STORES:
                users = {
                    name
                    for name, workload in workloads.items()
                    if f"MARTLET_{store.upper()}_URL_FILE" in manifests.environment(workload)
                }
                self.assertTrue(users, store)
                self.assertEqual(who_reaches(resources, store, store), users, store)
                self.assertLessEqual(who_reaches(resources, store, "monitor"), {"nats"})

    def test_whoever_is_not_named_reaches_nothing(self) -> None:
        for resources in rendered().values():
            policy = manifests.of_kind(resources, "NetworkPolicy")["nobody"]["spec"]
            self.assertEqual(policy, {"podSelector": {}, "policyTypes": ["Ingress"]})


class Secrets(unittest.TestCase):
    def test_every_file_that_is_named_is_mounted(self) -> None:
        for overlay, resources in rendered().items():
            for name, workload in manifests.workloads(resources).items():
                container = manifests.container(workload)
                words = [*container.get("args", []), *manifests.environment(workload).values()]
                files = set(dict(manifests.mounted_secrets(resources, workload)))
                folders = {str(Path(file).parent) for file in files}
                for word in words:
                    if word.startswith(("/secrets/", "/keys/")):
                        with self.subTest(overlay=overlay, name=name, file=word):
                            self.assertIn(word, files | folders)

    def test_every_secret_is_there_and_used_by_one(self) -> None:
        for overlay, resources in rendered().items():
            used = [
                volume["secret"]["secretName"]
                for workload in manifests.workloads(resources).values()
                for volume in manifests.pod(workload)["volumes"]
                if "secret" in volume
            ]
            self.assertEqual(len(used), len(set(used)), overlay)
            made = set(manifests.of_kind(resources, "Secret"))
            self.assertEqual(set(used) - OPERATORS_MAKE, made, overlay)

    def test_addresses_of_the_stores_are_those_of_their_services(self) -> None:
        resources = manifests.render("single")
        services = manifests.of_kind(resources, "Service")
        for name in OURS:
            files = manifests.mounted_secrets(resources, manifests.workloads(resources)[name])
            for file, text in files:
                if "_url" in file:
                    found = re.search(r"@([a-z]+):(\d+)", text)
                    assert found is not None, file
                    (port,) = services[found[1]]["spec"]["ports"]
                    self.assertEqual(port["port"], int(found[2]), file)

    def test_stores_elsewhere_are_named_by_the_secrets_alone(self) -> None:
        tree = manifests.copy()
        servers = {"nats": "n1.example:4222,n2.example:4333", "redis": "r.example:6380"}
        servers["postgres"] = "[fd00::1]:5433"
        options = [word for key, value in servers.items() for word in (f"--{key}", value)]
        manifests.make_secrets(tree, *options)
        resources = manifests.render_directory(tree / "overlays/external")
        workloads = manifests.workloads(resources)
        edge = dict(manifests.mounted_secrets(resources, workloads["edge"]))
        self.assertRegex(
            edge["/secrets/nats_url"],
            r"^nats://edge:(\w+)@n1\.example:4222,nats://edge:\1@n2\.example:4333$",
        )
        self.assertRegex(edge["/secrets/redis_url"], r"^redis://edge:\w+@r\.example:6380/0$")
        persist = dict(manifests.mounted_secrets(resources, workloads["persist"]))
        for name in ("postgres_url", "postgres_owner_url"):
            self.assertRegex(
                persist[f"/secrets/{name}"],
                r"^postgresql://martlet_\w+:\w+@\[fd00::1\]:5433/martlet$",
            )
        other = [r for r in resources if r["kind"] != "Secret"]
        self.assertNotIn("example", yaml.safe_dump(other))
        with_hashes = [r for r in manifests.render("external") if r["kind"] != "Secret"]
        without = re.compile(r"-[a-z0-9]{10}\b")
        self.assertEqual(
            without.sub("", yaml.safe_dump(other)), without.sub("", yaml.safe_dump(with_hashes))
        )

    def test_stores_elsewhere_may_speak_tls(self) -> None:
        tree = manifests.copy()
        manifests.make_secrets(tree, "--tls", "--nats", "n1:4222,n2:4222")
        directory = tree / "overlays/ours"
        directory.mkdir()
        (directory / "kustomization.yaml").write_text(
            "resources: [../external]\ncomponents: [../../components/tls-to-stores]\n"
        )
        resources = manifests.render_directory(directory)
        urls = {"NATS": r"tls://\S+@n1:4222,tls://\S+@n2:4222", "REDIS": r"rediss://\S+/0"}
        urls["POSTGRES"] = r"postgresql://\S+/martlet\?sslmode=verify-full&sslrootcert=/ca/ca\.crt"
        for name, workload in manifests.workloads(resources).items():
            variables = manifests.environment(workload)
            (mount,) = (m for m in manifests.container(workload)["volumeMounts"] if m["name"] == "stores-ca")
            (volume,) = (v for v in manifests.pod(workload)["volumes"] if v["name"] == mount["name"])
            self.assertEqual(volume["configMap"]["name"], "stores-ca")
            files = dict(manifests.mounted_secrets(resources, workload))
            for store, url in urls.items():
                file = variables.get(f"MARTLET_{store}_URL_FILE")
                with self.subTest(name=name, store=store):
                    if file is not None:
                        self.assertRegex(files[file], f"^{url}$")
                    if store != "POSTGRES":
                        trusted = f"{mount['mountPath']}/ca.crt" if file else None
                        self.assertEqual(variables.get(f"MARTLET_{store}_TLS_CA"), trusted)

    def test_secrets_are_made_once_and_belong_to_one_tree(self) -> None:
        tree = manifests.copy()
        manifests.make_secrets(tree)

        def files() -> dict[str, str]:
            paths = [p for p in tree.rglob("*") if p.is_file() and "secrets/" in str(p)]
            return {str(p.relative_to(tree)): p.read_text() for p in paths}

        first = files()
        self.assertGreater(len(first), len(OURS) + len(STORES))
        for path in [*tree.glob("*/secrets/**/*"), *(tree / "private").rglob("*")]:
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        manifests.make_secrets(tree)
        self.assertEqual(files(), first)
        self.assertEqual(list(tree.glob(".secrets.*")), [])
        other = {str(p.relative_to(tree)): p for p in (tree / "base/secrets").rglob("*_url")}
        for name in other:
            self.assertNotEqual((manifests.made() / name).read_text(), first[name], name)
        ignored = manifests.run("git", "-C", ROOT, "check-ignore", *(f"deploy/k8s/{n}" for n in first))
        self.assertEqual(len(ignored.stdout.splitlines()), len(first), ignored.stderr)

    def test_an_address_that_is_none_is_refused(self) -> None:
        tree = manifests.copy()
        for option, value in (
            ("nats", "n1"),
            ("nats", "a:1,"),
            ("nats", "a:1 b:1"),
            ("redis", "a:1/0"),
            ("postgres", "u@a:1"),
            ("given", "x/y"),
        ):
            done = manifests.run("bash", tree / "make-secrets.sh", f"--{option}", value)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertFalse((tree / "private").exists())


if __name__ == "__main__":
    sys.exit(unittest.main())
