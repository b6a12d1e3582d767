"""Five hundred messages a second from fifty users on both edges while services are killed at random
moments. The account is kept by the senders and compared with every device and with PostgreSQL."""

from __future__ import annotations

import os
import random
import time
import unittest

import swarm
from support import ClusterTest, new_directory

USERS = [f"user{number:02}" for number in range(50)]
RATE = 500
KILLS_OF_EACH = 5
DRAIN_TIMEOUT_S = 180


class TrafficTest(ClusterTest):
    traffic: swarm.Swarm
    seed: int

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.seed = int(os.environ.get("MARTLET_TEST_SEED") or time.time_ns() % 1_000_000)
        print(f"MARTLET_TEST_SEED={cls.seed}")
        edges = [edge.listen for edge in cls.cluster.edges]
        cls.traffic = swarm.Swarm(
            new_directory("traffic"),
            members=swarm.members(USERS, edges, ("phone", "desk")),
            pairs=swarm.ring(USERS, 4),
            rate=RATE,
            stored_percent=5,
            seed=cls.seed,
        )
        cls.addClassCleanup(cls.traffic.close)
        print("ready", cls.traffic.wait("ready", 180))

    def kill_under_traffic(self, names: list[str]) -> None:
        """Each kill at a random moment of the traffic; the service is started again at once."""
        chance = random.Random(f"{self.seed} {names}")
        self.traffic.ask("start", "sending")
        for turn in range(KILLS_OF_EACH):
            self.during(chance.uniform(0.5, 3.0))
            name = names[turn % len(names)]
            self.cluster.kill(name)
            self.cluster.start_member(name)
        self.during(1.0)
        self.check()

    def during(self, seconds: float) -> None:
        """Lets traffic flow for a while: this is the load, not a wait for something."""
        time.sleep(seconds)

    def check(self) -> None:
        summary = self.traffic.drain(DRAIN_TIMEOUT_S)
        print(summary)
        self.assertEqual(summary["ended"], 0, "devices ended")
        self.assertEqual(summary["refused"], 0, "messages were refused")
        self.assertEqual(swarm.problems_of(self.traffic, self.cluster), [])

    def test_1_nothing_dies(self) -> None:
        self.traffic.ask("start", "sending")
        self.during(5.0)
        self.check()
        self.assertGreater(self.traffic.tick()["sent"], 4 * RATE)

    def test_2_edge_is_killed(self) -> None:
        self.kill_under_traffic(["edge-1", "edge-2"])

    def test_3_dispatcher_is_killed(self) -> None:
        self.kill_under_traffic(["dispatcher-1", "dispatcher-2"])

    def test_4_persist_is_killed(self) -> None:
        self.kill_under_traffic(["persist-1"])

    def test_5_dispatcher_sleeps_and_wakes(self) -> None:
        self.traffic.ask("start", "sending")
        self.during(1.0)
        self.cluster.pause("dispatcher-1")
        self.during(10.0)
        self.cluster.resume("dispatcher-1")
        self.during(2.0)
        self.check()

    def test_6_broker_is_killed(self) -> None:
        self.traffic.ask("start", "sending")
        self.during(2.0)
        self.cluster.kill("nats")
        self.cluster.start_member("nats")
        self.during(5.0)
        self.check()


if __name__ == "__main__":
    unittest.main()
