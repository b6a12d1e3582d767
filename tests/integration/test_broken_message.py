"""The link between an edge and NATS breaks inside of a long answer. What comes on the next link is not
taken for the rest of it."""

from __future__ import annotations

import unittest

from groups import GroupDevice
from losses import Break
from raw_client import register
from support import LinkedClusterTest, wait_until
from wire_client import HISTORY

FAULTY = "edge-2"
MESSAGES = 60
WORDS = "x" * 3000
LONG = 100_000  # bytes; they come in several pieces


class BrokenMessage(LinkedClusterTest):
    linked = FAULTY
    apis = 0
    # All of the cluster speaks to the broker by it.
    client = "native"

    @classmethod
    def setUpClass(cls) -> None:
        services = ("edge", "dispatcher", "persist")
        cls.overrides = {kind: {"nats.client": cls.client} for kind in services}
        super().setUpClass()

    def reconnects(self) -> float:
        return self.cluster.service(FAULTY).metrics()["martlet_bus_reconnects_total"]

    def test_the_next_answers_are_whole(self) -> None:
        self.addCleanup(self.link.heal)
        good, faulty = (edge.listen for edge in self.cluster.edges)
        register(good, "anna")
        anna, other = self.device(good, "d1"), self.device(faulty, "d2")
        anna.create("long")
        for _ in range(MESSAGES):
            anna.say("long", WORDS)
        before = self.reconnects()
        self.link.change = broken = Break(LONG)
        place = {"from": "0", "direction": "Forward", "limit": 200}
        other.ask(HISTORY, conversation="g:long", **place)
        wait_until(lambda: broken.is_done, what="the answer to break")
        wait_until(lambda: self.reconnects() > before, what="the edge to be back")
        shown, _ = self.device(faulty, "d3").history_seqs("long")
        self.assertEqual(shown, list(range(1, MESSAGES + 2)))

    def device(self, server: str, name: str) -> GroupDevice:
        device = GroupDevice(server, "anna", name)
        self.addCleanup(device.close)
        return device


class BrokenMessageOfTheLibrary(BrokenMessage):
    client = "cnats"


if __name__ == "__main__":
    unittest.main()
