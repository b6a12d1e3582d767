"""deploy/k8s and compose/compose.yaml run the same services in the same way. Where they are meant to differ, it
stands here with its reason; what stands nowhere fails. After a change of compose: make the same change in
deploy/k8s, or add it to the list that the message names."""

from __future__ import annotations

import re
import sys
import unittest
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from k8s import manifests  # noqa: E402
from k8s.manifests import Resource  # noqa: E402

COMPOSE = ROOT / "compose/compose.yaml"
CLUSTER = ROOT / "compose/cluster.yaml"
LIMITS = ROOT / "src/edge/limits.h"
PAGE = (ROOT / "docs/operations.md").read_text()
OVERLAY = "single"
OURS = ("edge", "dispatcher", "persist", "api")

# Services of compose that deploy/k8s does not have.
ONLY_COMPOSE = {
    "secrets": "make-secrets.sh runs the same script before anything is applied",
    "haproxy": "the Service of type LoadBalancer stands before the edges",
    "martlet": "a tool for people, who have it outside of the cluster",
    "prometheus": "a cluster has its own",
    "grafana": "a cluster has its own",
}

Value = str | None
_NAME = "the pod's name says which of several it is"
# (service, variable): value in compose, value in deploy/k8s (None: not set), reason.
VARIABLES: dict[tuple[str, str], tuple[Value, Value, str]] = {
    **{(name, "MARTLET_NAME"): (name, "metadata.name", _NAME) for name in OURS},
    ("edge", "MARTLET_EDGE_PROXY_FROM"): (
        "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
        None,
        "no haproxy before the edges: with externalTrafficPolicy: Local they see who connects",
    ),
    ("edge", "MARTLET_AUTH_PUBLIC_KEYS"): (
        "/secrets/public",
        "/keys/public",
        "a Secret of its own, so that a new key needs no new edge",
    ),
    ("edge", "MARTLET_EDGE_DRAIN_DELAY_MS"): (
        "2000",
        "3000",
        "every node of the cluster has to learn it, not one haproxy",
    ),
    ("persist", "MARTLET_AUTH_SIGNING_KEY"): (
        "/secrets/signing/k1.pem",
        "/secrets/k1.pem",
        "a Secret has no folders",
    ),
    ("persist", "MARTLET_POSTGRES_WAIT_S"): (
        None,
        "60",
        "compose starts PostgreSQL first, Kubernetes everything at once",
    ),
    ("api", "MARTLET_API_TOKENS"): (
        "/secrets/api_tokens",
        "/keys/tokens/api_tokens",
        "a Secret of its own, so that a new token needs no new api",
    ),
    ("api", "MARTLET_SCALE_MAX_EDGES"): (
        None,
        "10",
        "the most that the HorizontalPodAutoscaler makes",
    ),
    ("nats", "POD"): (None, "metadata.name", "the name of a server in a NATS cluster"),
    ("postgres", "PGDATA"): (
        None,
        "/var/lib/postgresql/data/pgdata",
        "a fresh volume may hold lost+found",
    ),
}

# Commands: compose, deploy/k8s, reason.
COMMANDS: dict[str, tuple[list[str], list[str], str]] = {
    "nats": (
        ["--config", "/secrets/nats.conf"],
        ["--config", "/secrets/nats.conf", "--name", "$(POD)"],
        "the name of a server in a NATS cluster",
    ),
}

# Probes of the stores: what compose has no health check for.
NO_CHECK_IN_COMPOSE = {"nats": "its image has no program that could ask"}


def expanded(text: str) -> str:
    """${NAME:-value} as compose reads it where NAME is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text).replace("$$", "$")


def compose_services(file: Path = COMPOSE) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(expanded(file.read_text()))["services"]
    return found


def compose_environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def milliseconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)s", text)
    assert found is not None, text
    return 1000 * int(found[1])


def default_ms(key: str) -> int:
    """Of a key of all services whose unit is in its name or in its row."""
    found = re.search(rf"^\| `{re.escape(key)}` \|[^|]*\|[^|]*\| `(\d+)` \|", PAGE, re.MULTILINE)
    assert found is not None, key
    return int(found[1]) * (1 if key.endswith("_ms") else 1000)


def share(part: str) -> int:
    """Of a stop, in hundredths, which the edge gives to a part of it."""
    (found,) = re.findall(rf"kStop{part}Share = (\d+);", LIMITS.read_text())
    return int(found)


class SameAsCompose(unittest.TestCase):
    def setUp(self) -> None:
        self.maxDiff = None
        self.compose = compose_services()
        self.resources = manifests.render(OVERLAY)
        self.workloads = manifests.workloads(self.resources)

    def workload(self, name: str) -> Resource:
        return self.workloads[name]

    def test_the_same_services(self) -> None:
        missing = set(self.compose) - set(self.workloads)
        self.assertEqual(missing, set(ONLY_COMPOSE), "see ONLY_COMPOSE")
        self.assertEqual(set(self.workloads) - set(self.compose), set())

    def test_the_same_images(self) -> None:
        for name, workload in self.workloads.items():
            image = manifests.container(workload)["image"]
            self.assertEqual(self.compose[name]["image"], image, name)

    def test_the_same_commands(self) -> None:
        used = set()
        for name, workload in self.workloads.items():
            container = manifests.container(workload)
            # Our image has no entry point; those of the stores have, and compose's command comes behind it.
            ours = container.get("command" if name in OURS else "args", [])
            theirs = self.compose[name].get("command", [])
            if name in COMMANDS:
                theirs_meant, ours_meant, _ = COMMANDS[name]
                self.assertEqual((theirs, ours), (theirs_meant, ours_meant), "see COMMANDS")
                used.add(name)
            else:
                self.assertEqual(theirs, ours, f"{name}: see COMMANDS")
        self.assertEqual(used, set(COMMANDS))

    def test_the_same_environment(self) -> None:
        differences = {}
        for name, workload in self.workloads.items():
            ours = manifests.environment(workload)
            theirs = compose_environment(self.compose[name])
            for variable in {*ours, *theirs}:
                if ours.get(variable) != theirs.get(variable):
                    differences[name, variable] = (theirs.get(variable), ours.get(variable))
        meant = {where: (theirs, ours) for where, (theirs, ours, _) in VARIABLES.items()}
        for where in {*differences, *meant}:
            service, variable = where
            with self.subTest(service=service, variable=variable):
                self.assertEqual(
                    differences.get(where, "they are equal"),
                    meant.get(where, "they should be equal"),
                    f"{service}: {variable} (compose, deploy/k8s) is not as VARIABLES has it",
                )

    def test_ports_are_those_that_the_services_listen_on(self) -> None:
        for name in OURS:
            workload = self.workload(name)
            variables, ports = manifests.environment(workload), manifests.ports(workload)
            self.assertEqual(variables["MARTLET_HTTP_LISTEN"], f"0.0.0.0:{ports['http']}")
            if name == "edge":
                self.assertEqual(variables["MARTLET_EDGE_LISTEN"], f"0.0.0.0:{ports['clients']}")
                # All edges have one address; a client that is told to go comes back to it.
                self.assertNotIn("MARTLET_EDGE_ADVERTISE", variables)

    def test_clients_and_people_find_the_same_ports(self) -> None:
        services = manifests.of_kind(self.resources, "Service")
        for theirs, ours in (("haproxy", "edge"), ("api", "api")):
            (published,) = self.compose[theirs]["ports"]
            inside = int(published.rpartition(":")[2])
            (port,) = services[ours]["spec"]["ports"]
            self.assertEqual(port["port"], inside, ours)
            self.assertEqual(manifests.ports(self.workload(ours))[port["targetPort"]], inside)
        self.assertEqual(services["edge"]["spec"]["type"], "LoadBalancer")

    def test_ready_means_the_same(self) -> None:
        script = (ROOT / "compose/ready.sh").read_text()
        (path,) = re.findall(r"'GET (\S+) HTTP", script)
        (port,) = re.findall(r"127\.0\.0\.1/\$\{1:-(\d+)\}", script)
        for name in OURS:
            self.assertEqual(self.compose[name]["healthcheck"]["test"], ["CMD", "ready.sh"])
            container = manifests.container(self.workload(name))
            get = container["readinessProbe"]["httpGet"]
            self.assertEqual(get["path"], path, name)
            self.assertEqual(manifests.ports(self.workload(name))[get["port"]], int(port), name)
            # Never /readyz: an outage of NATS would have every service restarted.
            for probe in ("startupProbe", "livenessProbe"):
                self.assertEqual(container[probe]["httpGet"]["path"], "/healthz", name)

    def test_the_stores_are_asked_the_same(self) -> None:
        for name in set(self.workloads) - set(OURS) - set(NO_CHECK_IN_COMPOSE):
            how, *words = self.compose[name]["healthcheck"]["test"]
            wanted = words if how == "CMD" else ["sh", "-c", *words]
            probe = manifests.container(self.workload(name))["readinessProbe"]
            self.assertEqual(probe["exec"]["command"], wanted, name)
        for name in NO_CHECK_IN_COMPOSE:
            self.assertNotIn("healthcheck", self.compose[name], name)
            self.assertIn("readinessProbe", manifests.container(self.workload(name)))

    def test_a_start_that_waits_for_servers_is_not_ended(self) -> None:
        """Nobody is answered before; then the start-up probe gives up, and the container is killed."""
        for name in OURS:
            workload = self.workload(name)
            variables = manifests.environment(workload)
            waits = 1000 * int(variables["MARTLET_NATS_WAIT_S"])
            if "MARTLET_POSTGRES_URL_FILE" in variables:
                waits += 1000 * int(variables["MARTLET_POSTGRES_WAIT_S"])
            probe = manifests.container(workload)["startupProbe"]
            self.assertGreater(1000 * probe["periodSeconds"] * probe["failureThreshold"], waits, name)

    def test_grace_is_longer_than_the_stop(self) -> None:
        for name in OURS:
            workload = self.workload(name)
            grace = 1000 * manifests.pod(workload)["terminationGracePeriodSeconds"]
            theirs = milliseconds(self.compose[name]["stop_grace_period"])
            self.assertGreaterEqual(grace, theirs, name)
            for whose, variables, time in (
                ("deploy/k8s", manifests.environment(workload), grace),
                ("compose", compose_environment(self.compose[name]), theirs),
            ):
                with self.subTest(name=name, whose=whose):
                    stop = variables.get("MARTLET_STOP_TIMEOUT_MS", default_ms("stop_timeout_ms"))
                    self.assertGreater(time, int(stop))

    def test_an_edge_has_time_to_send_its_clients_away(self) -> None:
        workload = self.workload("edge")
        variables = manifests.environment(workload)
        stop = int(variables["MARTLET_STOP_TIMEOUT_MS"])
        window = 1000 * int(variables["MARTLET_EDGE_DRAIN_WINDOW_S"])
        delay = int(variables["MARTLET_EDGE_DRAIN_DELAY_MS"])
        self.assertLessEqual(100 * window, share("Window") * stop)
        self.assertLessEqual(100 * delay, share("Delay") * stop)
        # What a hook takes is missing from the grace.
        self.assertNotIn("lifecycle", manifests.container(workload))

    def test_the_same_confinement(self) -> None:
        for name, workload in self.workloads.items():
            theirs, ours = self.compose[name], manifests.container(workload)["securityContext"]
            self.assertEqual(theirs["read_only"], ours["readOnlyRootFilesystem"], name)
            self.assertEqual(theirs["cap_drop"], ours["capabilities"]["drop"], name)
            confined = "no-new-privileges:true" in theirs["security_opt"]
            self.assertEqual(confined, not ours["allowPrivilegeEscalation"], name)

    def test_a_nats_cluster_changes_the_same(self) -> None:
        """What cluster.yaml adds to compose.yaml, overlays/cluster adds to overlays/single."""
        theirs = compose_services(CLUSTER)
        ours = manifests.workloads(manifests.render("cluster"))
        for name in OURS:
            added = manifests.environment(ours[name]).items()
            added -= manifests.environment(self.workload(name)).items()
            self.assertEqual(dict(added), compose_environment(theirs[name]), name)
        servers = [name for name in theirs if re.fullmatch(r"nats(-\d)?", name)]
        self.assertEqual(len(servers), ours["nats"]["spec"]["replicas"])
        arguments = manifests.container(ours["nats"])["args"]
        self.assertEqual(arguments[:2], theirs["nats"]["command"][:2])
        waiting = [text.strip() for text in theirs["nats-leader"]["command"][-1].splitlines()]
        own = manifests.pod(ours["nats"])["initContainers"][0]["command"][-1]
        self.assertIn(waiting[-1], own, "both wait in the same way")

    def test_every_difference_has_a_reason(self) -> None:
        reasons = [*ONLY_COMPOSE.values(), *NO_CHECK_IN_COMPOSE.values()]
        reasons += [entry[2] for entry in (*VARIABLES.values(), *COMMANDS.values())]
        self.assertEqual([reason for reason in reasons if len(reason) < 10], [])


if __name__ == "__main__":
    sys.exit(unittest.main())
