"""Twenty write to one group through three edges while others come and go, and while dispatchers and
edges are killed. Every device holds exactly the messages of its user's memberships, in their order."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar

import account
import group_swarm
import shard_logs
import swarm
from support import ClusterTest, chosen_seed, new_directory, wait_until

RATE = 100


class GroupLoad(ClusterTest):
    edges = 3
    apis = 0
    # What is in the logs stays there for the whole file, so that it can be read from its start.
    overrides: ClassVar[dict[str, dict[str, Any]]] = {"persist": {"persist.keep_s": 600}}
    logs: ClassVar[shard_logs.ShardLogs]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.seed = chosen_seed()
        cls.logs = shard_logs.ShardLogs(cls.cluster.nats)

    def start_swarm(self, name: str, writers: list[str], goers: list[str]) -> swarm.Swarm:
        """A group in which the writers are from the beginning; each of them has two devices."""
        users = [*writers, *goers]
        swarm.add_accounts(self.cluster, users)
        edges = [edge.listen for edge in self.cluster.edges]
        started = swarm.Swarm(
            new_directory(name),
            members=swarm.members(users, edges, ["d1", "d2"]),
            groups=[{"group": name, "members": writers, "open": True}],
            register=False,
            rate=RATE,
            seed=self.seed,
        )
        self.addCleanup(started.close)
        started.wait("ready")
        return started

    def check(self, members: swarm.Swarm) -> None:
        print(members.drain())
        self.assertEqual(self.logs.check(), [], "the logs")
        self.assertEqual(group_swarm.check(members, self.cluster), [])

    def test_members_come_and_go_while_twenty_write(self) -> None:
        writers = [f"writer{number:02}" for number in range(20)]
        goers = [f"goer{number}" for number in range(8)]
        members = self.start_swarm("team", writers, goers)
        comings = group_swarm.Comings(members, "team", writers[0], goers, self.seed)
        members.ask("start", "sending")
        comings.act_until_sent(600)
        self.check(members)
        spans = account.spans_of(account.read_journals(members.journals))
        stays = [len(spans.get(("g:team", goer), [])) for goer in goers]
        self.assertGreater(max(stays), 1, f"somebody came back: {stays}")


if __name__ == "__main__":
    unittest.main()
