"""Who the hostile clients of ./dev bench hostile are: their accounts, sessions and groups."""

from __future__ import annotations

import itertools
from typing import Any

import hostile
import swarm
from groups import GroupDevice
from martlet_bench import world
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.process import wait_until

FLOODERS = [f"flood{number}" for number in range(3)]
DEAF_DEVICES = [f"d{number}" for number in range(10)]
HERD = [f"herd{number:02}" for number in range(100)]
HERD_DEVICES = [f"d{number}" for number in range(20)]
JOINER_DEVICES = [f"d{number}" for number in range(9)]
GROUPS = [f"many{number:04}" for number in range(1000)]
LARGE = "large"
LARGE_GROUP = 5000
INVITED_AT_ONCE = 100
# So many logins come from each without being refused.
SOURCES = [f"127.0.0.{number}" for number in range(40, 60)]
PATIENCE_S = 120.0
# Which of them each kind needs; all others need the first two.
NEEDS = {"many_groups": "groups", "large_group": "large", "storm": "herd", "half_open": "herd"}


class Villains:
    def __init__(self, cluster: Cluster, kinds: list[str]) -> None:
        self._cluster = cluster
        self._address = cluster.edges[0].listen
        self._honest = self._sessions()
        needs = {NEEDS.get(kind) for kind in kinds}
        people = [*FLOODERS, "feeder", "deaf", "leader", "joiner", *HERD]
        swarm.add_accounts(cluster, people)
        devices = [(user, "d") for user in [*FLOODERS, "feeder", "leader"]]
        devices += [("deaf", device) for device in DEAF_DEVICES]
        devices += [("joiner", device) for device in JOINER_DEVICES]
        if needs & {"herd", "large"}:
            devices += list(itertools.product(HERD, HERD_DEVICES))
        self._tokens = self._log_in(devices)
        if "groups" in needs:
            self._make_groups()
        if "large" in needs:
            self._make_large_group()
        self.wait_gone()

    def scene(self, kind: str) -> dict[str, Any]:
        """What attacker.py is told."""
        return {
            "address": self._address,
            "tokens": self._tokens,
            "sources": SOURCES,
            "groups": GROUPS if kind == "many_groups" else [],
        }

    def wait_gone(self) -> None:
        """The edge has forgotten their connections."""
        if not wait_until(lambda: self._sessions() <= self._honest, PATIENCE_S, step_s=0.1):
            raise ClusterError("the hostile clients' sessions do not end")

    def _sessions(self) -> float:
        return sum(edge.metrics().get("martlet_edge_sessions", 0) for edge in self._cluster.edges)

    def _log_in(self, devices: list[tuple[str, str]]) -> dict[str, str]:
        tokens: dict[str, str] = {}

        async def log_in_all() -> None:
            for number, (user, device) in enumerate(devices):
                source = SOURCES[number % len(SOURCES)]
                tokens[f"{user}/{device}"] = await hostile.log_in(
                    self._address, user, device, swarm.PASSWORD, source
                )

        hostiles = hostile.Hostiles()
        try:
            hostiles.run(log_in_all(), PATIENCE_S)
        finally:
            hostiles.close()
        return tokens

    def _make_groups(self) -> None:
        owner = GroupDevice(self._address, "joiner", "maker", swarm.PASSWORD)
        for group in GROUPS:
            owner.create(group)
        owner.close()

    def _make_large_group(self) -> None:
        extras = world.names("member", LARGE_GROUP - len(HERD) - 1)
        world.add_accounts(self._cluster, extras)
        everybody = [*HERD, *extras]
        owner = GroupDevice(self._address, "leader", "maker", swarm.PASSWORD)
        owner.create(LARGE)
        for first in range(0, len(everybody), INVITED_AT_ONCE):
            owner.invite(LARGE, *everybody[first : first + INVITED_AT_ONCE])
        owner.close()
