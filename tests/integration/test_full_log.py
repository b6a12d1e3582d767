"""A shard's log reaches its limit while nobody stores it: senders are refused with a time to retry,
the log keeps its oldest entry, and all goes on when persist is back."""

from __future__ import annotations

import time
import unittest
from typing import Any, ClassVar

import account
import shard_logs
import swarm
from martlet_cluster.nats_probe import NatsProbe
from raw_client import Device, age_ms, new_message_id, register
from support import ClusterTest, chosen_seed, new_directory, wait_until
from traffic import RATE, USERS, least_rate
from wire_client import ACK, ERROR, Frame

STREAM = "IM_LOG_0"
LOG_BYTES = 1 << 20
KEEP_ALL_S = 600
KEEP_S = 1  # a full log has room again when what is stored is not kept any longer
# Texts of each size are sent until one is refused: in the end not even a word finds room.
TEXT_BYTES = [20_000, 2_000, 20]
# The owner reckons too much for an entry, and corrects that by looking at the log every 0.5 s.
FULL_FOR_S = 2.0
REPEATS_WHEN_FULL = 20
CONVERSATION = "u:ann:bob"
REFUSALS = 200
MESSAGES_AT_THE_LIMIT = 4000  # more than the log holds: it is full again after its first purge


class FullLog(ClusterTest):
    """One shard, so that everybody writes to the log that is full."""

    dispatchers = 1
    apis = 0
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "edge": {"cluster.shards": 1},
        "dispatcher": {"cluster.shards": 1, "shard.log_bytes": LOG_BYTES},
        "persist": {"cluster.shards": 1, "persist.keep_s": KEEP_ALL_S},
    }

    def dispatcher(self, name: str) -> float:
        return self.cluster.dispatchers[0].metrics()[f"martlet_dispatcher_{name}"]

    def refused(self) -> float:
        return self.dispatcher('refused_total{code="LOG_FULL"}')

    def log(self) -> dict[str, Any]:
        with NatsProbe(self.cluster.nats) as probe:
            return probe.streams()[STREAM]

    def start_persist_that_purges(self) -> None:
        self.cluster.override("persist", "persist.keep_s", KEEP_S)
        self.cluster.start_member("persist-1")

    def expect_full_but_not_over(self) -> None:
        log = self.log()
        self.assertEqual(log["first_seq"], 1, "the log lost its oldest entry")
        self.assertEqual(log["messages"], log["last_seq"])
        self.assertLessEqual(log["bytes"], LOG_BYTES)
        self.assertGreater(log["bytes"], LOG_BYTES * 0.95, "refused before it was full")
        self.assertEqual(shard_logs.ShardLogs(self.cluster.nats).check(), [])


class Refused(FullLog):
    """What a client sees, frame by frame."""

    ann: Device
    bob: Device

    def setUp(self) -> None:
        one, two = (edge.listen for edge in self.cluster.edges)
        register(one, "ann", "bob")
        self.ann, self.bob = Device(one, "ann", "phone"), Device(two, "bob", "phone")
        self.addCleanup(self.ann.close)
        self.addCleanup(self.bob.close)

    def expect_refusal(self, answer: Frame) -> None:
        self.assertEqual(answer.command, ERROR, answer.body)
        self.assertEqual((answer.body["code"], answer.body["name"]), (66, "LOG_FULL"))
        self.assertIs(answer.body["retryable"], True)
        self.assertGreaterEqual(answer.body["retry_after_ms"], 1000)

    def send(self, size: int, message_id: str) -> Frame:
        return self.ann.send("bob", "x" * size, message_id, age_ms=age_ms(message_id))

    def fill(self) -> tuple[list[str], str]:
        """The accepted messages in their order, and one of the least size that is refused."""
        accepted: list[str] = []
        for size in TEXT_BYTES:
            message_id, since = new_message_id(), time.monotonic()
            full_for_s = FULL_FOR_S if size == TEXT_BYTES[-1] else 0
            while True:
                answer = self.send(size, message_id)
                if answer.command == ACK:
                    accepted.append(message_id)
                    self.assertEqual(int(answer.body["seq"]), 1 + len(accepted))
                    # Who does not read gets no live events in the end, and this device never syncs.
                    self.bob.wait_message(CONVERSATION, 1 + len(accepted))
                    message_id, since = new_message_id(), time.monotonic()
                    continue
                self.expect_refusal(answer)
                self.assertEqual(answer.body["client_msg_id"], message_id)
                if time.monotonic() - since > full_for_s:
                    break
        return accepted, message_id

    def stored(self) -> list[account.Entry]:
        return account.history_of(self.cluster.psql(account.ROWS)).get(CONVERSATION, [])

    def test_refused_with_a_time_to_retry_and_accepted_when_there_is_room(self) -> None:
        first = self.ann.deliver("bob", "the first")["client_msg_id"]
        wait_until(self.stored, what="the first message in the database")
        self.cluster.stop_member("persist-1")
        doubts = self.dispatcher("doubts_total")
        accepted, refused = self.fill()
        print(f"{len(accepted)} accepted, {self.log()}")
        self.expect_all_refused_but_what_is_there(accepted[-1], refused)
        self.expect_full_but_not_over()
        self.assertEqual(self.dispatcher("doubts_total"), doubts, "a full log is no doubt")
        seen = self.bob.wait_message(CONVERSATION, 1 + len(accepted))
        self.assertEqual([m["client_msg_id"] for m in seen], [first, *accepted])

        self.start_persist_that_purges()
        ack = self.ann.deliver("bob", "x" * TEXT_BYTES[-1], refused)
        self.assertEqual(int(ack["seq"]), 2 + len(accepted))
        self.assertGreater(self.log()["first_seq"], 1)
        ids = [first, *accepted, refused]
        wait_until(lambda: len(self.stored()) >= len(ids), what="all in the database")
        self.assertEqual([(e.seq, e.id) for e in self.stored()], list(enumerate(ids, 1)))
        seen = self.bob.wait_message(CONVERSATION, len(ids))
        self.assertEqual([m["client_msg_id"] for m in seen], ids)

    def expect_all_refused_but_what_is_there(self, there: str, refused: str) -> None:
        log, count = self.log(), self.refused()
        for _ in range(REPEATS_WHEN_FULL):
            self.expect_refusal(self.send(TEXT_BYTES[-1], refused))
            self.expect_refusal(self.bob.send("ann", "x" * TEXT_BYTES[-1], age_ms=0))
        self.assertEqual(self.refused(), count + 2 * REPEATS_WHEN_FULL)
        again = self.send(TEXT_BYTES[-1], there)
        self.assertEqual(again.command, ACK, "a repeat needs no room")
        self.assertEqual(self.log(), log, "the log changed")


class AtTheLimit(FullLog):
    """What the client library does about it."""

    def setUp(self) -> None:
        swarm.add_accounts(self.cluster, USERS)
        self.traffic = swarm.Swarm(
            new_directory("traffic"),
            members=swarm.members(USERS, [edge.listen for edge in self.cluster.edges]),
            pairs=swarm.ring(USERS, 2),
            register=False,
            rate=RATE,
            stored_percent=5,
            seed=chosen_seed(),
        )
        self.addCleanup(self.traffic.close)
        self.traffic.wait("ready")

    def test_traffic_is_repeated_until_there_is_room(self) -> None:
        begin = time.monotonic()
        self.traffic.ask("start", "sending")
        wait_until(lambda: self.traffic.tick()["acked"] > 2 * RATE, what="warm conversations")
        rate = self.traffic.tick()["sent"] / (time.monotonic() - begin)
        self.assertGreaterEqual(rate, least_rate(), "there was less traffic than asked for")
        self.cluster.stop_member("persist-1")
        wait_until(lambda: self.refused() > REFUSALS, what="refusals under traffic")
        self.expect_full_but_not_over()
        self.start_persist_that_purges()
        sent = self.traffic.tick()["sent"]
        wait_until(
            lambda: self.traffic.tick()["sent"] > sent + MESSAGES_AT_THE_LIMIT, what="more traffic"
        )
        summary = self.traffic.drain()
        print(f"{self.refused():g} refusals, {self.log()}")
        print(summary)
        self.assertEqual(swarm.problems_of(self.traffic, self.cluster), [])
        self.assertEqual(summary["ended"], 0, "devices ended")
        self.assertEqual(summary["refused"], 0, "messages were refused for good")
        self.assertGreater(summary["repeats"], REFUSALS)


if __name__ == "__main__":
    unittest.main()
