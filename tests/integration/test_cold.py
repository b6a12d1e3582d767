"""Many conversations, touched once each, and again when the dispatchers have forgotten them: the
numbers go on where the database says, and the database is asked for many at a time. Fifty others
write meanwhile, in conversations that stay warm."""

from __future__ import annotations

import unittest

import account
import swarm
from support import longer, new_directory, wait_until
from traffic import TrafficTest

SENDERS = [f"sender{number:02}" for number in range(20)]
# Twenty senders to each of these: 30,000 conversations.
PEERS = [f"peer{number:04}" for number in range(1500)]
PEERS_ONLINE = PEERS[:5]
CONVERSATIONS = len(SENDERS) * len(PEERS)
HEADS_PER_SHARD = 10
SHARDS = 16
# Of 1,280 requests on the way, 80 a shard; a question for each message would have one.
LEAST_ITEMS_A_QUESTION = 3
ROUND_TIMEOUT_S = 120


class ColdTest(TrafficTest):
    apis = 0
    reach = 1  # fifty conversations, three a shard
    overrides = {
        "dispatcher": {"dispatcher.heads_per_shard": HEADS_PER_SHARD},
        "persist": {"persist.keep_s": int(longer(600))},
    }

    def setUp(self) -> None:
        swarm.add_accounts(self.cluster, SENDERS + PEERS)
        edges = [edge.listen for edge in self.cluster.edges]
        self.swarm = swarm.Swarm(
            new_directory("cold"),
            members=swarm.members(SENDERS + PEERS_ONLINE, edges),
            register=False,
        )
        self.addCleanup(self.swarm.close)
        self.swarm.wait("ready")
        super().setUp()

    def send_to_each(self, text: str) -> None:
        """One message in every conversation, all acknowledged when this returns."""
        lines = [f"send {sender} d1 {peer} {text}" for peer in PEERS for sender in SENDERS]
        self.swarm.say("\n".join(lines))
        summary = self.swarm.drain(ROUND_TIMEOUT_S)
        print(text, summary)
        self.assertEqual((summary["refused"], summary["ended"]), (0, 0))

    def counted(self, name: str) -> float:
        """Over all dispatchers, or over all persists."""
        services = [*self.cluster.dispatchers, *self.cluster.persists]
        return sum(service.metrics().get(name, 0) for service in services)

    def wait_forgotten(self) -> None:
        wait_until(
            lambda: self.counted("martlet_dispatcher_heads") <= HEADS_PER_SHARD * SHARDS,
            what="the dispatchers to forget the conversations",
        )

    def test_forgotten_conversations_go_on_with_seq_2(self) -> None:
        names = [
            "martlet_dispatcher_cold_items_total",
            "martlet_dispatcher_cold_questions_total",
            "martlet_persist_cold_items_total",
            "martlet_persist_cold_queries_total",
        ]
        self.send_to_each("first")
        self.wait_forgotten()
        # The others ask as well while this is read: of persist first, so that it has no less.
        before = {name: self.counted(name) for name in reversed(names)}
        self.send_to_each("second")
        items, questions = (self.counted(name) - before[name] for name in names[:2])
        wait_until(
            lambda: self.counted(names[2]) - before[names[2]] >= items,
            what="persist to be asked for as much as the dispatchers say",
        )
        queries = self.counted(names[3]) - before[names[3]]
        print(f"{items:.0f} items in {questions:.0f} questions and {queries:.0f} queries")
        self.check_account()
        self.check_cold_account()
        self.assertGreaterEqual(items, CONVERSATIONS - HEADS_PER_SHARD * SHARDS)
        self.assertGreaterEqual(items / questions, LEAST_ITEMS_A_QUESTION)
        self.assertLessEqual(queries, self.counted(names[1]) - before[names[1]])

    def check_cold_account(self) -> None:
        self.assertEqual(swarm.problems_of(self.swarm, self.cluster), [])
        seqs: dict[str, list[int]] = {}
        for journal in account.read_journals(self.swarm.journals):
            for conversation, seq in journal.acked.values():
                seqs.setdefault(conversation, []).append(seq)
        self.assertEqual(len(seqs), CONVERSATIONS)
        wrong = {name: told for name, told in seqs.items() if told != [1, 2]}
        self.assertEqual(list(wrong.items())[:5], [])


if __name__ == "__main__":
    unittest.main()
