"""A message sent again, through whatever edge and after whatever death, is there once: every answer
tells the same place. Another content under its id is refused. Fifty others write meanwhile."""

from __future__ import annotations

import random
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import account
from raw_client import Device, new_message_id, register
from support import wait_until
from traffic import TrafficTest
from wire_client import ACK, ERROR

CONVERSATION = "u:ann:bob"
KILLS = 5
# Spread over these conversations with ann, so that several shards are concerned.
PEERS = [f"peer{number}" for number in range(6)]


def place(ack: dict[str, Any]) -> dict[str, Any]:
    """What every answer must tell alike; only the level may rise, from Logged to Stored."""
    return {key: value for key, value in ack.items() if key != "level"}


class Duplicates(TrafficTest):
    apis = 0
    here: ClassVar[Device]
    there: ClassVar[Device]
    bob: ClassVar[Device]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        first, second = (edge.listen for edge in cls.cluster.edges)
        register(first, "ann", "bob", *PEERS)
        cls.here, cls.there = Device(first, "ann", "phone"), Device(second, "ann", "desk")
        cls.bob = Device(second, "bob", "phone")
        for device in (cls.here, cls.there, cls.bob):
            cls.addClassCleanup(device.close)

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.check_account)

    def stored(self, *message_ids: str) -> account.History:
        """The database, once it has these."""

        def ask() -> account.History:
            history = account.history_of(self.cluster.psql(account.rows_of("ann")))
            known = {row.id for rows in history.values() for row in rows}
            return history if known.issuperset(message_ids) else {}

        return wait_until(ask, what=f"rows of {len(message_ids)} messages")

    def kill_dispatchers(self) -> None:
        names = [dispatcher.name for dispatcher in self.cluster.dispatchers]
        for name in names:
            self.cluster.kill(name)
        for name in names:
            self.cluster.start_member(name)

    def expect_same_place(self, acks: list[dict[str, Any]]) -> None:
        """All answers tell it, and it is the only one in the database."""
        for ack in acks:
            self.assertEqual(place(ack), place(acks[0]))
        message_id, conversation = acks[0]["client_msg_id"], acks[0]["conversation"]
        rows = self.stored(message_id)[conversation]
        seqs = [row.seq for row in rows if row.id == message_id]
        self.assertEqual(seqs, [int(acks[0]["seq"])])

    def expect_conflict(self, device: Device, peer: str, message_id: str) -> None:
        answer = device.send(peer, "something else", message_id)
        self.assertEqual(answer.command, ERROR, answer.body)
        self.assertEqual(answer.body["name"], "CONFLICT")
        self.assertEqual(answer.body["client_msg_id"], message_id)
        self.assertFalse(answer.body["retryable"])

    def test_three_times_through_different_edges_and_again_after_a_restart(self) -> None:
        message_id = new_message_id()
        acks = [
            self.here.deliver("bob", "once", message_id),
            self.there.deliver("bob", "once", message_id),
            self.here.deliver("bob", "once", message_id),
        ]
        self.expect_conflict(self.there, "bob", message_id)
        self.kill_dispatchers()
        acks += [device.deliver("bob", "once", message_id) for device in (self.there, self.here)]
        self.expect_conflict(self.here, "bob", message_id)
        self.expect_same_place(acks)
        last = self.here.deliver("bob", "the one behind it")
        self.assertEqual(int(last["seq"]), int(acks[0]["seq"]) + 1)
        got = self.bob.wait_message(CONVERSATION, int(last["seq"]))
        # The successor publishes again what may not have been: the same, for the gap rule to drop.
        seqs = {m["seq"] for m in got if m["client_msg_id"] == message_id}
        self.assertEqual(seqs, {acks[0]["seq"]})
        there = self.bob.history(CONVERSATION)
        self.assertEqual([m["seq"] for m in there if m["client_msg_id"] == message_id], [*seqs])

    def test_at_the_same_moment_through_both_edges(self) -> None:
        for _ in range(20):
            message_id = new_message_id()
            asked = [
                (device, device.ask_send("bob", "at once", message_id, age_ms=0))
                for device in (self.here, self.there, self.here)
            ]
            answers = [device.answer(request) for device, request in asked]
            self.assertEqual([a.command for a in answers], [ACK] * 3, answers)
            for answer in answers:
                self.assertEqual(place(answer.body), place(answers[0].body))

    def test_of_two_contents_at_the_same_moment_one_is_refused(self) -> None:
        for _ in range(20):
            message_id = new_message_id()
            one = self.here.ask_send("bob", "the one", message_id, age_ms=0)
            other = self.there.ask_send("bob", "the other", message_id, age_ms=0)
            answers = [self.here.answer(one), self.there.answer(other)]
            self.assertEqual(sorted(a.command for a in answers), [ACK, ERROR], answers)
            error = next(a for a in answers if a.command == ERROR)
            self.assertEqual(error.body["name"], "CONFLICT")

    def test_what_only_the_database_remembers(self) -> None:
        """Long stored, and the dispatchers know nothing of it but by asking."""
        message_id = new_message_id()
        first = self.here.deliver("bob", "old", message_id)
        self.stored(message_id)
        self.kill_dispatchers()
        again = self.there.deliver("bob", "old", message_id, age_known=False)
        self.assertEqual(again["level"], "Stored")
        self.expect_same_place([first, again])
        self.expect_conflict(self.here, "bob", message_id)

    def test_both_dispatchers_die_while_it_is_sent(self) -> None:
        chance = random.Random(self.seed)
        for turn in range(KILLS):
            with self.subTest(turn=turn):
                self.send_through_a_death(chance.uniform(0, 0.2))

    def send_through_a_death(self, moment: float) -> None:
        """Twenty messages, each three times through both edges, and once more after the death."""
        messages = [(PEERS[n % len(PEERS)], new_message_id()) for n in range(20)]
        acks: dict[str, list[dict[str, Any]]] = {message_id: [] for _, message_id in messages}

        def send_all(device: Device) -> None:
            for peer, message_id in messages:
                acks[message_id].append(device.deliver(peer, f"to {peer}", message_id))

        with ThreadPoolExecutor(3) as pool:
            runs = [pool.submit(send_all, d) for d in (self.here, self.there, self.here)]
            time.sleep(moment)  # this is the chance, not a wait for something
            self.kill_dispatchers()
            for run in runs:
                run.result()
        send_all(self.there)
        history = self.stored(*acks)
        for answers in acks.values():
            first = answers[0]
            self.assertEqual([place(ack) for ack in answers], [place(first)] * 4)
            rows = history[first["conversation"]]
            self.assertEqual([row.seq for row in rows], list(range(1, len(rows) + 1)))
            self.assertEqual(rows[int(first["seq"]) - 1].id, first["client_msg_id"])


if __name__ == "__main__":
    unittest.main()
