"""A cluster is upgraded member by member, and rolled back, under traffic of clients of both versions: each version's
services stand beside the other's, and nothing is lost, doubled or out of order."""

from __future__ import annotations

import os
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import previous
import swarm
from support import longer, new_directory, wait_until
from traffic import TrafficTest

from martlet_cluster import Cluster
from martlet_cluster.tool import Tool

# Nothing is measured here, but a compiler runs if the version before is not built yet.
ALONE = True
TIMEOUT_S = 3_000

ORDER = ("persist", "dispatcher", "edge", "api")
ELDERS = [f"elder{number:02}" for number in range(20)]
MESSAGES = 100  # of each swarm, after each member that was exchanged
PASSWORD = "correct horse"


class Upgrade(TrafficTest):
    """The traffic's clients are of this version, the elders of the one before."""

    edges = dispatchers = persists = apis = 2
    rate = 150
    least_rate = 20
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        **TrafficTest.overrides,
        "edge": {"edge.rebalance_s": 1},
    }
    before: ClassVar[Path]

    @classmethod
    def make_cluster(cls, directory: Path) -> Cluster:
        cls.before = previous.built()
        cluster = super().make_cluster(directory)
        for service in cluster.services:
            service.build = cls.before
        return cluster

    def setUp(self) -> None:
        super().setUp()
        swarm.add_accounts(self.cluster, ELDERS)
        self.elders = swarm.Swarm(
            new_directory("elders"),
            build=self.before,
            members=swarm.members(ELDERS, [edge.listen for edge in self.cluster.edges]),
            pairs=swarm.ring(ELDERS, 2),
            register=False,
            rate=self.rate,
            stored_percent=5,
            seed=self.seed,
        )
        self.addCleanup(self.elders.close)
        self.elders.wait("ready", 60)
        self.elders.ask("start", "sending")

    def wait_for_elders(self) -> None:
        begin = self.elders.tick()

        def grown() -> bool:
            now = self.elders.tick()
            return bool(
                now["acked"] - begin["acked"] >= MESSAGES
                and now["received"] - begin["received"] >= 2 * MESSAGES
            )

        wait_until(grown, 60, "messages of the clients of the version before")

    def wait_shared(self) -> None:
        """Every member has part in the work, so that both versions meet."""
        shares = {"edge": "edge_sessions", "dispatcher": "dispatcher_shards_serving"}
        shares["persist"] = "persist_shards_followed"

        def is_shared() -> bool:
            return all(
                service.metrics()[f"martlet_{shares[service.kind]}"] > 0
                for service in self.cluster.services
                if service.kind in shares
            )

        wait_until(is_shared, 60, "every member to have part in the work")

    def exchange(self, kinds: Iterable[str], build: Path | None) -> None:
        """One member after the other is stopped and started as the other version."""
        for kind in kinds:
            for service in [each for each in self.cluster.services if each.kind == kind]:
                self.cluster.stop_member(service.name)
                service.build = build
                self.cluster.start_member(service.name)
                assert service.process is not None
                self.assertEqual(
                    Path(os.readlink(f"/proc/{service.process.pid}/exe")), service.program.resolve()
                )
                self.wait_shared()
                self.wait_for_more(MESSAGES, 60)
                self.wait_for_elders()

    def test_member_by_member_there_and_back_and_there_the_other_way(self) -> None:
        self.wait_shared()
        self.talk("kim", "lea")  # a newer client than any server
        self.exchange(ORDER, None)
        self.exchange(ORDER[::-1], self.before)
        self.exchange(ORDER[::-1], None)
        self.elders.drain(longer(60))
        self.assertEqual(swarm.problems_of(self.elders, self.cluster), [], "the version before")
        self.check_account()
        self.talk("max", "nia")

    def talk(self, old: str, new: str) -> None:
        """The command line clients of both versions, both ways."""
        home = new_directory("homes")
        password = home / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        servers = [edge.listen for edge in self.cluster.edges]
        tools = {old: Tool(servers, home / old, build=self.before), new: Tool(servers, home / new)}
        for user, tool in tools.items():
            done = tool.run("register", user, "--password-file", str(password))
            self.assertEqual(done.code, 0, done.errors)
        for sender, reader in ((old, new), (new, old)):
            done = tools[sender].run("send", reader, f"from {sender}")
            self.assertEqual(done.code, 0, done.errors)
            heard = tools[reader].run("history", sender)
            self.assertIn(f"from {sender}", "\n".join(heard.lines), heard.errors)


if __name__ == "__main__":
    unittest.main()
