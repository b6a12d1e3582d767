"""Connections that can be cut, slowed and delayed: some services reach their servers, and a third of
the clients their edge, through proxies of the harness."""

from __future__ import annotations

from collections.abc import Sequence

from martlet_cluster import Cluster
from martlet_cluster.nats import Nats
from martlet_cluster.postgres import Postgres
from martlet_cluster.proxy import Proxy
from martlet_cluster.redis import Redis

CLIENTS = "clients>edge-2"
CLIENT_EDGE = "edge-2"
# Who reaches what through proxies, and by which key it is told so.
SERVICE_LINKS = {
    "edge-1>nats": ("edge-1", "nats.url", "nats"),
    "edge-1>redis": ("edge-1", "redis.url", "redis"),
    "dispatcher-1>nats": ("dispatcher-1", "nats.url", "nats"),
    "persist-1>nats": ("persist-1", "nats.url", "nats"),
    "persist-1>postgres": ("persist-1", "postgres.url", "postgres"),
}


class Link:
    """A proxy for each address that the other end has."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.proxies = [Proxy(address) for address in addresses]

    def cut(self) -> None:
        for proxy in self.proxies:
            proxy.cut()

    def slow(self, bytes_per_s: float) -> None:
        for proxy in self.proxies:
            proxy.slow(bytes_per_s)

    def delay(self, seconds: float) -> None:
        for proxy in self.proxies:
            proxy.delay(seconds)

    def heal(self) -> None:
        for proxy in self.proxies:
            proxy.heal()

    def close(self) -> None:
        for proxy in self.proxies:
            proxy.close()


class Links:
    """By name: service, arrow, server."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}

    def place(self, cluster: Cluster) -> None:
        """Between starting the servers and starting the services."""
        for name, (service, key, kind) in SERVICE_LINKS.items():
            servers = [member for member in cluster.servers if member.kind == kind]
            link = self._links[name] = Link([server.address for server in servers])
            role = cluster.service(service).kind
            cluster.override(service, key, _url_through(link, servers, role))
        self._links[CLIENTS] = Link([cluster.service(CLIENT_EDGE).address])

    def client_addresses(self, cluster: Cluster) -> list[str]:
        """Where clients connect."""
        [proxy] = self._links[CLIENTS].proxies
        return [proxy.address if e.name == CLIENT_EDGE else e.listen for e in cluster.edges]

    @property
    def names(self) -> list[str]:
        return list(self._links)

    def __getitem__(self, name: str) -> Link:
        return self._links[name]

    def close(self) -> None:
        for link in self._links.values():
            link.close()


def _url_through(link: Link, servers: Sequence[Nats | Postgres | Redis], role: str) -> str:
    urls = []
    for server, proxy in zip(servers, link.proxies, strict=True):
        urls.append(server.url_for(role).replace(server.address, proxy.address))
    return ",".join(urls)
