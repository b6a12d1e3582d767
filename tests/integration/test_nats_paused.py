"""nats-server stands still while appends are under way to it, their dispatcher is killed, and
nats-server goes on when the successor has started: the dead one's appends arrive then, or not."""

from __future__ import annotations

import time
import unittest

from support import wait_until
from traffic import TrafficTest

from martlet_cluster import process, sockets

TURNS = 20
SHARDS = 16
DISPATCHER = "dispatcher-1"
# More than a PING and an inquiry: frames that wait for the dispatcher, appends for the broker.
FRAMES_BYTES = 8 * 1024
APPEND_BYTES = 1024


class NatsPausedTest(TrafficTest):
    dispatchers = 1
    apis = 0

    def serves_all(self) -> bool:
        metrics = self.cluster.member(DISPATCHER).metrics()
        return metrics["martlet_dispatcher_shards_serving"] == SHARDS

    def acked_since(self, acked: int) -> bool:
        return bool(self.traffic.tick()["acked"] > acked)

    def waiting(self, reader: str, writer: str) -> int:
        """Bytes that the one has sent to the other, who has not read them."""
        members = self.cluster.member(reader), self.cluster.member(writer)
        assert members[0].process and members[1].process
        return sockets.unread_bytes(members[0].process.pid, members[1].process.pid)

    def leave_appends_under_way(self) -> None:
        """Frames pile up before a sleeping dispatcher, which appends them to a sleeping broker."""
        self.cluster.pause(DISPATCHER)
        wait_until(lambda: self.waiting(DISPATCHER, "nats") > FRAMES_BYTES, what="frames")
        self.cluster.pause("nats")
        before = self.waiting("nats", DISPATCHER)
        self.cluster.resume(DISPATCHER)
        wait_until(
            lambda: self.waiting("nats", DISPATCHER) > before + APPEND_BYTES, what="an append"
        )

    def turn(self) -> None:
        wait_until(self.serves_all, what="all shards are served")
        acked = self.traffic.tick()["acked"]
        wait_until(lambda: self.acked_since(acked), what="an acknowledgement")
        self.leave_appends_under_way()
        self.cluster.kill(DISPATCHER)
        self.cluster.start_member(DISPATCHER, wait=False)
        wait_until(self.waiting_to_connect, what="the successor has started")
        self.cluster.resume("nats")

    def waiting_to_connect(self) -> bool:
        member = self.cluster.member(DISPATCHER)
        assert member.process and process.is_alive(member.process)
        return sockets.connections(member.process.pid, self.cluster.nats.ports["client"]) > 0

    def test_an_append_of_a_dead_dispatcher_arrives_late(self) -> None:
        for number in range(TURNS):
            begin = time.monotonic()
            self.turn()
            wait_until(self.serves_all, what="the successor serves all shards")
            self.assertEqual(self.logs.check(), [], f"after turn {number}")
            print(f"turn {number}: {time.monotonic() - begin:.1f} s")
        self.check_account()
        print(f"{self.logs.messages} messages, {self.logs.takeovers} take-overs in the logs")
        self.assertGreaterEqual(self.logs.takeovers, (TURNS + 1) * SHARDS)


if __name__ == "__main__":
    unittest.main()
