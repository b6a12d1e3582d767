"""The link between one edge and NATS is cut, slow, or loses one message. Devices of that edge lack
live events then; each finds the gap by itself, fills it and shows nothing twice, within the
tail-check interval."""

from __future__ import annotations

import time
import unittest
from collections.abc import Sequence
from typing import Any, ClassVar

import account
import swarm
from losses import Loss
from support import LinkedClusterTest, chosen_seed, new_directory, wait_until

FAULTY = "edge-2"
TAIL_CHECK_S = 30
USERS = [f"user{number:02}" for number in range(50)]
RATE = 500
WARM_UP_MESSAGES = 2500  # every conversation is known to its dispatcher then
CUT_S = 5.0
SLOW_BYTES_PER_S = 20_000
SLOW_S = 10.0

COUNTERS = ["sent", "logins", "syncs", "gaps", "live_missed", "fetches", "fetched", "repeats"]
EDGE_COUNTERS = ["bus_reconnects_total", "edge_resyncs_total", "edge_repeats_total"]
LAST = "the very last words"

Counters = dict[str, int]


class LinksTest(LinkedClusterTest):
    linked = FAULTY
    overrides: ClassVar[dict[str, dict[str, Any]]] = {"edge": {"edge.tail_check_s": TAIL_CHECK_S}}
    apis = 0
    traffic: ClassVar[swarm.Swarm]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.traffic = cls.start_swarm(
            USERS, pairs=swarm.ring(USERS, 2), rate=RATE, stored_percent=5, seed=chosen_seed()
        )

    @classmethod
    def start_swarm(cls, users: Sequence[str], **config: Any) -> swarm.Swarm:
        """A device a user, on the good edge and on the faulty one by turns."""
        swarm.add_accounts(cls.cluster, users)
        members = swarm.members(users, [edge.listen for edge in cls.cluster.edges])
        started = swarm.Swarm(new_directory("swarm"), members=members, register=False, **config)
        cls.addClassCleanup(started.close)
        started.wait("ready")
        # The SYNC of the login and the one behind it are over: the next is the tail check.
        wait_until(lambda: started.tick()["syncs"] >= 2 * len(users), what="both first SYNCs")
        return started

    def setUp(self) -> None:
        self.addCleanup(self.link.heal)
        self.edge_before = self.cluster.service(FAULTY).metrics()

    def edge_counted(self, name: str) -> float:
        """How much a counter of the edge with the faulty link has grown in this test."""
        series = f"martlet_{name}"
        return self.cluster.service(FAULTY).metrics()[series] - self.edge_before[series]

    def wait_complete(self, members: swarm.Swarm, since: float) -> float:
        """Every message is acknowledged and shown at both ends, though nobody told the devices to
        look. The seconds that it took."""

        def is_complete() -> bool:
            now = members.tick()
            return bool(now["acked"] == now["sent"] and now["received"] >= 2 * now["sent"])

        wait_until(is_complete, since + TAIL_CHECK_S - time.monotonic(), "all messages shown")
        return time.monotonic() - since

    # Under traffic.

    def wait_for_more(self, count: int) -> None:
        """So many more messages are acknowledged, and as many are shown to others."""
        before = self.traffic.tick()

        def grown() -> bool:
            now = self.traffic.tick()
            return all(now[name] - before[name] >= count for name in ("acked", "received"))

        wait_until(grown, what=f"{count} messages more")

    def heal_and_check(self, before: Counters) -> Counters:
        """What the counters of all devices grew by until they were complete again. Nothing new is
        sent meanwhile."""
        self.traffic.ask("stop", "stopped")
        self.link.heal()
        healed = time.monotonic()
        seconds = self.wait_complete(self.traffic, healed)
        now = self.traffic.tick()
        grown = {name: now[name] - before[name] for name in COUNTERS}
        print(f"{self._testMethodName}: complete {seconds:.1f} s after the link was well: {grown}")
        for name in EDGE_COUNTERS:
            print(f"  {name} {self.edge_counted(name):g}")
        self.assertEqual(self.traffic.drain()["refused"], 0, "messages were refused")
        self.assertEqual(swarm.problems_of(self.traffic, self.cluster), [])
        return grown

    def begin_traffic(self) -> Counters:
        self.traffic.ask("start", "sending")
        self.wait_for_more(WARM_UP_MESSAGES)
        return self.traffic.tick()

    def flow(self, seconds: float) -> None:
        """The load goes on for this long; nothing is waited for."""
        time.sleep(seconds)

    def test_a_link_cut_under_traffic(self) -> None:
        before = self.begin_traffic()
        self.link.cut()
        self.flow(CUT_S)
        grown = self.heal_and_check(before)
        self.assertEqual(grown["logins"], 0, "devices stayed connected")
        self.assertGreater(grown["gaps"] + grown["live_missed"], 0, "gaps were found")
        self.assertGreater(grown["fetched"], 0, "and filled")
        self.assertGreaterEqual(self.edge_counted("bus_reconnects_total"), 1)
        self.assertGreaterEqual(self.edge_counted("edge_resyncs_total"), len(USERS) / 2)

    def test_a_slow_link_under_traffic(self) -> None:
        before = self.begin_traffic()
        accepted = self.link.accepted
        self.link.slow(SLOW_BYTES_PER_S)
        self.flow(SLOW_S)
        # Both of the edge's connections find themselves dead sooner or later, and what they had not
        # read is lost.
        wait_until(lambda: self.link.accepted >= accepted + 2, 60, "both connections anew")
        now = self.traffic.tick()
        self.assertLess(now["acked"], now["sent"] - RATE, "the link was slow")
        grown = self.heal_and_check(before)
        self.assertGreater(grown["gaps"] + grown["live_missed"], 0, "gaps were found")
        self.assertGreater(grown["fetched"], 0, "and filled")

    # The last message of a conversation: none follows that would show the gap.

    def start_pair(self, sender: str, receiver: str) -> swarm.Swarm:
        """The receiver is on the edge with the faulty link."""
        pair = self.start_swarm([sender, receiver])
        pair.say(f"send {sender} d1 {receiver} the first words")
        wait_until(lambda: pair.tick()["received"] == 2, what="the first message at both")
        return pair

    def check_last(self, pair: swarm.Swarm, receiver: str) -> None:
        """The event is lost by now; the receiver gets the message all the same, once."""
        seconds = self.wait_complete(pair, time.monotonic())
        now = pair.tick()
        print(f"{self._testMethodName}: {seconds:.1f} s", {name: now[name] for name in COUNTERS})
        self.assertEqual((now["gaps"], now["live_missed"], now["fetched"]), (0, 1, 1))
        pair.drain()
        journals = account.read_journals(pair.journals)
        [journal] = [journal for journal in journals if journal.user == receiver]
        [entries] = journal.received.values()
        self.assertEqual([entry.seq for entry in entries], [1, 2])
        self.assertEqual(swarm.problems_of(pair, self.cluster), [])

    def test_a_link_cut_before_the_last_message(self) -> None:
        pair = self.start_pair("anna", "bert")

        def drop(direction: str, data: bytes) -> bool:
            if direction == "up" or LAST.encode() not in data:
                return False
            self.link.drop_when = None
            return True

        dropped = self.link.dropped
        self.link.drop_when = drop
        pair.say(f"send anna d1 bert {LAST}")
        wait_until(lambda: self.link.dropped > dropped, what="the link to be cut")
        self.check_last(pair, "bert")
        self.assertEqual(self.edge_counted("bus_reconnects_total"), 1)
        self.assertGreaterEqual(self.edge_counted("edge_resyncs_total"), 1)

    def test_a_lost_message_that_nothing_hints_at(self) -> None:
        pair = self.start_pair("carl", "dora")
        loss = Loss(lambda subject, data: subject.startswith("im.u.") and LAST.encode() in data)
        self.link.change = loss
        pair.say(f"send carl d1 dora {LAST}")
        wait_until(lambda: loss.taken, what="the message to come by")
        self.check_last(pair, "dora")
        self.assertEqual(loss.taken, ["im.u.dora"])
        self.assertEqual(self.edge_counted("bus_reconnects_total"), 0)
        self.assertEqual(self.edge_counted("edge_resyncs_total"), 0)
        # The device told the edge, which renews that subscription unless it has only just begun.
        self.assertEqual(self.edge_counted("edge_live_missed_total"), 1)


if __name__ == "__main__":
    unittest.main()
