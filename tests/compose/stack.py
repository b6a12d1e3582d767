"""The containers of one compose project, through the docker command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from support import longer

from martlet_cluster import psql

COMMAND_S = 300.0
UP_S = 180
UP = ("up", "--detach", "--no-build", "--pull", "never", "--wait")
HEALTHY_S = 120.0
LOOK_EVERY_S = 0.25  # a look starts processes, which take the containers' time


class StackError(Exception):
    """What docker said, or what a container did that it should not."""


def wait_until(predicate: Callable[[], bool], timeout_s: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + longer(timeout_s)
    while not predicate():
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


class Listen(NamedTuple):
    """Looks to a swarm like an edge of a private cluster."""

    listen: str


class Container(NamedTuple):
    id: str
    name: str
    service: str
    pid: int
    state: str
    health: str  # empty if it has no check
    exit_code: int
    restarts: int
    address: str
    is_once: bool  # ends when it has done its work

    @property
    def is_well(self) -> bool:
        if self.is_once:
            return self.state == "exited" and self.exit_code == 0
        return self.state == "running" and self.health in ("", "healthy")

    def __str__(self) -> str:
        return f"{self.name}: {self.state} {self.health}".rstrip()


def docker(*arguments: str, stdin: str = "", timeout_s: float = COMMAND_S) -> str:
    done = subprocess.run(
        ["docker", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    if done.returncode != 0:
        last = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-10:])
        raise StackError(f"docker {' '.join(arguments)}: {last}")
    return done.stdout


def container_in(found: dict[str, Any]) -> Container:
    """From an answer of docker inspect."""
    state, labels = found["State"], found["Config"]["Labels"]
    networks = found["NetworkSettings"]["Networks"].values()
    return Container(
        id=found["Id"],
        name=found["Name"].lstrip("/"),
        service=labels["com.docker.compose.service"],
        pid=state["Pid"],
        state=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        exit_code=state["ExitCode"],
        restarts=found["RestartCount"],
        address=next((network["IPAddress"] for network in networks), ""),
        is_once=found["HostConfig"]["RestartPolicy"]["Name"] in ("", "no"),
    )


@dataclass
class Stack:
    project: str
    files: list[Path]
    edge_port: int
    api_port: int
    edge_count: int = 0
    _services: set[str] = field(default_factory=set)
    _token: str = ""

    @property
    def listen(self) -> str:
        """Where clients connect: haproxy's port on the host."""
        return f"127.0.0.1:{self.edge_port}"

    @property
    def edges(self) -> list[Listen]:
        return [Listen(self.listen)]

    @property
    def named(self) -> list[str]:
        """How docker compose is told which it is."""
        return ["-p", self.project, *(part for file in self.files for part in ("-f", str(file)))]

    def compose(self, *arguments: str, stdin: str = "") -> str:
        return docker("compose", *self.named, *arguments, stdin=stdin)

    def services(self) -> set[str]:
        """Without those of a profile that nobody asked for."""
        if not self._services:
            self._services = set(self.compose("config", "--services").split())
        return self._services

    def up(self, edges: int) -> None:
        self.edge_count = edges
        scale = ["--wait-timeout", str(UP_S), "--scale", f"edge={edges}"]
        self.compose(*UP, "--no-recreate", *scale)

    def down(self, *, volumes: bool = False) -> None:
        self.compose("down", *(["--volumes"] if volumes else []))

    def containers(self, *services: str) -> list[Container]:
        """Sorted by name; of all services if none is named."""
        label = "label=com.docker.compose"
        ids = docker(
            "ps", "--all", "--quiet", "--filter", f"{label}.project={self.project}",
            "--filter", f"{label}.oneoff=False",
        ).split()  # fmt: skip
        if not ids:
            return []
        found = [container_in(each) for each in json.loads(docker("inspect", *ids))]
        chosen = [each for each in found if not services or each.service in services]
        return sorted(chosen, key=lambda container: container.name)

    def one(self, service: str) -> Container:
        return self.containers(service)[0]

    # Whether all is well.

    def trouble(self) -> str:
        """What is not as it should be, or nothing."""
        containers = self.containers()
        missing = self.services() - {container.service for container in containers}
        if missing:
            return f"no container of {', '.join(sorted(missing))}"
        ill = [str(container) for container in containers if not container.is_well]
        if ill:
            return ", ".join(ill)
        edges = sum(container.service == "edge" for container in containers)
        if edges != self.edge_count:
            return f"{edges} edges instead of {self.edge_count}"
        return self._trouble_at_ports()

    def _trouble_at_ports(self) -> str:
        """As somebody outside sees it."""
        try:
            url = f"http://127.0.0.1:{self.api_port}/v1/edges"
            headers = {"Authorization": f"Bearer {self._read_token()}"}
            request = urllib.request.Request(url, headers=headers)
            with urllib.request.urlopen(request, timeout=5) as answer:
                heard = json.load(answer)["edges"]
            with socket.create_connection(("127.0.0.1", self.edge_port), timeout=5):
                pass
        except (OSError, ValueError) as error:
            return f"the published ports: {error}"
        serving = sum(not edge["draining"] for edge in heard)
        if serving != self.edge_count or len(heard) != self.edge_count:
            return f"the api hears {len(heard)} edges, {serving} of them serve"
        return ""

    def _read_token(self) -> str:
        """The one of the administrator, which the first start made."""
        if not self._token:
            command = ["run", "--rm", "-T", "--entrypoint", "cat", "martlet"]
            self._token = self.compose(*command, "/secrets/api_token").strip()
        return self._token

    def wait_well(self, timeout_s: float = HEALTHY_S) -> None:
        trouble = "nobody looked"

        def is_well() -> bool:
            nonlocal trouble
            try:
                trouble = self.trouble()
            except StackError as error:  # a container went between two questions
                trouble = str(error)
            return not trouble

        if not wait_until(is_well, timeout_s):
            raise StackError(f"not healthy within {timeout_s:g} s: {trouble}")

    # What is done to them.

    def kill(self, victim: Container) -> None:
        """The process is killed as the kernel would do it, so that the restart policy acts."""
        if victim.pid <= 1:
            raise StackError(f"{victim} has no process")
        os.kill(victim.pid, signal.SIGKILL)

        def is_back() -> bool:
            found = [each for each in self.containers() if each.id == victim.id]
            return bool(found) and found[0].pid not in (0, victim.pid) and found[0].is_well

        if not wait_until(is_back, HEALTHY_S):
            raise StackError(f"{victim.name} was not started again, or is not healthy")

    def cut(self, victim: Container, peers: list[Container]) -> None:
        """No packet of these peers reaches the victim, and none of its packets goes to them."""
        for peer in peers:
            self._iptables(victim, "--insert", "INPUT", "--source", peer.address, "--jump", "DROP")
            self._iptables(
                victim, "--insert", "OUTPUT", "--destination", peer.address, "--jump", "DROP"
            )

    def mend(self, victim: Container) -> int:
        """How many packets were dropped meanwhile."""
        dropped = 0
        for chain in ("INPUT", "OUTPUT"):
            listed = self._iptables(victim, "--list", chain, "--verbose", "--exact", "--numeric")
            rules = [line.split() for line in listed.splitlines()]
            dropped += sum(int(rule[0]) for rule in rules if rule[2:3] == ["DROP"])
            self._iptables(victim, "--flush", chain)
        return dropped

    @staticmethod
    def _iptables(victim: Container, *arguments: str) -> str:
        inside = ["nsenter", "--target", str(victim.pid), "--net"]
        done = subprocess.run(
            [*inside, "iptables", "--wait", *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise StackError(f"iptables {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    # What is asked of them.

    def psql(self, sql: str) -> list[list[str]]:
        """Rows as text, as martlet_cluster has them."""
        command = ["psql", *psql.OPTIONS, "-U", "martlet", "-d", "martlet"]
        return psql.rows(self.compose("exec", "-T", "postgres", *command, stdin=sql))

    def tool(self, user: str, *arguments: str) -> str:
        """The command line client, as the README starts it."""
        home = ["--home", f"/homes/{user}"]
        return self.compose(
            "run", "--rm", "-T", "-e", "MARTLET_PASSWORD", "martlet", *home, *arguments
        )

    def describe(self) -> str:
        """For whoever reads why it failed."""
        lines = [str(container) for container in self.containers()]
        logs = self.compose("logs", "--no-color", "--tail", "40")
        return "\n".join([*lines, logs])
