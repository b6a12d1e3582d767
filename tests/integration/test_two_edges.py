"""A message between users on two edges, as seen by their devices and from outside: by a plain
subscriber of the broker, by the broker's own monitoring and by the kernel's table of connections,
while fifty others write to each other."""

from __future__ import annotations

import re
import time
import unittest
from pathlib import Path
from typing import ClassVar

from raw_client import Device, register
from support import wait_until
from traffic import USERS, TrafficTest
from wire_client import ACK, Frame

from martlet_cluster.nats_probe import NatsMessage, NatsProbe, Subscription

CONVERSATION = "u:u1:u2"
ESTABLISHED = "01"
EDGE_REPEATS_AFTER_S = 1.0

Connection = tuple[str, str]  # both ends as the kernel writes them, the own one first


def connections_of(pid: int) -> set[Connection]:
    """Established TCP connections of a process."""
    owned = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(handle.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            owned.add(target[len("socket:[") : -1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == ESTABLISHED and words[9] in owned:
                found.add((words[1], words[2]))
    return found


def are_connected(one: int, other: int) -> bool:
    there = connections_of(other)
    return any((far, near) in there for near, far in connections_of(one))


def not_of_others(subscription: Subscription) -> list[NatsMessage]:
    """Without what concerns the users of the traffic."""
    return [m for m in subscription.messages if m.subject.rsplit(".", 1)[-1] not in USERS]


class TwoEdges(TrafficTest):
    apis = 0
    phone: ClassVar[Device]
    desk: ClassVar[Device]
    receivers: ClassVar[list[Device]]
    probe: ClassVar[NatsProbe]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        first, second = (edge.listen for edge in cls.cluster.edges)
        register(first, "u1", "u2")
        cls.phone, cls.desk = Device(first, "u1", "phone"), Device(first, "u1", "desk")
        cls.receivers = [Device(second, "u2", "phone"), Device(second, "u2", "desk")]
        for device in (cls.phone, cls.desk, *cls.receivers):
            cls.addClassCleanup(device.close)
        cls.probe = NatsProbe(cls.cluster.nats)
        cls.addClassCleanup(cls.probe.close)
        # The first message waits for the shard's owner; those of the tests need not.
        cls.phone.deliver("u2", "warm")

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.check_account)

    def names_of_edges(self) -> list[str]:
        return [edge.name for edge in self.cluster.edges]

    def test_every_device_gets_it_once_with_the_same_seq(self) -> None:
        ack = self.phone.deliver("u2", "hello")
        last = self.phone.deliver("u2", "the one behind it")
        for device in (self.desk, *self.receivers):
            got = device.wait_message(CONVERSATION, int(last["seq"]))
            places = [m["seq"] for m in got if m["client_msg_id"] == ack["client_msg_id"]]
            self.assertEqual(places, [ack["seq"]], f"{device.user}/{device.device}")
            message = next(m for m in got if m["seq"] == ack["seq"])
            self.assertEqual(message["content"], {"kind": "Text", "text": "hello"})
            self.assertEqual(message["message_id"], ack["message_id"])
        self.phone.ping()
        self.assertEqual(self.phone.messages(CONVERSATION), [], "the sender has its Ack instead")

    def send_promptly(self, text: str, *watched: Subscription) -> Frame:
        """An edge repeats what was not answered in a second, and a busy machine may be that slow:
        then what was watched says nothing, and another message is sent."""
        for _ in range(5):
            for subscription in watched:
                self.probe.flush()
                subscription.messages.clear()
            begin = time.monotonic()
            answer = self.phone.send("u2", text, age_ms=0)
            if time.monotonic() - begin < EDGE_REPEATS_AFTER_S:
                self.assertEqual(answer.command, ACK, answer.body)
                return answer
            for device in (self.desk, *self.receivers):
                device.wait_message(CONVERSATION, int(answer.body["seq"]))
        self.fail("no answer within a second")

    def test_it_is_one_message_on_the_way_in_and_one_for_each_user_on_the_way_out(self) -> None:
        coming_in, going_out = self.probe.subscribe("im.in.>"), self.probe.subscribe("im.u.>")
        self.addCleanup(self.probe.unsubscribe, coming_in)
        self.addCleanup(self.probe.unsubscribe, going_out)
        ack = self.send_promptly("seen from outside", coming_in, going_out)
        for device in (self.desk, *self.receivers):
            device.wait_message(CONVERSATION, int(ack.body["seq"]))
        self.wait_for_more(1)  # the others' messages are seen as well, and nothing else of this one
        self.probe.flush()
        arrived, left = not_of_others(coming_in), not_of_others(going_out)
        subjects = [m.subject for m in arrived]
        self.assertEqual(len(subjects), 1, subjects)
        self.assertRegex(subjects[0], r"^im\.in\.\d+\.u\.u2$")
        self.assertIn(b"seen from outside", arrived[0].data)
        self.assertEqual(sorted(m.subject for m in left), ["im.u.u1", "im.u.u2"])
        self.assertGreater(len(coming_in.messages), len(arrived), "the others' are not seen")

    def test_an_edge_has_interest_in_its_own_users_only(self) -> None:
        first = {f"im.u.{user}" for user in ["u1", *USERS[::2]]}
        second = {f"im.u.{user}" for user in ["u2", *USERS[1::2]]}
        users = {
            name: [s for s in self.probe.subscriptions_of(name) if s.startswith("im.u.")]
            for name in self.names_of_edges()
        }
        self.assertEqual(users, {"edge-1": sorted(first), "edge-2": sorted(second)})

    def test_no_edge_listens_to_all_users(self) -> None:
        for name in self.names_of_edges():
            subjects = self.probe.subscriptions_of(name)
            self.assertTrue(subjects, name)
            wide = [s for s in subjects if re.match(r"^(>|\*|im\.(>|\*|u\..*[*>]))", s)]
            self.assertEqual(wide, [], name)

    def test_interest_ends_with_the_last_session(self) -> None:
        register(self.cluster.edges[0].listen, "u4")
        passing = Device(self.cluster.edges[1].listen, "u4", "phone")
        self.assertIn("im.u.u4", self.probe.subscriptions_of("edge-2"))
        passing.close()
        wait_until(
            lambda: "im.u.u4" not in self.probe.subscriptions_of("edge-2"),
            what="no interest in im.u.u4",
        )

    def test_edges_have_no_connection_to_each_other(self) -> None:
        first, second = (edge.pid for edge in self.cluster.edges)
        self.assertTrue(are_connected(first, self.cluster.nats.pid), "connections are not seen")
        self.assertTrue(are_connected(second, self.cluster.nats.pid), "connections are not seen")
        self.assertFalse(are_connected(first, second))


if __name__ == "__main__":
    unittest.main()
