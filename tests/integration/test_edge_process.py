"""What an edge's process shows and how it ends: its HTTP address as others are told it, and a stop that
takes no longer than it must, whatever its clients do."""

from __future__ import annotations

import json
import unittest

from support import ClusterTest, wait_until
from wire_client import WireClient

# Less than a stop takes that gives each part its usual time, and more than it needs.
STOP_TIMEOUT_MS = 2500


class EdgeProcess(ClusterTest):
    edges = 1
    dispatchers = 1
    overrides = {"edge": {"stop_timeout_ms": STOP_TIMEOUT_MS, "http.listen": "127.0.0.1:0"}}

    def setUp(self) -> None:
        if not self.cluster.edges[0].alive:
            self.cluster.start_member("edge-1")
        self.cluster.wait_healthy()

    def stop(self) -> None:
        """It ends within its time: after that the exit code is 1."""
        self.cluster.kill("edge-1", 15)
        self.assertEqual(self.cluster.wait_exit("edge-1"), 0)

    def test_others_are_told_the_http_address_as_bound(self) -> None:
        def told() -> list[str]:
            status, page = self.cluster.member("api-1").get("/v1/edges")
            return [edge["http"] for edge in json.loads(page)["edges"]] if status == 200 else []

        wait_until(lambda: told() == [self.cluster.edges[0].http], what="the edge's beat")

    def test_without_clients_it_ends(self) -> None:
        self.stop()

    def test_client_that_does_not_go_away_does_not_keep_it(self) -> None:
        client = WireClient(self.cluster.edges[0].listen)
        client.login("ann", "password1", "d1", register=True)
        self.stop()
        self.assertTrue(client.is_closed_by_peer())


if __name__ == "__main__":
    unittest.main()
