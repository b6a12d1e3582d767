"""Edges that come and go while people chat: clients are sent where there is room, nobody is sent to
an edge that stops or has died, and nothing is lost or doubled."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import unittest
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import swarm
from support import ClusterTest, longer, new_directory, wait_until

from martlet_cluster import paths, ports

# So many that what an edge may have too many without moving any (20) is within a quarter of its share.
CLIENTS = 240
RATE = 200
STRATEGIES = ("consistent_hash", "least_active", "weighted_random", "round_robin")


class Moves(ClusterTest):
    edges = 3
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        # Few clients need no window, and an edge asks soon whether it has too many.
        "edge": {"edge.rebalance_s": 1, "stop_timeout_ms": 30_000}
    }

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        status, text = self.cluster.apis[0].get(path)
        return status, json.loads(text)

    def routed_to(self, strategy: str = "least_active") -> str:
        status, route = self.get(f"/v1/route?user=ann&strategy={strategy}")
        self.assertEqual(status, 200, route)
        return str(route["address"])

    def live(self) -> set[str]:
        return {edge["address"] for edge in self.get("/v1/edges")[1]["edges"]}

    def wait_known(self) -> None:
        """The api has heard of all edges that run."""
        listening = {edge.listen for edge in self.cluster.edges}
        wait_until(lambda: self.live() == listening, 30, "the api knows the edges")

    def sessions(self) -> list[int]:
        return [int(edge.metrics()["martlet_edge_sessions"]) for edge in self.cluster.edges]

    def wait_level(self) -> None:
        """Everybody has a session, and no edge has much more than its share."""

        def is_level() -> bool:
            counts = self.sessions()
            return sum(counts) == CLIENTS and max(counts) <= 1.25 * CLIENTS / len(counts) + 1

        wait_until(is_level, 60, "the sessions are level")

    def test_an_edge_leaves_and_another_comes_while_people_chat(self) -> None:
        self.wait_known()
        users = [f"user{number:03}" for number in range(CLIENTS)]
        swarm.add_accounts(self.cluster, users)
        crowd = swarm.Swarm(
            new_directory("crowd"),
            members=swarm.members(users, [edge.listen for edge in self.cluster.edges]),
            pairs=swarm.ring(users, 2),
            api=f"http://{self.cluster.apis[0].http}",
            register=False,
            rate=RATE,
        )
        self.addCleanup(crowd.close)
        crowd.wait("ready", 60)
        crowd.ask("start", "sending")
        self.wait_level()
        leaver = self.cluster.edges[-1].name
        self.cluster.remove(leaver)
        self.wait_level()
        self.cluster.add("edge")
        self.wait_level()
        wait_until(lambda: self.moved() >= CLIENTS // 5, 30, "the new edge got its share")
        crowd.drain()
        self.assertEqual(swarm.problems_of(crowd, self.cluster), [])

    def moved(self) -> float:
        """By rebalancing; they are told one after the other."""
        told = [edge.metrics() for edge in self.cluster.edges]
        return sum(one['martlet_edge_moves_total{reason="rebalance"}'] for one in told)

    def test_nobody_is_sent_to_an_edge_that_drains(self) -> None:
        self.wait_known()
        name = self.cluster.add("edge", {"edge.drain_delay_ms": 3_000})
        leaver = next(edge for edge in self.cluster.edges if edge.name == name)
        self.wait_known()
        address = leaver.listen
        seen = Counter(self.routed_to("round_robin") for _ in range(8))
        self.assertIn(address, seen)
        self.cluster.kill(name, 15)
        wait_until(lambda: self.draining(address), 30, "the api knows that it drains")
        self.assertEqual(leaver.get("/readyz")[0], 503, "what stands before it may know")
        for strategy in STRATEGIES:
            self.assertNotIn(address, {self.routed_to(strategy) for _ in range(20)}, strategy)
        self.assertEqual(self.cluster.wait_exit(name), 0)
        self.cluster.remove(name)

    def draining(self, address: str) -> bool:
        edges = self.get("/v1/edges")[1]["edges"]
        return any(edge["address"] == address and edge["draining"] for edge in edges)

    def test_nobody_is_sent_to_an_edge_that_was_killed(self) -> None:
        name = self.cluster.add("edge")
        address = next(edge.listen for edge in self.cluster.edges if edge.name == name)
        self.wait_known()
        self.cluster.kill(name)
        wait_until(lambda: address not in self.live(), 30, "the api has noticed")
        for strategy in STRATEGIES:
            self.assertNotIn(address, {self.routed_to(strategy) for _ in range(20)}, strategy)
        self.cluster.remove(name)

    def test_changes_of_the_edges_are_streamed(self) -> None:
        self.wait_known()
        host, port = self.cluster.apis[0].http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=longer(30))
        self.addCleanup(connection.close)
        headers = {"Accept": "text/event-stream", **self.cluster.apis[0].bearer("viewer")}
        connection.request("GET", "/v1/edges", headers=headers)
        answer = connection.getresponse()
        self.assertEqual(answer.getheader("Content-Type"), "text/event-stream")

        def next_event() -> tuple[str, dict[str, Any]]:
            name = ""
            while True:
                line = answer.readline().decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    return name, json.loads(line.removeprefix("data: "))

        name, all_edges = next_event()
        self.assertEqual(name, "edges")
        self.assertEqual(len(all_edges["edges"]), len(self.cluster.edges))
        added = self.cluster.add("edge")
        name, edge = next_event()
        self.assertEqual((name, edge["name"], edge["draining"]), ("edge", added, False))
        self.cluster.stop_member(added)
        name, edge = next_event()
        self.assertEqual((name, edge["name"], edge["draining"]), ("edge", added, True))
        name, gone = next_event()
        self.assertEqual((name, gone["edge"]), ("gone", edge["edge"]))
        self.cluster.remove(added)

    def martlet(self, home: Path, *words: str) -> str:
        tool = str(paths.built("src/tools/martlet"))
        done = subprocess.run(
            [tool, "--home", str(home), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=longer(60),
            env={**os.environ, "MARTLET_PASSWORD": "correct horse"},
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_client_that_asks_the_api_goes_where_it_says(self) -> None:
        self.wait_known()
        home = new_directory("home")
        self.martlet(home, "--server", self.cluster.edges[0].listen, "register", "zoe")
        nobody = f"127.0.0.1:{ports.free_port()}"
        api = f"http://{self.cluster.apis[0].http}"
        words = ("--server", nobody, "--api", api, "--route", "consistent_hash")
        self.martlet(home, *words, "send", "zoe", "a note")
        before = self.cluster.apis[0].metrics()
        self.assertGreaterEqual(before['martlet_api_routes_total{strategy="consistent_hash"}'], 1)

    def test_the_api_says_what_is_wrong_with_a_question(self) -> None:
        self.wait_known()
        status, refusal = self.get("/v1/route?user=ann&strategy=best")
        self.assertEqual((status, refusal["error"]), (400, "BAD_RANGE"))
        status, refusal = self.get("/v1/route")
        self.assertEqual((status, refusal["error"]), (400, "BAD_ID"))
        status, scale = self.get("/v1/scale")
        self.assertEqual((status, scale["live_edges"]), (200, len(self.cluster.edges)))


if __name__ == "__main__":
    unittest.main()
