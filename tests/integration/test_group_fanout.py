"""What a message to a group costs, counted at the broker, in the log and at the devices of fifty
members on three edges; and what else reaches some members and not others: typing, notices to a
user's own devices, signing out."""

from __future__ import annotations

import re
import unittest
from typing import ClassVar

import shard_logs
import swarm
from groups import GroupDevice
from raw_client import Device
from support import ClusterTest
from wire_client import (
    AUTH,
    DEVICES,
    ERROR,
    GROUP_LIST,
    KICKED_EVENT,
    LOGIN,
    READ,
    READ_EVENT,
    REFRESH,
    SIGN_OUT,
    TYPING,
    TYPING_EVENT,
    Frame,
    WireClient,
)

from martlet_cluster.nats_probe import NatsProbe

MEMBERS = [f"bird{number:02}" for number in range(50)]
SENDER = MEMBERS[0]
OTHERS = ["ann", "bob", "carl", "dora", "eve", "fay"]
MOST_DEVICES = 32  # of a user, see docs/protocol.md
GROUP, CONVERSATION = "flock", "g:flock"


class GroupFanout(ClusterTest):
    """Every bird has a device, spread over the edges; the sender has one on each."""

    edges = 3
    apis = 0
    phones: ClassVar[list[GroupDevice]]
    desks: ClassVar[list[GroupDevice]]  # the sender's other devices
    probe: ClassVar[NatsProbe]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        swarm.add_accounts(cls.cluster, MEMBERS + OTHERS)
        cls.phones = [cls.device(user, "phone", n) for n, user in enumerate(MEMBERS)]
        cls.desks = [cls.device(SENDER, f"desk{n}", n) for n in (1, 2)]
        cls.probe = NatsProbe(cls.cluster.nats)
        cls.addClassCleanup(cls.probe.close)
        cls.phones[0].create(GROUP, *MEMBERS[1:])
        for device in cls.phones + cls.desks:
            device.wait_added(GROUP)

    @classmethod
    def device(cls, user: str, name: str, edge: int) -> GroupDevice:
        address = cls.cluster.edges[edge % len(cls.cluster.edges)].listen
        device = GroupDevice(address, user, name, swarm.PASSWORD)
        cls.addClassCleanup(device.close)
        return device

    def interest(self, pattern: str) -> dict[str, list[str]]:
        """What each edge listens to."""
        return {
            edge.name: [s for s in self.probe.subscriptions_of(edge.name) if re.match(pattern, s)]
            for edge in self.cluster.edges
        }

    # What a message costs.

    def test_one_entry_and_one_publish_for_fifty_members(self) -> None:
        logs = shard_logs.ShardLogs(self.cluster.nats)
        self.assertEqual(logs.check(), [])
        logged = logs.messages
        to_groups, to_users = self.probe.subscribe("im.g.>"), self.probe.subscribe("im.u.>")
        self.addCleanup(self.probe.unsubscribe, to_groups)
        self.addCleanup(self.probe.unsubscribe, to_users)
        seq = self.phones[0].say(GROUP, "one for all")
        seen = [device.wait_message(CONVERSATION, seq) for device in self.phones[1:] + self.desks]
        self.assertEqual([messages[-1]["seq"] for messages in seen], [str(seq)] * 51)
        self.probe.flush()
        self.assertEqual([m.subject for m in to_groups.messages], [f"im.g.{GROUP}"])
        self.assertIn(b"one for all", to_groups.messages[0].data)
        self.assertEqual([m.subject for m in to_users.messages], [])
        self.assertEqual(logs.check(), [])
        self.assertEqual(logs.messages - logged, 1)
        behind = self.phones[0].say(GROUP, "the one behind it")
        for device in self.phones[1:] + self.desks:
            device.wait_message(CONVERSATION, behind)
            name = f"{device.user}/{device.device}"
            self.assertEqual(device.seqs(GROUP)[-2:], [seq, behind], f"once each at {name}")
        self.phones[0].ping()
        self.assertEqual(self.phones[0].seqs(GROUP), [], "the sender has its Acks instead")

    def test_an_edge_listens_once_and_to_groups_of_its_users_only(self) -> None:
        ann, bob = self.device("ann", "phone", 0), self.device("bob", "phone", 1)
        ann.create("pair", "bob")
        ann.wait_added("pair")
        bob.wait_added("pair")
        listening = self.interest(r"im\.g\.(flock|pair)$")
        self.assertEqual(listening["edge-1"], ["im.g.flock", "im.g.pair"])
        self.assertEqual(listening["edge-2"], ["im.g.flock", "im.g.pair"])
        self.assertEqual(listening["edge-3"], ["im.g.flock"])

    def test_nobody_listens_to_all_groups(self) -> None:
        for connection in self.probe.connections():
            subjects = connection.get("subscriptions_list", [])
            wide = [s for s in subjects if re.match(r"^(>|\*|im\.(>|\*|g\..*[*>]))", s)]
            self.assertEqual(wide, [], connection.get("name"))
        self.assertTrue(all(self.interest("im").values()), "subscriptions are not seen")

    # Typing.

    def typed(self, device: Device, **to: str) -> None:
        answer = device.call(TYPING, **to)
        self.assertNotEqual(answer.command, ERROR, answer.body)

    def test_typing_reaches_the_members_and_is_not_logged(self) -> None:
        ann, carl, eve = (self.device(user, "pen", 0) for user in ("ann", "carl", "eve"))
        bob, desk = self.device("bob", "pen", 1), self.device("ann", "desk", 2)
        ann.create("talk", "bob", "carl")
        for device in (ann, bob, desk, carl):
            device.wait_added("talk")
        last = ann.remove("talk", "carl")
        bob.wait_message("g:talk", last)
        carl.wait_message("g:talk", last)
        logs = shard_logs.ShardLogs(self.cluster.nats)
        self.assertEqual(logs.check(), [])
        logged = logs.messages
        # Through the same edge before those of a member: what nobody may hear would come first.
        self.typed(eve, to_group="talk")
        self.typed(carl, to_group="talk")
        self.typed(ann, to_group="talk")
        event = {"conversation": "g:talk", "user": "ann"}
        self.assertEqual(bob.wait_events(TYPING_EVENT, 1), [event])
        self.assertEqual(desk.wait_events(TYPING_EVENT, 1), [event], "the user's other device")
        for device in (ann, carl, eve):
            device.ping()
            self.assertEqual(device.events(TYPING_EVENT), [], device.user)
        self.assertEqual(logs.check(), [])
        self.assertEqual(logs.messages - logged, 0)

    def test_typing_reaches_the_other_user_once_in_a_while(self) -> None:
        dora, desk = self.device("dora", "quill", 0), self.device("dora", "table", 2)
        eve, ann = self.device("eve", "quill", 1), self.device("ann", "quill", 2)
        dora.deliver("eve", "so that the conversation is known")
        for _ in range(3):  # at once: one goes on
            self.typed(dora, to_user="eve")
        self.typed(eve, to_user="dora")
        event = {"conversation": "u:dora:eve", "user": "dora"}
        back = {"conversation": "u:dora:eve", "user": "eve"}
        dora.wait_events(TYPING_EVENT, 1)
        desk.wait_events(TYPING_EVENT, 2)
        eve.wait_events(TYPING_EVENT, 1)
        for device, expected in ((eve, [event]), (dora, [back]), (desk, [event, back]), (ann, [])):
            device.ping()
            self.assertCountEqual(device.events(TYPING_EVENT), expected, device.device)

    # The user's own devices.

    def test_a_read_cursor_is_told_to_the_readers_devices_alone(self) -> None:
        ann = self.device("ann", "lens", 0)
        bob, desk = self.device("bob", "lens", 0), self.device("bob", "board", 1)
        ann.create("books", "bob")
        for device in (ann, bob, desk):
            device.wait_added("books")
        last = [ann.say("books", f"page {number}") for number in range(3)][-1]
        bob.wait_message("g:books", last)
        answer = bob.call(READ, conversation="g:books", seq=str(last - 1))
        self.assertNotEqual(answer.command, ERROR, answer.body)
        event = {"conversation": "g:books", "user": "bob", "seq": str(last - 1)}
        self.assertEqual(desk.wait_events(READ_EVENT, 1), [event])
        behind = ann.say("books", "the last page")
        desk.wait_message("g:books", behind)
        ann.ping()
        self.assertEqual(ann.events(READ_EVENT), [])
        state = desk.state_of("books")
        assert state is not None
        self.assertEqual((state["read_seq"], state["unread"]), (str(last - 1), "2"))

    def test_a_users_other_devices_hear_of_joining_and_leaving(self) -> None:
        ann = self.device("ann", "chair", 0)
        one, other = self.device("eve", "here", 1), self.device("eve", "there", 2)
        ann.create("open", join="Anyone")
        ann.wait_added("open")
        ann.say("open", "before")
        joined = one.join("open")
        for device in (one, other):  # told to sync: what came before it listened
            device.wait_added("open")
        [message] = other.wait_message("g:open", joined)
        self.assertEqual((message["sender"], message["content"]["kind"]), ("eve", "Members"))
        self.assertEqual(message["content"]["members"]["action"], "Joined")
        last = ann.say("open", "welcome")
        for device in (one, other):
            device.wait_message("g:open", last)
        listed = other.call(GROUP_LIST).body["groups"]
        self.assertEqual([group["group"] for group in listed], ["open"])
        left = other.leave("open")
        self.assertEqual(one.wait_message("g:open", left)[-1]["content"]["members"]["action"], "Left")
        ann.wait_message("g:open", left)
        ann.say("open", "only me")
        for device, seqs in ((one, [last, left]), (other, [joined, last])):
            device.ping()
            self.assertEqual(device.seqs("open"), seqs)
        self.assertEqual(other.call(GROUP_LIST).body.get("groups", []), [])

    def devices_of(self, asker: Device) -> dict[str, bool]:
        """Name: whether it is the one that asks."""
        devices = asker.call(DEVICES).body["devices"]
        return {device["device"]: device["this_one"] for device in devices}

    def refresh(self, device: Device) -> Frame:
        client = WireClient(self.cluster.edges[0].listen)
        self.addCleanup(client.close)
        return client.call(REFRESH, refresh_token=device.refresh_token)

    def expect_ended(self, device: Device) -> None:
        [kicked] = device.wait_events(KICKED_EVENT, 1)
        self.assertEqual(kicked, {"reason": "Revoked", "may_reconnect": False})
        device.wait_closed()
        answer = self.refresh(device)
        self.assertEqual(answer.body.get("name"), "TOKEN_REVOKED", answer)

    def expect_token_dead(self, device: Device) -> None:
        """Its access token has not run out; on an edge that heard nothing of it, it is of no use."""
        client = WireClient(self.cluster.edges[2].listen)
        self.addCleanup(client.close)
        answer = client.call(AUTH, access_token=device.access_token)
        self.assertEqual(answer.body.get("name"), "TOKEN_REVOKED", answer)
        answer = client.call(DEVICES)
        self.assertEqual(answer.body.get("name"), "NOT_AUTHENTICATED", answer)

    def test_devices_are_listed_and_signed_out(self) -> None:
        one, two, three, four = (self.device("carl", f"device{n}", n) for n in range(4))
        strangers = self.device("dora", "device1", 1)
        names = [device.device for device in (one, two, three, four)]
        listed = self.devices_of(one)
        self.assertEqual([listed.get(name) for name in names], [True, False, False, False])
        self.assertEqual(one.call(SIGN_OUT, device="nobody-has-it").body["devices"], 0)
        self.assertEqual(one.call(SIGN_OUT, device="device1").body["devices"], 1)
        self.expect_ended(two)
        self.expect_token_dead(two)
        self.assertNotIn("device1", self.devices_of(one))
        others = len(self.devices_of(one)) - 1
        self.assertEqual(one.call(SIGN_OUT).body["devices"], others)
        self.expect_ended(three)
        self.expect_ended(four)
        self.assertEqual(self.devices_of(one), {"device0": True})
        for device in (one, strangers):
            device.ping()
            self.assertEqual(device.events(KICKED_EVENT), [])
            self.assertNotEqual(self.refresh(device).command, ERROR)

    def test_a_login_too_many_signs_the_oldest_device_out(self) -> None:
        oldest, second = self.device("fay", "first", 0), self.device("fay", "second", 1)
        client = WireClient(self.cluster.edges[2].listen)
        self.addCleanup(client.close)
        for number in range(MOST_DEVICES - 1):
            login = {"user": "fay", "device": f"more{number}", "password": swarm.PASSWORD}
            answer = client.call(LOGIN, **login)
            self.assertNotEqual(answer.command, ERROR, answer.body)
        self.expect_ended(oldest)
        second.ping()
        devices = self.devices_of(second)
        self.assertEqual(len(devices), MOST_DEVICES)
        self.assertNotIn("first", devices)


if __name__ == "__main__":
    unittest.main()
