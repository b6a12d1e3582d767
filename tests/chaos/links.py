"""Connections that can be cut, slowed and delayed: some services reach their servers, and a third of
the clients their edge, through a proxy of the harness."""

from __future__ import annotations

from martlet_cluster import Cluster
from martlet_cluster.proxy import Proxy

CLIENTS = "clients>edge-2"
CLIENT_EDGE = "edge-2"
# Who reaches what through a proxy, and by which key it is told so.
SERVICE_LINKS = {
    "edge-1>nats": ("edge-1", "nats.url", "nats"),
    "edge-1>redis": ("edge-1", "redis.url", "redis"),
    "dispatcher-1>nats": ("dispatcher-1", "nats.url", "nats"),
    "persist-1>nats": ("persist-1", "nats.url", "nats"),
    "persist-1>postgres": ("persist-1", "postgres.url", "postgres"),
}


class Links:
    """By name: service, arrow, server."""

    def __init__(self) -> None:
        self._proxies: dict[str, Proxy] = {}

    def place(self, cluster: Cluster) -> None:
        """Between starting the servers and starting the services."""
        servers = {"nats": cluster.nats, "redis": cluster.redis, "postgres": cluster.postgres}
        for name, (service, key, server) in SERVICE_LINKS.items():
            target = servers[server]
            proxy = self._proxies[name] = Proxy(target.address)
            cluster.override(service, key, target.url.replace(target.address, proxy.address))
        self._proxies[CLIENTS] = Proxy(cluster.service(CLIENT_EDGE).address)

    def client_addresses(self, cluster: Cluster) -> list[str]:
        """Where clients connect."""
        proxied = self._proxies[CLIENTS].address
        return [proxied if e.name == CLIENT_EDGE else e.listen for e in cluster.edges]

    @property
    def names(self) -> list[str]:
        return list(self._proxies)

    def __getitem__(self, name: str) -> Proxy:
        return self._proxies[name]

    def close(self) -> None:
        for proxy in self._proxies.values():
            proxy.close()
