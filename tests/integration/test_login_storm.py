"""Many devices log in at once, with passwords hashed at their real cost and more of them than can be
hashed in time: each gets in at last, and no password is hashed that nobody waits for any more."""

from __future__ import annotations

import unittest

import swarm
from support import ClusterTest, new_directory
from wire_client import WireClient

TIMEOUT_S = 400

PASSWORD = "a-password-for-all"
USERS = [f"user{number}" for number in range(50)]


def hashes(metrics: dict[str, float], end: str) -> float:
    return metrics[f'martlet_persist_hashes_total{{end="{end}"}}']


class LoginStorm(ClusterTest):
    """One thread hashes, some 15 of the 50 fit into the queue, and it waits for a second at most."""

    dispatchers = 1
    apis = 0
    overrides = {
        "persist": {
            "persist.hash_threads": 1,
            "persist.hash_queue": 15,
            "persist.hash_wait_ms": 1000,
        }
    }

    def copy_account(self) -> None:
        """One account is registered; the others get its hash, which costs as much to check."""
        WireClient(self.cluster.edges[0].listen).login("first", PASSWORD, "d1", register=True)
        names = ",".join(f"'{user}'" for user in USERS)
        self.cluster.psql(
            "INSERT INTO accounts SELECT name, password_hash, 0 FROM accounts, "
            f"unnest(ARRAY[{names}]) AS name WHERE user_id = 'first';"
        )

    def test_all_get_in_and_nothing_is_hashed_in_vain(self) -> None:
        self.copy_account()
        persist = self.cluster.member("persist-1")
        before = persist.metrics()
        config = {
            "members": swarm.members(USERS, [edge.listen for edge in self.cluster.edges]),
            "pairs": [["user0", "user1"]],
            "password": PASSWORD,
            "register": False,
        }
        with swarm.Swarm(new_directory("storm"), **config) as storm:
            ready = storm.wait("ready", timeout=300)
        self.assertEqual(ready["logins"], len(USERS))
        self.assertEqual(ready["ended"], 0)
        after = persist.metrics()
        grown = {
            end: hashes(after, end) - hashes(before, end)
            for end in ("done", "useless", "dropped", "refused")
        }
        print(grown)
        self.assertEqual(grown["useless"], 0)
        self.assertEqual(grown["done"], len(USERS), "each password once")
        self.assertGreater(grown["refused"], 0, "it was no storm")


if __name__ == "__main__":
    unittest.main()
