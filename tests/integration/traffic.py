"""What tests under load share: fifty users on all edges who write to each other all the time, and
whose account must be right in the end, whatever else the test did meanwhile."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import shard_logs
import swarm
from support import ClusterTest, chosen_seed, longer, new_directory, wait_until

USERS = [f"user{number:02}" for number in range(50)]
RATE = 600
LEAST_RATE = 500
DRAIN_TIMEOUT_S = 60


class TrafficTest(ClusterTest):
    """Begins to send before each test. The test, or a cleanup of it, calls check_account, which ends
    the sending."""

    # What is in the logs stays there for the whole file, so that it can be read from its start.
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "persist": {"persist.keep_s": int(longer(600))}
    }
    reach: ClassVar[int] = 4  # of the ring
    rate: ClassVar[int] = RATE
    text_bytes: ClassVar[list[int]] = [20, 200]
    least_rate: ClassVar[int] = LEAST_RATE  # below it there was less than the test asked for
    traffic: ClassVar[swarm.Swarm]
    logs: ClassVar[shard_logs.ShardLogs]
    seed: ClassVar[int]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.seed = chosen_seed()
        swarm.add_accounts(cls.cluster, USERS)
        cls.traffic = swarm.Swarm(
            new_directory("traffic"),
            members=swarm.members(USERS, [edge.listen for edge in cls.cluster.edges]),
            pairs=swarm.ring(USERS, cls.reach),
            register=False,
            rate=cls.rate,
            stored_percent=5,
            text_bytes=cls.text_bytes,
            seed=cls.seed,
        )
        cls.addClassCleanup(cls.traffic.close)
        cls.traffic.wait("ready", 60)
        cls.logs = shard_logs.ShardLogs(cls.cluster.nats)

    def setUp(self) -> None:
        self.sent_before = self.traffic.tick()["sent"]
        self.begin = time.monotonic()
        self.traffic.ask("start", "sending")

    @classmethod
    def wait_for_more(cls, count: int, timeout: float = 30) -> None:
        """So many more messages are acknowledged, and shown to both members of the conversation."""
        before = cls.traffic.tick()

        def grown() -> bool:
            now = cls.traffic.tick()
            return bool(
                now["acked"] - before["acked"] >= count
                and now["received"] - before["received"] >= 2 * count
            )

        wait_until(grown, timeout, f"{count} messages more")

    def check_account(self) -> None:
        """No more is sent; all of it is in the logs, in the database and at every device."""
        wait_until(
            lambda: self.traffic.tick()["sent"] - self.sent_before >= LEAST_RATE,
            what="enough traffic to tell its rate",
        )
        seconds = time.monotonic() - self.begin
        summary = self.drain()
        drained = time.monotonic() - self.begin - seconds
        sent = summary["sent"] - self.sent_before
        print(f"{self._testMethodName}: {sent} in {seconds:.1f} s, drained in {drained:.1f} s")
        print(summary)
        self.assertEqual(self.logs.check(), [], "the logs")
        self.assertEqual(swarm.problems_of(self.traffic, self.cluster), [])
        self.assertEqual(summary["ended"], 0, "devices ended")
        self.assertEqual(summary["refused"], 0, "messages were refused")
        # Programs that are slow on purpose are slower still when they share the machine.
        least_rate = self.least_rate / longer(1) ** 2
        self.assertGreaterEqual(sent / seconds, least_rate, "there was less traffic than asked for")

    def drain(self) -> dict[str, Any]:
        """Says what is there when not everything is answered and shown in time."""
        try:
            return self.traffic.drain(DRAIN_TIMEOUT_S)
        except AssertionError:
            print("in the logs:", self.logs.check() or "nothing wrong")
            print("in the account:", *swarm.problems_of(self.traffic, self.cluster), sep="\n  ")
            print(self.traffic.tick())
            raise
