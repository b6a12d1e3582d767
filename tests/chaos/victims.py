"""What can be done to one process, whether it is a member of the cluster or a process of clients."""

from __future__ import annotations

import signal

from chaos.population import Clients
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.member import Member
from martlet_cluster.process import ProcessId, children_of, final_exit_code, send_signal

START_TRIES = 3
HEALTHY_S = 60.0


class Victims:
    """The names of all, and every act. Any thread; one act at a time on a victim."""

    def __init__(self, cluster: Cluster, clients: Clients, client_names: list[str]) -> None:
        self._cluster = cluster
        self._clients = clients
        self._client_names = client_names
        self._paused: dict[str, list[ProcessId]] = {}
        self.deaths: list[str] = []  # services that ended as none may
        # At their start, and had to be started again, or at their stop.
        self.gave_up: list[str] = []

    def of_kind(self, kind: str) -> list[str]:
        if kind == "client":
            return self._client_names
        return [member.name for member in self._cluster.members if member.kind == kind]

    def kind_of(self, name: str) -> str:
        return "client" if name in self._client_names else self._cluster.member(name).kind

    @property
    def members(self) -> list[str]:
        """In the order of a rolling restart: services, then servers."""
        cluster = self._cluster
        return [m.name for m in [*cluster.services, *cluster.servers]]

    def is_alive(self, name: str) -> bool:
        return name in self._client_names or self._cluster.member(name).alive

    def kill(self, name: str) -> None:
        if name in self._client_names:
            self._clients.kill(name)
        else:
            self._cluster.kill(name)

    def stop(self, name: str) -> None:
        """By SIGTERM, or as the server wants to be asked; clients say goodbye."""
        if name in self._client_names:
            return self._clients.stop(name)
        member = self._cluster.member(name)
        process = member.process
        self._cluster.stop_member(name)
        code = final_exit_code(process) if process else 0
        if not code or member not in self._cluster.services:
            return
        # A stop that takes too long, while a server stands still, ends with 1, or is ended.
        known = self.gave_up if code in (1, -signal.SIGKILL) else self.deaths
        known.append(f"{name} ended with {code} when it was stopped: {member.log_tail(1)}")

    def start(self, name: str) -> None:
        """And waits until it serves. One that gives up meanwhile, because a server that it needs
        is missing for too long, is started again, as whoever runs it would."""
        if name in self._client_names:
            return self._clients.start(name)
        for tried in range(1, START_TRIES + 1):
            self._cluster.start_member(name, wait=False)
            try:
                return self._cluster.wait_healthy(HEALTHY_S, [name])
            except ClusterError:
                member = self._cluster.member(name)
                if member.alive or tried == START_TRIES:
                    raise
                self.gave_up.append(f"{name} did not start: {member.log_tail(1)}")

    def pause(self, name: str) -> None:
        if name in self._client_names:
            return self._clients.pause(name)
        self._cluster.pause(name)
        self._paused[name] = _children(self._cluster.member(name))
        for child in self._paused[name]:
            send_signal(child, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        if name in self._client_names:
            return self._clients.resume(name)
        for child in self._paused.pop(name, []):
            send_signal(child, signal.SIGCONT)
        if self._cluster.member(name).alive:
            self._cluster.resume(name)


def _children(member: Member) -> list[ProcessId]:
    """PostgreSQL has a process a connection."""
    return children_of(member.process) if member.process else []
