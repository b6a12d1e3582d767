"""Twenty write to one group through three edges while others come and go, while services and the broker
are killed, and through an edge that loses a part of what it should hear. Every device holds exactly
the messages of its user's memberships, in their order."""

from __future__ import annotations

import random
import unittest
from collections.abc import Sequence
from typing import Any, ClassVar

import account
import group_swarm
import shard_logs
import swarm
from losses import Loss
from support import LinkedClusterTest, chosen_seed, longer, new_directory, wait_until

RATE = 100
KILLS = 5
CROWD = 200
CROWD_RATE = 20
EVENTS = ("im.g.", "im.u.")
LOST_PART = 0.2


class GroupLoad(LinkedClusterTest):
    edges = 3
    apis = 0
    linked = "edge-2"
    # What is in the logs stays there for the whole file, so that it can be read from its start.
    # All of a crowd may log in at once: who has to wait goes to the next edge.
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "persist": {"persist.keep_s": int(longer(600)), "persist.hash_queue": 2 * CROWD}
    }
    logs: ClassVar[shard_logs.ShardLogs]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.seed = chosen_seed()
        cls.logs = shard_logs.ShardLogs(cls.cluster.nats)

    def start_swarm(
        self, group: str, members: list[dict[str, str]], inside: Sequence[str]
    ) -> swarm.Swarm:
        """Those inside are in the group from the beginning, and the first of them owns it."""
        swarm.add_accounts(self.cluster, sorted({member["user"] for member in members}))
        started = swarm.Swarm(
            new_directory(group),
            members=members,
            groups=[{"group": group, "members": inside, "open": True}],
            register=False,
            rate=RATE,
            seed=self.seed,
        )
        self.addCleanup(started.close)
        started.wait("ready")
        return started

    def start_team(self, group: str, count: int, goers: list[str]) -> swarm.Swarm:
        """Writers who stay and others who go, two devices each, on all edges."""
        writers = [f"{group}{number}" for number in range(count)]
        edges = [edge.listen for edge in self.cluster.edges]
        members = swarm.members([*writers, *goers], edges, ["d1", "d2"])
        return self.start_swarm(group, members, writers)

    def check(self, members: swarm.Swarm) -> None:
        print(self._testMethodName, members.drain())
        self.assertEqual(self.logs.check(), [], "the logs")
        self.assertEqual(group_swarm.check(members, self.cluster), [])

    def test_members_come_and_go_while_twenty_write(self) -> None:
        goers = [f"goer{number}" for number in range(8)]
        members = self.start_team("team", 20, goers)
        comings = group_swarm.Comings(members, "team", "team0", goers, self.seed)
        members.ask("start", "sending")
        for _ in range(4):
            comings.act_until_sent(int(longer(150)))
            members.say("reconnect")  # all devices at once
        self.check(members)
        spans = account.spans_of(account.read_journals(members.journals))
        stays = [len(spans.get(("g:team", goer), [])) for goer in goers]
        self.assertGreater(max(stays), 1, f"somebody came back: {stays}")

    def test_an_edge_loses_a_fifth_of_what_it_should_hear(self) -> None:
        goers = [f"guest{number}" for number in range(8)]
        members = self.start_team("party", 6, goers)
        comings = group_swarm.Comings(members, "party", "party0", goers, self.seed)
        chance = random.Random(self.seed)
        loss = Loss(lambda subject, _: subject.startswith(EVENTS) and chance.random() < LOST_PART)
        self.link.change = loss
        self.addCleanup(self.link.heal)
        members.ask("start", "sending")
        comings.act_until_sent(300)

        def has_lost_each_kind() -> bool:
            comings.act_until_sent(20)
            return {subject.rpartition(".")[0] + "." for subject in loss.taken} == set(EVENTS)

        # Changes are few beside messages, the fewer the slower the services are.
        wait_until(has_lost_each_kind, what="a loss of each kind")
        members.say("group party0 d1 disband party")
        self.check(members)
        spans = account.spans_of(account.read_journals(members.journals))
        self.assertEqual({span[-1][1] is None for span in spans.values()}, {False}, "disbanded")

    def test_persist_and_the_broker_are_killed_and_dispatchers_restart(self) -> None:
        goers = [f"roamer{number}" for number in range(8)]
        members = self.start_team("tribe", 6, goers)
        comings = group_swarm.Comings(members, "tribe", "tribe0", goers, self.seed)
        members.ask("start", "sending")
        for name in ("persist-1", "nats"):
            comings.act_until_sent(60)
            self.cluster.kill(name)
            for _ in range(5):
                comings.act()
            self.cluster.start_member(name)
        for dispatcher in self.cluster.dispatchers:
            comings.act_until_sent(60)
            self.cluster.restart(dispatcher.name)
        comings.act_until_sent(60)
        self.check(members)

    def test_the_dispatcher_is_killed_between_a_change_and_the_next_message(self) -> None:
        members = self.start_team("crew", 5, ["gone", "here"])
        for turn in range(KILLS):
            owner = self.serving("crew")
            done = members.tick()["changes"]
            action = "invite" if turn % 2 == 0 else "remove"
            members.say(f"group crew0 d1 {action} crew gone")
            wait_until(lambda: members.tick()["changes"] == done + 1, what="the change's answer")
            self.cluster.kill(owner)
            for writer in range(5):
                members.say(f"send crew{writer} d1 g:crew the first words after change {turn}")
            members.say("group here d2 join crew")
            members.say("send here d2 g:crew may I?")
            self.cluster.start_member(owner, wait=False)
            wait_until(lambda: members.tick()["unanswered"] == 0, what="all answers")
            members.say("group here d1 leave crew")
        self.check(members)
        spans = account.spans_of(account.read_journals(members.journals))
        self.assertEqual(len(spans["g:crew", "gone"]), 3)

    def serving(self, group: str) -> str:
        """The dispatcher of the group's shard, when both are well."""
        for dispatcher in self.cluster.dispatchers:
            wait_until(dispatcher.is_ready, what=f"{dispatcher.name} to be ready")
        return group_swarm.owner_of(self.cluster, group)

    def test_an_edge_with_two_hundred_members_is_killed_then_one_and_the_dispatcher(self) -> None:
        first, second, third = (edge.listen for edge in self.cluster.edges)
        crowd = [f"one{number:03}" for number in range(CROWD)]
        writers = [f"crowd{number}" for number in range(10)]
        members = self.start_swarm(
            "crowd",
            swarm.members(writers, [third])
            + [{"user": u, "device": "d1", "servers": f"{first},{second}"} for u in crowd],
            [*writers, *crowd],
        )
        comings = group_swarm.Comings(members, "crowd", "crowd0", crowd[:4], self.seed)
        members.ask(f"start {CROWD_RATE}", "sending")
        comings.act_until_sent(40)
        self.assertGreaterEqual(self.sessions("edge-1"), CROWD)
        self.cluster.kill("edge-1")
        comings.act_until_sent(40)
        wait_until(lambda: self.sessions("edge-2") >= CROWD, what="the crowd on another edge")
        self.cluster.start_member("edge-1")
        self.cluster.kill("edge-2")
        owner = group_swarm.owner_of(self.cluster, "crowd")
        self.cluster.kill(owner)
        comings.act_until_sent(40)
        self.cluster.start_member("edge-2", wait=False)
        self.cluster.start_member(owner, wait=False)
        self.check(members)

    def sessions(self, edge: str) -> float:
        return self.cluster.service(edge).metrics()["martlet_edge_sessions"]


if __name__ == "__main__":
    unittest.main()
