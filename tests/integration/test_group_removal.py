"""Who is removed from a group sees nothing of what follows: not live, by SYNC, FETCH or HISTORY, on no
edge, also when an edge lost the removal or many write at the same moment. Who joins or comes back
sees what is theirs."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar

from groups import GroupDevice, Seqs
from losses import Loss
from raw_client import register
from support import LinkedClusterTest, wait_until
from wire_client import (
    ACK,
    ERROR,
    FETCH,
    GROUP_INVITE,
    GROUP_REMOVE,
    HISTORY,
    new_message_id,
)

FAULTY = "edge-2"
USERS = ["ann", "bob", "carl", "dora"]
Asked = tuple[GroupDevice, int]  # who asked, the number of the request
BEYOND = 5  # seqs asked for above the last one


def numbers(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


class GroupRemoval(LinkedClusterTest):
    """Ann owns every group. Bob has a device on each edge; Carl is on the faulty one, Dora on the
    other."""

    apis = 0
    linked = FAULTY
    ann: ClassVar[GroupDevice]
    carl: ClassVar[GroupDevice]
    dora: ClassVar[GroupDevice]
    bobs: ClassVar[list[GroupDevice]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        good, faulty = (edge.listen for edge in cls.cluster.edges)
        register(good, *USERS)
        cls.ann = cls.device(good, "ann", "phone")
        cls.carl = cls.device(faulty, "carl", "phone")
        cls.dora = cls.device(good, "dora", "phone")
        cls.bobs = [cls.device(good, "bob", "desk"), cls.device(faulty, "bob", "phone")]

    @classmethod
    def device(cls, edge: str, user: str, name: str) -> GroupDevice:
        device = GroupDevice(edge, user, name)
        cls.addClassCleanup(device.close)
        return device

    def setUp(self) -> None:
        self.addCleanup(self.link.heal)
        self.passed_before = 0.0
        self.passed_before = self.passed_over()

    def create(self, group: str, *others: str, **more: Any) -> None:
        """With Carl and Dora; all members hear what is sent from now on."""
        self.ann.create(group, "carl", "dora", *others, **more)
        for device in (self.carl, self.dora, *(self.bobs if others else [])):
            device.wait_added(group)
            device.sync()

    def write(self, group: str, count: int) -> int:
        """Messages that Carl and Dora have live, so every edge has passed them on; the last seq."""
        last = [self.ann.say(group, f"words {number}") for number in range(count)][-1]
        for device in (self.carl, self.dora):
            device.wait_message(f"g:{group}", last)
        return last

    def write_after_loss(self, group: str) -> None:
        """Carl, whose edge does not know either whether he is out, misses this and is told to sync."""
        last = self.ann.say(group, "who may have this?")
        self.dora.wait_message(f"g:{group}", last)
        self.carl.wait_added(group, 2)
        self.assertEqual(self.carl.fetch_seqs(group, 1, last)[0], numbers(1, last))

    def all_ways(self, device: GroupDevice, group: str, last: int) -> list[tuple[str, Seqs]]:
        return [
            ("fetch", device.fetch_seqs(group, 1, last)),
            ("history forward", device.history_seqs(group)),
            ("history backward", device.history_seqs(group, "Backward", 2)),
        ]

    def passed_over(self) -> float:
        """How often somebody on the faulty edge got nothing since it did not know whether they may."""
        metrics = self.cluster.service(FAULTY).metrics()
        return metrics['martlet_edge_dropped_total{reason="unknown_members"}'] - self.passed_before

    def check_reads(self, group: str, shown: list[int], last: int) -> None:
        """What each of Bob's devices gets when it asks for everything: these seqs, and it is told
        that the others up to the last one are not for it."""
        withheld = [seq for seq in numbers(1, last) if seq not in shown]
        for device in self.bobs:
            for way, (seqs, hidden) in self.all_ways(device, group, last):
                with self.subTest(f"{group}: {way} at {device.device}"):
                    self.assertEqual(seqs, shown)
                    told = hidden if way == "fetch" else [s for s in hidden if s <= shown[-1]]
                    expected = withheld if way == "fetch" else [s for s in withheld if s < shown[-1]]
                    self.assertEqual(told, expected)

    def check_former(self, group: str, shown: list[int], last: int) -> None:
        """Bob is out since the last of these; the group is further."""
        for device in self.bobs:
            device.ping()
            with self.subTest(f"{group}: live at {device.device}"):
                late = [seq for seq in device.seqs(group) if seq not in shown]
                self.assertEqual(late, [])
            state = device.state_of(group)
            assert state is not None, "the group is not told"
            with self.subTest(f"{group}: sync at {device.device}"):
                self.assertEqual(state["membership"], "Former")
                self.assertEqual(state["last_seq"], str(shown[-1]))
                newest = [int(message["seq"]) for message in state.get("newest", [])]
                self.assertEqual([seq for seq in newest if seq not in shown], [])
        self.check_reads(group, shown, last + BEYOND)

    def lose_removal(self, group: str, message_id: str, *kinds: str) -> Loss:
        """The edge does not see it on these subjects: of the group, of the removed user."""
        subjects = {"group": f"im.g.{group}", "user": "im.u.bob"}
        lost = {subjects[kind] for kind in kinds}
        mark = bytes.fromhex(message_id)
        loss = Loss(lambda subject, data: subject in lost and mark in data)
        self.link.change = loss
        return loss

    def remove_bob(self, group: str, message_id: str) -> int:
        return self.ann.insist(GROUP_REMOVE, message_id, group=group, users=["bob"])

    def test_a_removal_ends_everything_also_when_the_edge_lost_it(self) -> None:
        for number, lost in enumerate([(), ("group",), ("user",), ("group", "user")]):
            group = f"out{number}"
            self.create(group, "bob")
            self.write(group, 3)
            tokens = [device.sync()[1] for device in self.bobs]
            message_id = new_message_id()
            loss = self.lose_removal(group, message_id, *lost)
            end = self.remove_bob(group, message_id)
            if "group" in lost:
                self.write_after_loss(group)
            last = self.write(group, 3)
            self.assertEqual(len(loss.taken), len(lost), loss.taken)
            self.link.heal()
            self.check_former(group, numbers(1, end), last)
            for device, token in zip(self.bobs, tokens, strict=True):
                [state] = device.sync(token)[0]
                told = (state["conversation"], state["membership"], state["last_seq"])
                self.assertEqual(told, (f"g:{group}", "Former", str(end)))
            live = [device.seqs(group)[-1] for device in self.bobs]
            self.assertEqual(live, [end, end if "user" not in lost else end - 1])

    def test_nobody_is_told_more_while_the_edge_can_not_find_out(self) -> None:
        group = "unknown"
        self.create(group, "bob")
        self.write(group, 1)
        message_id = new_message_id()
        loss = self.lose_removal(group, message_id, "group", "user")
        end = self.remove_bob(group, message_id)
        self.cluster.pause("persist-1")
        self.addCleanup(self.cluster.resume, "persist-1")
        last = self.ann.say(group, "who may have this?")
        self.dora.wait_message(f"g:{group}", last)
        wait_until(lambda: self.passed_over() >= 2, what="Bob and Carl to be passed over")
        self.assertEqual(len(loss.taken), 2)
        self.cluster.resume("persist-1")
        self.carl.wait_added(group, 2)
        self.assertEqual([seq for seq in self.carl.seqs(group) if seq >= end], [])
        last = self.write(group, 1)
        self.check_former(group, numbers(1, end), last)

    def test_messages_of_the_same_moment(self) -> None:
        """Bob is put out and brought back while three write as fast as they can, and his devices
        ask for all they can get."""
        group, spans = "storm", [[1, 0]]
        self.create(group, "bob")
        asked: list[Asked] = []
        for command in (GROUP_REMOVE, GROUP_INVITE) * 3:
            asked += self.write_at_once(group)
            change = {"group": group, "users": ["bob"], "client_msg_id": new_message_id()}
            request = self.ann.ask(command, **change)
            asked += self.write_at_once(group) + self.read_at_once(group)
            answer = self.ann.answer(request)
            self.assertNotEqual(answer.command, ERROR, answer.body)
            seq = int(answer.body["seq"])
            if command == GROUP_REMOVE:
                spans[-1][1] = seq
            else:
                spans.append([seq, 0])
        answers = [(device, device.answer(request)) for device, request in asked]
        end = spans[-1][1] = self.ann.remove(group, "bob")
        last = self.write(group, 1)
        shown = [seq for first, until in spans for seq in numbers(first, until)]
        self.assertLess(len(shown), end, "there is something between")
        refused = [answer.body for _, answer in answers if answer.command == ERROR]
        self.assertEqual(refused, [])
        for device in (self.carl, self.dora):
            own = [int(a.body["seq"]) for d, a in answers if d is device and a.command == ACK]
            others = [seq for seq in numbers(1, last) if seq not in own]
            self.assertEqual(device.seqs(group), others, "each once, in order")
        for _, answer in answers:
            got = {int(message["seq"]) for message in answer.body.get("messages", [])}
            self.assertEqual(sorted(got - set(shown)), [])
        self.check_former(group, shown, last)

    def write_at_once(self, group: str) -> list[Asked]:
        """Nothing is awaited."""
        return [
            (device, device.ask_say(group, f"quick {number}"))
            for number in range(10)
            for device in (self.ann, self.carl, self.dora)
        ]

    def read_at_once(self, group: str) -> list[Asked]:
        """Bob's devices ask for everything."""
        everything = {"conversation": f"g:{group}", "from": "1", "to": "500"}
        history = {"conversation": f"g:{group}", "limit": 200}
        fetches = [(device, device.ask(FETCH, ranges=[everything])) for device in self.bobs]
        return fetches + [(device, device.ask(HISTORY, **history)) for device in self.bobs]

    def test_who_joins_sees_what_follows_or_all_of_it(self) -> None:
        for group, policy in (("hidden", "Hidden"), ("shown", "Shown")):
            self.create(group, join="Anyone", earlier_history=policy)
            self.write(group, 3)
            first = self.bobs[0].join(group)
            for device in self.bobs:
                device.wait_added(group)
            last = self.write(group, 3)
            for device in self.bobs:
                device.wait_message(f"g:{group}", last)
                state = device.state_of(group)
                assert state is not None
                begin = 1 if policy == "Shown" else first
                self.assertEqual(state["first_seq"], str(begin))
                self.assertEqual(state["membership"], "Member")
                newest = [int(message["seq"]) for message in state["newest"]]
                self.assertEqual(newest, numbers(begin, last))
                self.assertEqual(min(device.seqs(group)), first + (device is self.bobs[0]))
            self.check_reads(group, numbers(begin, last), last)

    def test_who_comes_back_sees_both_spans_and_nothing_between(self) -> None:
        group = "back"
        self.create(group, "bob")
        self.write(group, 2)
        end = self.bobs[0].leave(group)
        self.write(group, 2)
        begin = self.ann.invite(group, "bob")
        for device in self.bobs:
            device.wait_added(group, 2)
        last = self.write(group, 2)
        for device in self.bobs:
            device.wait_message(f"g:{group}", last)
            self.assertEqual([s for s in device.seqs(group) if end < s < begin], [])
        self.check_reads(group, [*numbers(1, end), *numbers(begin, last)], last)


if __name__ == "__main__":
    unittest.main()
