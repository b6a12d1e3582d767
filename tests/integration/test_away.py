"""Somebody is away while others write, and comes back: one question what is new, and as many requests
as there are full pages of it; nothing that the device had comes again. Fifty others write meanwhile."""

from __future__ import annotations

import math
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import account
from raw_client import Device, register
from support import wait_until
from traffic import TrafficTest

SENDERS = [f"sender{number}" for number in range(10)]
BEFORE, AWAY = 5, 100  # of each sender
PAGE = 200  # messages in a FetchPage, see docs/protocol.md
NEWEST = 20  # of each conversation in a first SYNC

Bodies = list[dict[str, Any]]


def conversation_of(sender: str) -> str:
    return ":".join(["u", *sorted([sender, "u3"])])


def texts(messages: Bodies) -> list[str]:
    return [message["content"]["text"] for message in messages]


def by_conversation(messages: Bodies) -> dict[str, Bodies]:
    groups: dict[str, Bodies] = {}
    for message in messages:
        groups.setdefault(message["conversation"], []).append(message)
    return groups


class Away(TrafficTest):
    apis = 0
    token: ClassVar[str]
    had: ClassVar[Bodies]
    written: ClassVar[dict[str, list[str]]]  # by conversation, in the order of sending

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        edges = [edge.listen for edge in cls.cluster.edges]
        register(edges[0], "u3", *SENDERS)
        cls.written = {conversation_of(sender): [] for sender in SENDERS}
        cls.write_all(edges, BEFORE)
        device = Device(edges[0], "u3", "phone")
        states, cls.token, _ = device.sync()
        cls.had = [message for state in states for message in state["newest"]]
        device.close()
        cls.traffic.ask("start", "sending")
        cls.write_all(edges, AWAY)

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.check_account)

    @classmethod
    def write_all(cls, edges: list[str], count: int) -> None:
        """All senders at once, each waiting for its answers; done when the database has them."""

        def write(number: int, sender: str) -> None:
            device = Device(edges[number % len(edges)], sender, "phone")
            written = cls.written[conversation_of(sender)]
            for _ in range(count):
                text = f"{sender} says {len(written) + 1}"
                device.deliver("u3", text)
                written.append(text)
            device.close()

        with ThreadPoolExecutor(len(SENDERS)) as pool:
            for run in [pool.submit(write, n, sender) for n, sender in enumerate(SENDERS)]:
                run.result()
        wanted = sum(len(written) for written in cls.written.values())
        wait_until(lambda: cls.count_rows() == wanted, what=f"{wanted} rows")

    @classmethod
    def count_rows(cls) -> int:
        history = account.history_of(cls.cluster.psql(account.rows_of("u3")))
        return sum(len(rows) for rows in history.values())

    def requests(self) -> dict[str, float]:
        """That the edges took so far, without those of the traffic's devices."""
        counts = {}
        others = self.traffic.tick()
        for command, asked in (("sync", "syncs"), ("fetch", "fetches"), ("history", None)):
            series = f'martlet_edge_frames_total{{command="{command}"}}'
            taken = sum(edge.metrics().get(series, 0) for edge in self.cluster.edges)
            counts[command] = taken - (others[asked] if asked else 0)
        return counts

    def test_all_of_it_comes_in_order_in_one_sync_and_full_pages(self) -> None:
        before = self.requests()
        device = Device(self.cluster.edges[1].listen, "u3", "phone")
        self.addCleanup(device.close)
        states, _, syncs = device.sync(self.token)
        lacking = [
            {"conversation": s["conversation"], "from": str(BEFORE + 1), "to": s["last_seq"]}
            for s in states
        ]
        fetched, fetches = device.fetch(lacking)
        self.assertEqual(len(fetched), AWAY * len(SENDERS))
        self.assertEqual((syncs, fetches), (1, math.ceil(len(fetched) / PAGE)))
        grown = {command: count - before[command] for command, count in self.requests().items()}
        self.assertEqual(grown, {"sync": syncs, "fetch": fetches, "history": 0})
        for conversation, messages in by_conversation(fetched).items():
            seqs = [int(message["seq"]) for message in messages]
            self.assertEqual(seqs, list(range(BEFORE + 1, BEFORE + AWAY + 1)))
            self.assertEqual(texts(messages), self.written[conversation][BEFORE:])
            self.assertEqual(device.messages(conversation), [], "nothing comes live as well")

    def test_what_the_device_had_is_not_sent_again(self) -> None:
        self.assertEqual(len(self.had), BEFORE * len(SENDERS))
        device = Device(self.cluster.edges[1].listen, "u3", "phone")
        self.addCleanup(device.close)
        states, token, _ = device.sync(self.token)
        self.assertEqual({state["conversation"] for state in states}, set(self.written))
        for state in states:
            self.assertEqual(state["last_seq"], str(BEFORE + AWAY))
            self.assertEqual(state.get("newest", []), [])
        again, _, _ = device.sync(token)
        self.assertEqual(again, [], "nothing is new since then")

    def test_a_new_device_gets_the_newest_page_of_each_conversation(self) -> None:
        device = Device(self.cluster.edges[0].listen, "u3", "new")
        self.addCleanup(device.close)
        states, _, _ = device.sync()
        self.assertEqual({state["conversation"] for state in states}, set(self.written))
        for state in states:
            written = self.written[state["conversation"]]
            self.assertEqual(texts(state["newest"]), written[-NEWEST:])
            seqs = [int(message["seq"]) for message in state["newest"]]
            self.assertEqual(seqs, list(range(len(written) - NEWEST + 1, len(written) + 1)))
            self.assertEqual(state["unread"], str(len(written)))


if __name__ == "__main__":
    unittest.main()
