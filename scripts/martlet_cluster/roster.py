"""The members of a cluster by name and kind, and how they are remembered in its directory."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, TypeVar

from martlet_cluster import ports, state
from martlet_cluster.errors import ClusterError
from martlet_cluster.member import Member
from martlet_cluster.nats import Nats
from martlet_cluster.postgres import Postgres
from martlet_cluster.process import ProcessId, is_alive
from martlet_cluster.redis import Redis
from martlet_cluster.service import Api, Dispatcher, Edge, Persist, Service

# In the order of starting; stopping goes backwards.
SERVERS: tuple[type[Member], ...] = (Nats, Postgres, Redis)
SERVICES: tuple[type[Service], ...] = (Persist, Dispatcher, Edge, Api)
KINDS: dict[str, type[Member]] = {member.kind: member for member in (*SERVERS, *SERVICES)}

Overrides = dict[str, dict[str, Any]]
M = TypeVar("M", bound=Member)


class Roster:
    def __init__(self, directory: Path, overrides: Overrides, counts: dict[str, int]) -> None:
        self.directory = directory
        self.overrides = overrides
        self._members: dict[str, Member] = {}
        self._create_servers(counts.get("nats", 1))
        for service in SERVICES:
            for number in range(1, counts.get(service.kind, 0) + 1):
                self.create(service.kind, f"{service.kind}-{number}")

    def _create_servers(self, nats_servers: int) -> None:
        for server in SERVERS:
            if server is not Nats or nats_servers == 1:
                self.create(server.kind, server.kind)
                continue
            for number in range(1, nats_servers + 1):
                self.create(server.kind, f"{server.kind}-{number}")
            for nats in self.nats_servers:
                nats.peers = self.nats_servers

    def create(self, kind: str, name: str) -> Member:
        if kind not in KINDS:
            raise ClusterError(f"no kind {kind}; there are {', '.join(KINDS)}")
        member = KINDS[kind](name, self.directory)
        member.ports = {port: ports.free_port() for port in member.port_names}
        member.secret = secrets.token_hex(16) if kind in ("nats", "postgres", "redis") else ""
        self._members[name] = member
        return member

    def restore(self, saved: dict[str, Any], *, all_members: bool) -> None:
        """Takes over ports, passwords and processes; of members not in the roster, the running ones
        or all of them."""
        for name, value in saved["members"].items():
            running = value["process"] and is_alive(ProcessId.from_json(value["process"]))
            if name not in self._members and (all_members or running):
                self.create(value["kind"], name)
            if name in self._members:
                self._members[name].restore(value)

    def save(self) -> None:
        members = {name: member.to_json() for name, member in self._members.items()}
        state.write(self.directory, {"overrides": self.overrides, "members": members})

    def forget(self, name: str) -> None:
        del self._members[name]
        self.overrides.pop(name, None)

    def free_name(self, kind: str) -> str:
        number = 1
        while f"{kind}-{number}" in self._members:
            number += 1
        return f"{kind}-{number}"

    def member(self, name: str) -> Member:
        try:
            return self._members[name]
        except KeyError:
            names = ", ".join(self._members)
            raise ClusterError(f"no member {name}; there are {names}") from None

    def service(self, name: str) -> Service:
        member = self.member(name)
        if not isinstance(member, Service):
            raise ClusterError(f"{name} is not one of our services")
        return member

    def _all(self, kind: type[M]) -> list[M]:
        return [member for member in self._members.values() if isinstance(member, kind)]

    @property
    def members(self) -> list[Member]:
        return list(self._members.values())

    @property
    def servers(self) -> list[Nats | Postgres | Redis]:
        return [*self.nats_servers, self.postgres, self.redis]

    @property
    def services(self) -> list[Service]:
        order = [service.kind for service in SERVICES]
        return sorted(self._all(Service), key=lambda service: order.index(service.kind))

    @property
    def edges(self) -> list[Edge]:
        return self._all(Edge)

    @property
    def dispatchers(self) -> list[Dispatcher]:
        return self._all(Dispatcher)

    @property
    def persists(self) -> list[Persist]:
        return self._all(Persist)

    @property
    def apis(self) -> list[Api]:
        return self._all(Api)

    @property
    def nats(self) -> Nats:
        """The only one, or the first of several."""
        return self.nats_servers[0]

    @property
    def nats_servers(self) -> list[Nats]:
        return self._all(Nats)

    @property
    def nats_url(self) -> str:
        return ",".join(nats.url for nats in self.nats_servers)

    @property
    def postgres(self) -> Postgres:
        return self._all(Postgres)[0]

    @property
    def redis(self) -> Redis:
        return self._all(Redis)[0]
