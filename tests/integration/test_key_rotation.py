"""The signing key is exchanged while the edge goes on: it learns the new public key by itself, takes
tokens of both, and forgets the old key when its file is gone."""

from __future__ import annotations

import unittest

from support import ClusterTest, wait_until
from wire_client import AUTH, ERROR, WireClient

from martlet_cluster import keys


class KeyRotation(ClusterTest):
    edges = 1
    dispatchers = 1
    apis = 0

    def log_in(self, **options: bool) -> str:
        return WireClient(self.cluster.edges[0].listen).login("ann", "password1", "d1", **options)

    def refusal(self, token: str) -> str | None:
        """What the edge has against the token."""
        client = WireClient(self.cluster.edges[0].listen)
        answer = client.call(AUTH, access_token=token)
        client.close()
        return str(answer.body["name"]) if answer.command == ERROR else None

    def wait_for_log(self, text: str) -> None:
        edge = self.cluster.edges[0]
        wait_until(lambda: text in edge.log_tail(1000), what=f"{text} in the edge's log")

    def test_edge_follows_the_keys_without_a_restart(self) -> None:
        edge, pid = self.cluster.edges[0], self.cluster.edges[0].pid
        old = self.log_in(register=True)
        directory = self.cluster.directory
        new_key = keys.make_pair(directory, "k2")
        self.wait_for_log("public_keys_changed keys=k1,k2")
        self.cluster.override("persist-1", "auth.signing_key", str(new_key))
        self.cluster.restart("persist-1")
        new = self.log_in()
        self.assertEqual([self.refusal(token) for token in (old, new)], [None, None])

        (keys.public_keys(directory) / "k1.pem").unlink()
        self.wait_for_log("public_keys_changed keys=k2")
        self.assertEqual([self.refusal(token) for token in (old, new)], ["TOKEN_INVALID", None])

        broken = keys.public_keys(directory) / "k3.pem"
        broken.write_text("half of a key")
        self.wait_for_log("public_keys_not_read")
        self.assertIsNone(self.refusal(new), "the keys stay as they were")
        self.assertEqual(edge.pid, pid)


if __name__ == "__main__":
    unittest.main()
