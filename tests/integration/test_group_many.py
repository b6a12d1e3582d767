"""One user in a thousand groups: logs in, syncs, hears from each group and writes to each of them. A
second device was away meanwhile and gets the same, once."""

from __future__ import annotations

import time
import unittest
from typing import Any, ClassVar

import swarm
from groups import GroupDevice, text
from raw_client import age_ms
from support import ClusterTest
from wire_client import ERROR, GROUP_CREATE, GROUP_LIST, MESSAGE_EVENT, RESYNC_EVENT, SEND, new_message_id

from martlet_cluster.nats_probe import NatsProbe

GROUPS = [f"group{number:04}" for number in range(1000)]
MAKERS = [f"maker{number}" for number in range(4)]
MESSAGES_PER_GROUP = 3  # made, the maker's, the user's
PAGE = 200  # of messages and of groups, see docs/protocol.md

Body = dict[str, Any]


def insist_on_all(device: GroupDevice, command: int, bodies: list[Body]) -> list[int]:
    """One request behind the other, without waiting for answers between them; the seqs."""
    ids = [new_message_id() for _ in bodies]
    asked = [
        device.ask(command, client_msg_id=i, age_ms=age_ms(i), **body)
        for i, body in zip(ids, bodies, strict=True)
    ]
    seqs = []
    for message_id, body, request in zip(ids, bodies, asked, strict=True):
        answer = device.answer(request)
        if answer.command == ERROR:
            assert answer.body["retryable"], answer.body
            seqs.append(device.insist(command, message_id, **body))
        else:
            seqs.append(int(answer.body["seq"]))
    return seqs


class ThousandGroups(ClusterTest):
    apis = 0
    makers: ClassVar[list[GroupDevice]]
    token: ClassVar[str]  # of the device that went away
    begin: ClassVar[float]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        swarm.add_accounts(cls.cluster, ["hub", *MAKERS])
        away = cls.device("hub", "away", 1)
        states, cls.token, _ = away.sync()
        assert states == [], states
        away.close()
        cls.makers = [cls.device(maker, "phone", number) for number, maker in enumerate(MAKERS)]
        cls.begin = time.monotonic()
        for maker, groups in cls.shares():
            bodies = [{"group": group, "users": ["hub"]} for group in groups]
            seqs = insist_on_all(maker, GROUP_CREATE, bodies)
            assert set(seqs) == {1}, seqs
            maker.wait_events(RESYNC_EVENT, len(groups))  # it listens to all of them
        cls.tell("groups made")

    @classmethod
    def shares(cls) -> list[tuple[GroupDevice, list[str]]]:
        """Each maker and its groups."""
        return [(maker, GROUPS[n :: len(MAKERS)]) for n, maker in enumerate(cls.makers)]

    @classmethod
    def device(cls, user: str, name: str, edge: int) -> GroupDevice:
        address = cls.cluster.edges[edge % len(cls.cluster.edges)].listen
        device = GroupDevice(address, user, name, swarm.PASSWORD)
        cls.addClassCleanup(device.close)
        return device

    @classmethod
    def tell(cls, what: str) -> None:
        print(f"{what}: {time.monotonic() - cls.begin:.1f} s")

    def names(self, states: list[Body]) -> list[str]:
        return sorted(state["conversation"].removeprefix("g:") for state in states)

    def test_login_sync_and_a_message_to_each(self) -> None:
        hub = self.device("hub", "live", 0)
        states, _, pages = hub.sync()
        self.assertEqual(self.names(states), GROUPS)
        self.assertEqual({state["last_seq"] for state in states}, {"1"})
        self.tell(f"first SYNC in {pages} pages")
        with NatsProbe(self.cluster.nats) as probe:
            listening = [s for s in probe.subscriptions_of("edge-1") if s.startswith("im.g.")]
        self.assertEqual(listening, [f"im.g.{group}" for group in GROUPS])

        for maker, groups in self.shares():
            bodies = [{"to_group": group, "content": text(f"to {group}")} for group in groups]
            self.assertEqual(set(insist_on_all(maker, SEND, bodies)), {2})
        hub.wait_events(MESSAGE_EVENT, len(GROUPS))
        self.tell("a message from each")
        bodies = [{"to_group": group, "content": text("from the hub")} for group in GROUPS]
        self.assertEqual(set(insist_on_all(hub, SEND, bodies)), {3})
        for maker, groups in self.shares():
            maker.wait_events(MESSAGE_EVENT, len(groups))
            got = sorted((m["conversation"], m["seq"]) for m in maker.events(MESSAGE_EVENT))
            self.assertEqual(got, sorted((f"g:{group}", "3") for group in groups))
        self.tell("a message to each")
        hub.ping()
        got = sorted((m["conversation"], m["seq"]) for m in hub.events(MESSAGE_EVENT))
        self.assertEqual(got, [(f"g:{group}", "2") for group in GROUPS], "each once")
        self.check_list(hub)
        self.check_away()

    def check_list(self, hub: GroupDevice) -> None:
        listed: list[str] = []
        more = True
        while more:
            page = hub.call(GROUP_LIST, after=listed[-1] if listed else None).body
            listed += [group["group"] for group in page["groups"]]
            more = page["more"]
        self.assertEqual(listed, GROUPS)

    def check_away(self) -> None:
        away = self.device("hub", "away", 1)
        states, token, pages = away.sync(self.token)
        self.assertEqual(self.names(states), GROUPS)
        last = {state["last_seq"] for state in states}
        self.assertEqual(last, {str(MESSAGES_PER_GROUP)})
        ranges = [
            {"conversation": f"g:{group}", "from": "1", "to": str(MESSAGES_PER_GROUP)}
            for group in GROUPS
        ]
        messages, fetches = away.fetch(ranges)
        self.tell(f"all of it at the other device in {pages} pages of SYNC, {fetches} of FETCH")
        got = sorted((m["conversation"], int(m["seq"])) for m in messages)
        each = range(1, MESSAGES_PER_GROUP + 1)
        self.assertEqual(got, [(f"g:{group}", seq) for group in GROUPS for seq in each])
        self.assertEqual(away.events(MESSAGE_EVENT), [], "nothing comes live as well")
        self.assertEqual(away.sync(token)[0], [], "nothing is new since then")


if __name__ == "__main__":
    unittest.main()
