"""A group of 5,000 members of whom 500 are online costs what one of those 500 alone does: nothing
grows with the members who are away."""

from __future__ import annotations

import json
import re
import unittest
from typing import Any, ClassVar

import swarm
from groups import GroupDevice
from meter import Cost, Meter
from raw_client import register
from support import ClusterTest, new_directory, wait_until

# With the owner and who comes later as many as there may be.
MEMBERS = [f"user{number:04}" for number in range(4_998)]
ONLINE = MEMBERS[:500]
INVITED_AT_ONCE = 100


class LargeGroup(ClusterTest):
    """Two groups with the same members online, one of them with ten times as many in all."""

    edges = 3
    # Nobody repeats SYNC by itself while something is counted, and no message is larger because chance
    # chose it for the flight recorder.
    overrides: ClassVar = {"edge": {"edge.tail_check_s": 300, "edge.trace_permille": 0}}
    owner: ClassVar[GroupDevice]
    crowd: ClassVar[swarm.Swarm]
    meter: ClassVar[Meter]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        addresses = [edge.listen for edge in cls.cluster.edges]
        swarm.add_accounts(cls.cluster, MEMBERS)
        register(addresses[0], "owner", "newcomer")
        cls.owner = GroupDevice(addresses[0], "owner", "d1")
        cls.addClassCleanup(cls.owner.close)
        cls.make_group("small", ONLINE)
        cls.make_group("large", MEMBERS)
        cls.meter = Meter(cls.cluster)
        cls.addClassCleanup(cls.meter.close)
        cls.crowd = swarm.Swarm(
            new_directory("crowd"),
            members=swarm.members(ONLINE, addresses),
            pairs=[],
            register=False,
        )
        cls.addClassCleanup(cls.crowd.close)
        cls.crowd.wait("ready", 120)
        wait_until(cls.all_synced_twice, 60, "the second SYNC of all")

    @classmethod
    def make_group(cls, group: str, members: list[str]) -> None:
        cls.owner.create(group, join="Anyone")
        for first in range(0, len(members), INVITED_AT_ONCE):
            cls.owner.invite(group, *members[first : first + INVITED_AT_ONCE])

    @classmethod
    def all_synced_twice(cls) -> bool:
        """What a device does by itself after its login."""
        asked = [m for m in cls.meter.seen() if m.subject == "im.rpc.read"]
        return len(asked) >= 2 * len(ONLINE)

    def shown_to_all(self, act: str, group: str, user: str | None = None) -> None:
        """Does it, and waits until everybody online has seen it."""
        before = self.crowd.tick()["received"]
        if act == "say":
            self.owner.say(group, "to all")
        elif act == "remove":
            self.owner.remove(group, user or "")
        else:
            self.newcomer.join(group)
        wait_until(
            lambda: self.crowd.tick()["received"] >= before + len(ONLINE), what="all have seen it"
        )

    def cost(self, act: str, group: str, **more: str) -> Cost:
        cost = self.meter.measure(
            lambda: self.shown_to_all(act, group, **more), lambda rows: bool(rows)
        )
        print(f"{act} in {group}: {cost}")
        return cost

    def setUp(self) -> None:
        self.newcomer = GroupDevice(self.cluster.edges[1].listen, "newcomer", "d1")
        self.addCleanup(self.newcomer.close)

    def test_costs_do_not_grow_with_those_who_are_away(self) -> None:
        for group in ("small", "large"):
            self.owner.say(group, "everything is warm")
        self.newcomer.sync()  # is answered when that is stored
        for act in (self.message, self.joining, self.catching_up, self.removal):
            with self.subTest(act.__name__):
                small, large = act("small"), act("large")
                self.assertEqual(small.messages, large.messages)
                self.assertEqual(small.rows, large.rows)
                self.assertEqual(small.bytes, large.bytes)

    def message(self, group: str) -> Cost:
        cost = self.cost("say", group)
        self.assertEqual(cost.messages, {"im.in": 1, "im.log": 1, "im.e": 1, "im.g": 1})
        self.assertEqual(cost.rows, {"messages": 1, "conversations": 1, "shards": 1})
        return cost

    def joining(self, group: str) -> Cost:
        return self.cost("join", group)

    def catching_up(self, group: str) -> Cost:
        """One SYNC of a device that has missed something in this group alone, and what it is told."""
        _, token, _ = self.newcomer.sync()
        self.owner.say(group, "meanwhile")
        self.newcomer.sync(token)  # is answered when that is stored
        states: list[Any] = []
        requests = 0

        def sync() -> None:
            nonlocal states, requests
            states, _, requests = self.newcomer.sync(token)

        cost = self.meter.measure(sync, lambda rows: True)
        self.assertEqual([state["conversation"] for state in states], [f"g:{group}"])
        self.assertEqual(requests, 1)
        size = len(re.sub("[0-9]+", "0", json.dumps(states)))  # seqs have more or fewer digits
        print(f"SYNC of {group}: {cost}, {size} bytes of JSON")
        return Cost(cost.messages, size, cost.rows)

    def removal(self, group: str) -> Cost:
        return self.cost("remove", group, user=ONLINE[-1])


if __name__ == "__main__":
    unittest.main()
