"""Many devices write into one conversation at the same moment, and fifty others to each other: everybody
sees one order."""

from __future__ import annotations

import unittest
from concurrent.futures import ThreadPoolExecutor

import account
import swarm
from raw_client import Device, age_ms, new_message_id, register
from support import new_directory, wait_until
from traffic import TrafficTest
from wire_client import ACK

from martlet_cluster import Cluster

CONVERSATION = "u:ann:bob"
DEVICES_OF_EACH = 5
MESSAGES_OF_EACH = 100
TOTAL = 2 * DEVICES_OF_EACH * MESSAGES_OF_EACH

Places = dict[int, str]  # seq: client_msg_id


class Writer:
    """One device: what it sends, and where it was told that everything is."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self.user, self.peer = (("ann", "bob"), ("bob", "ann"))[number % 2]
        edge = cluster.edges[number // 2 % 2].listen
        self.device = Device(edge, self.user, f"device{number}")
        self.sent = [new_message_id() for _ in range(MESSAGES_OF_EACH)]
        self.own: Places = {}

    def write(self) -> None:
        """All at once, as far as the edge reads; what is refused for the moment again, one by one."""
        asked = [
            (
                message_id,
                self.device.ask_send(self.peer, "x", message_id, age_ms=age_ms(message_id)),
            )
            for message_id in self.sent
        ]
        for message_id, request in asked:
            answer = self.device.answer(request)
            ack = answer.body if answer.command == ACK else None
            ack = ack or self.device.deliver(self.peer, "x", message_id)
            assert ack["client_msg_id"] == message_id, ack
            self.own[int(ack["seq"])] = message_id

    def arrivals(self) -> list[tuple[int, str]]:
        """The events as they came."""
        got = self.device.wait_messages(CONVERSATION, TOTAL - MESSAGES_OF_EACH)
        return [(int(m["seq"]), m["client_msg_id"]) for m in got]


class TenDevices(TrafficTest):
    apis = 0

    def test_seqs_have_no_gap_and_all_see_the_same_order(self) -> None:
        register(self.cluster.edges[0].listen, "ann", "bob")
        writers = [Writer(self.cluster, number) for number in range(2 * DEVICES_OF_EACH)]
        for writer in writers:
            self.addCleanup(writer.device.close)
        with ThreadPoolExecutor(len(writers)) as pool:
            for run in [pool.submit(writer.write) for writer in writers]:
                run.result()
        history = writers[0].device.history(CONVERSATION)
        order = [(int(m["seq"]), m["client_msg_id"]) for m in history]
        self.assertEqual([seq for seq, _ in order], list(range(1, TOTAL + 1)))
        self.assertEqual({i for _, i in order}, {i for writer in writers for i in writer.sent})
        for writer in writers:
            others = [place for place in order if place[0] not in writer.own]
            self.assertEqual(writer.arrivals(), others, f"events at {writer.device.device}")
            mine = {seq: message for seq, message in order if message in set(writer.sent)}
            self.assertEqual(writer.own, mine, f"answers to {writer.device.device}")
        self.assertEqual(writers[1].device.history(CONVERSATION), history)
        rows = account.history_of(self.cluster.psql(account.rows_of("ann")))[CONVERSATION]
        self.assertEqual([(row.seq, row.id) for row in rows], order)


class TenDevicesOfTheLibrary(TrafficTest):
    """With follows, so that each device's messages also stand in the order of its sending."""

    apis = 0
    rate = 800
    messages = 4000

    def test_each_devices_order_holds(self) -> None:
        devices = [f"device{number}" for number in range(DEVICES_OF_EACH)]
        edges = [edge.listen for edge in self.cluster.edges]
        run = swarm.Swarm(
            new_directory("order"),
            members=swarm.members(["ann", "bob"], edges, devices),
            pairs=[["ann", "bob"]],
            rate=self.rate,
            seed=self.seed,
        )
        self.addCleanup(run.close)
        run.wait("ready", 120)
        run.ask("start", "sending")
        wait_until(lambda: run.tick()["sent"] >= self.messages, what="enough messages sent")
        summary = run.drain()
        print(summary)
        self.assertEqual(summary["refused"], 0)
        self.assertEqual(swarm.problems_of(run, self.cluster), [])


if __name__ == "__main__":
    unittest.main()
