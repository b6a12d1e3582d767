"""Several NATS servers of one private cluster: they know each other, and one of them may die."""

from __future__ import annotations

import json
import unittest

from support import new_directory, wait_until

from martlet_cluster import Cluster
from martlet_cluster.nats_probe import NatsProbe


class ThreeServers(unittest.TestCase):
    def setUp(self) -> None:
        self.cluster = Cluster.only_servers(new_directory("three"), nats_servers=3)
        self.addCleanup(self.cluster.stop, abort=True)
        self.cluster.start_servers()

    def test_a_stream_with_three_copies_survives_a_kill(self) -> None:
        names = [nats.name for nats in self.cluster.nats_servers]
        self.assertEqual(names, ["nats-1", "nats-2", "nats-3"])
        self.assertEqual(len(self.cluster.nats_url.split(",")), 3)
        with NatsProbe(self.cluster.nats_servers[1]) as probe:
            config = json.dumps({"name": "KEPT", "subjects": ["kept"], "num_replicas": 3}).encode()
            self.ask(probe, "$JS.API.STREAM.CREATE.KEPT", config)
            self.ask(probe, "kept", b"one")
            self.cluster.kill("nats-1")
            self.ask(probe, "kept", b"two")
            info = self.ask(probe, "$JS.API.STREAM.INFO.KEPT")
            # One whose answer was lost may be there twice.
            self.assertGreaterEqual(info["state"]["messages"], 2)
        self.cluster.start_member("nats-1")

    @staticmethod
    def ask(probe: NatsProbe, subject: str, data: bytes = b"") -> dict[str, dict[str, int]]:
        """Again while the servers elect."""
        found: dict[str, dict[str, int]] = {}

        def is_answered() -> bool:
            try:
                answer = json.loads(probe.request(subject, data, 2).data or b'{"error": "nobody"}')
            except TimeoutError:
                return False
            found.clear()
            found.update(answer)
            return "error" not in answer

        wait_until(is_answered, what=f"an answer on {subject}")
        return found


if __name__ == "__main__":
    unittest.main()
