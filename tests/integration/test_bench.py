"""./dev bench: a short run is accounted for to the last message and writes what later ones are
compared by."""

from __future__ import annotations

import json
import subprocess
import unittest
from typing import Any

from support import ROOT, longer, new_directory

TIMEOUT_S = 400

NUMBERS = ("acked_per_s", "delivered_per_s", "p50_ms", "p99_ms", "receive_p50_ms", "receive_p99_ms")
NOTHING = ("lost", "doubled", "unordered", "unanswered")
PROCESSES = {"edge", "dispatcher", "persist", "nats", "postgres", "redis", "generator"}


class Bench(unittest.TestCase):
    def bench(self, *words: str, workload: str = "pairs") -> tuple[dict[str, Any], str]:
        """The file that it writes, and what it prints."""
        file = new_directory("bench") / "result.json"
        times = ("--seconds", f"{longer(1):g}", "--warm-up", f"{longer(0.5):g}")
        common = ("--no-build", "--any-build", "--repeat", "1", *times)
        done = subprocess.run(
            [str(ROOT / "dev"), "bench", workload, *common, "--json", str(file), *words],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        value: dict[str, Any] = json.loads(file.read_text())
        return value, done.stdout

    def check_result(self, value: dict[str, Any]) -> dict[str, Any]:
        self.assertEqual(set(value), {"machine", "results"})
        self.assertEqual(set(value["machine"]), {"cpu", "cores", "memory_bytes", "kernel"})
        (result,) = value["results"]
        self.assertEqual(result["runs"], 1)
        for key in NUMBERS:
            self.assertGreater(result[key], 0, key)
        self.assertLessEqual(result["p50_ms"], result["p99_ms"])
        self.assertLessEqual(result["receive_p50_ms"], result["receive_p99_ms"])
        self.assertEqual(set(result["cpu_us"]), PROCESSES)
        # Of one process a short window may have less than the clock tells.
        self.assertGreater(sum(result["cpu_us"].values()), 0)
        for key in NOTHING:
            self.assertEqual(result[key], 0, key)
        # A machine that stands still for seconds makes the dispatcher refuse.
        self.assertEqual(result["acked"] + result["refused"], result["sent"])
        self.assertGreaterEqual(result["delivered"], result["acked"])
        return dict(result)

    def test_a_closed_loop(self) -> None:
        value, printed = self.bench("--users", "4", "--in-flight", "6", "--idle", "20")
        result = self.check_result(value)
        self.assertEqual((result["ack"], result["in_flight"], result["rate"]), ("logged", 6, None))
        self.assertEqual(set(result["idle_bytes_per_connection"]), {"edge", "nats", "redis"})
        for words in ("pairs, ack logged, 6 in flight, 4 users", "dispatcher", "lost 0"):
            self.assertIn(words, printed)

    def test_a_rate_and_messages_that_must_be_stored_through_two_edges(self) -> None:
        more = ("--edges", "2", "--dispatchers", "2", "--idle", "0")
        value, _ = self.bench("--users", "4", "--rate", "100", "--ack", "stored", *more)
        result = self.check_result(value)
        self.assertEqual((result["ack"], result["in_flight"], result["rate"]), ("stored", None, 100))
        self.assertIsNone(result["idle_bytes_per_connection"])
        # 1.5 s at this rate, and one more at the begin; the end may come late.
        self.assertGreaterEqual(result["sent"], 150)

    def test_workloads_of_many_conversations_again_and_against_before(self) -> None:
        few = ("--users", "12", "--edges", "2", "--only", "in_flight=64,ack=logged")
        file = new_directory("baseline") / "before.json"
        before, _ = self.bench(*few, workload="one-to-one-warm")
        file.write_text(json.dumps(before))
        for workload in ("one-to-one-warm", "one-to-one"):
            value, printed = self.bench(*few, "--repeat", "2", "--against", str(file), workload=workload)
            (result,) = value["results"]
            self.assertEqual((result["workload"], result["runs"]), (workload, 2))
            low, high = result["range"]["acked_per_s"]
            self.assertTrue(low <= result["acked_per_s"] <= high)
            self.assertLessEqual(result["p99_ms"], result["p999_ms"])
            self.assertLessEqual(result["p999_ms"], result["max_ms"])
            is_known = workload == "one-to-one-warm"
            self.assertIn("acked_per_s x" if is_known else "not in the baseline", printed)

    def test_the_floor_and_the_share_of_it(self) -> None:
        few = ("--users", "12", "--in-flight", "8", "--text-bytes", "50")
        value, printed = self.bench("pairs", *few, workload="floor")
        floor, result = value["results"]
        self.assertEqual((floor["workload"], result["workload"]), ("floor", "pairs"))
        for key in ("acked_per_s", "delivered_per_s", "p99_ms", "raw_core_per_s"):
            self.assertGreater(floor[key], 0, key)
        for key in ("frame", "entry", "answer", "event"):
            self.assertGreater(floor["bytes"][key], 50, key)
        share = result["acked_per_s"] / floor["acked_per_s"]
        self.assertAlmostEqual(result["share_of_floor"], share, places=2)
        self.assertIn("of the floor in the same run", printed)

    def test_idle_connections(self) -> None:
        value, printed = self.bench("--idle", "200", "--quiet", "2", workload="idle")
        result, secure = value["results"]
        self.assertEqual((result["tls"], secure["tls"]), (False, True))
        own, shared = "edge_bytes_per_connection", "nats_bytes_per_connection"
        self.assertGreater(secure[own], result[own] + 1000)
        self.assertGreater(secure[shared], 0)
        self.assertIn("idle, 200 connections with TLS to 1 edge", printed)
        self.assertEqual((result["workload"], result["connections"], result["edges"]), ("idle", 200, 1))
        self.assertGreater(result["edge_bytes_per_connection"], 500)
        self.assertGreater(result["nats_bytes_per_connection"], 0)
        self.assertIsInstance(result["redis_bytes_per_connection"], int | float)
        self.assertEqual(set(result["heartbeat_us"]), PROCESSES)
        self.assertIn("idle, 200 connections to 1 edge", printed)

    def test_logins_at_once(self) -> None:
        value, printed = self.bench("--at-once", "6", workload="login")
        self.assertEqual([result["by"] for result in value["results"]], ["token", "password"])
        for result in value["results"]:
            self.assertEqual((result["workload"], result["at_once"]), ("login", 6))
            self.assertGreater(result["logins_per_s"], 0)
            self.assertLessEqual(result["p50_ms"], result["p99_ms"])
            self.assertEqual(set(result["cpu_us"]), PROCESSES)
        self.assertIn("login by password, 6 at once", printed)

    def test_messages_for_absent_users(self) -> None:
        few = ("--users", "8", "--absent", "5", "--messages", "3000", "--in-flight", "64")
        value, printed = self.bench(*few, workload="offline")
        (result,) = value["results"]
        self.assertEqual((result["messages"], result["absent"], result["in_flight"]), (3000, 5, 64))
        for key in NOTHING:
            self.assertEqual(result[key], 0, key)
        self.assertEqual(result["sent"], 3000)
        self.assertEqual(result["acked"] + result["refused"], 3000)
        self.assertGreaterEqual(result["drained"], result["acked"])
        for key in ("stored_per_s", "drained_per_s", "drain_p99_ms"):
            self.assertGreater(result[key], 0, key)
        self.assertEqual(set(result["drain_cpu_us"]), PROCESSES)
        self.assertIn("3,000 messages of 8 users for 5 absent ones", printed)

    def test_a_persist_that_was_away_catches_up(self) -> None:
        few = ("--users", "6", "--rate", "300", "--stopped", "1", "--only", "rate=300")
        value, printed = self.bench(*few, workload="backlog")
        self.assertEqual([result["load"] for result in value["results"]], ["on", "none"])
        for result in value["results"]:
            for key in NOTHING:
                self.assertEqual(result[key], 0, key)
            self.assertEqual(result["acked"] + result["refused"], result["sent"])
            self.assertGreaterEqual(result["backlog_messages"], 200)
            self.assertGreater(result["catch_up_s"], result["first_row_s"])
            for key in ("rows_per_s", "p50_ms", "p99_ms", "receive_p99_ms"):
                self.assertGreater(result[key], 0, key)
        self.assertIn("300 messages/s, persist stopped for 1 s, then alone", printed)
    def test_sockets_and_the_share_of_them(self) -> None:
        few = ("--users", "100", "--in-flight", "8", "--seconds", "0.5", "--warm-up", "0.2")
        value, printed = self.bench("one-to-one", "--only", "ack=logged,size=2,size=100", *few, workload="sockets")
        pair, group, result = value["results"]
        self.assertEqual([pair["size"], group["size"], result["workload"]], [2, 100, "one-to-one"])
        for sockets, copies in ((pair, 1), (group, 99)):
            self.assertEqual(sockets["lost"], 0)
            self.assertGreater(sockets["acked_per_s"], 0)
            self.assertAlmostEqual(sockets["delivered_per_s"] / sockets["acked_per_s"] / copies, 1, places=1)
            self.assertEqual(set(sockets["cpu_us"]), {"servers", "generator"})
            for kind in ("send", "ack", "event"):
                self.assertGreater(sockets["bytes"][kind], 50, kind)
        share = result["delivered_per_s"] / pair["delivered_per_s"]
        self.assertAlmostEqual(result["share_of_sockets"], share, places=2)
        self.assertIn("of the sockets in the same run", printed)

    def test_groups_and_when_the_last_member_has_it(self) -> None:
        few = ("--users", "100", "--only", "size=100,rate=100")
        value, printed = self.bench(*few, workload="group")
        self.assertEqual([result["ack"] for result in value["results"]], ["logged", "stored"])
        for one in value["results"]:
            result = self.check_result({**value, "results": [one]})
            self.assertEqual((result["size"], result["groups"], result["users"]), (100, 10, 100))
            self.assertGreaterEqual(result["sent"], 150)
            self.assertEqual(result["delivered"], 99 * result["acked"])
            self.assertGreaterEqual(result["last_p50_ms"], result["receive_p50_ms"])
            self.assertLess(result["cpu_us_per_delivery"]["edge"], result["cpu_us"]["edge"])
        self.assertIn("the last member has it after", printed)

    def test_groups_with_many_under_way_and_the_share_of_sockets(self) -> None:
        few = ("--users", "100", "--only", "size=100,in_flight=512", "--ack", "stored")
        value, _ = self.bench("group", *few, workload="sockets")
        sockets, group = value["results"]
        result = self.check_result({**value, "results": [group]})
        self.assertEqual((result["ack"], result["in_flight"]), ("stored", 512))
        share = result["delivered_per_s"] / sockets["delivered_per_s"]
        self.assertAlmostEqual(result["share_of_sockets"], share, places=2)

    def test_everybody_to_the_same_place(self) -> None:
        few = ("--users", "20", "--rate", "60")
        for ack in ("logged", "stored"):
            value, _ = self.bench(*few, "--ack", ack, workload="hot")
            to_user, to_group = value["results"]
            for result, kind, users, copies in ((to_user, "user", 21, 1), (to_group, "group", 20, 19)):
                self.check_result({**value, "results": [result]})
                self.assertEqual((result["ack"], result["kind"], result["users"]), (ack, kind, users))
                self.assertGreaterEqual(result["sent"], 90)
                self.assertEqual(result["delivered"], copies * result["acked"])

    def test_bursts_and_what_waits_meanwhile(self) -> None:
        value, printed = self.bench("--users", "40", "--only", "percent=50", workload="burst")
        self.check_burst(value, "logged")
        self.assertIn("bursts of 50 %", printed)
        self.assertIn("with 2,560 in flight", printed)

    def test_bursts_that_must_be_stored(self) -> None:
        few = ("--users", "40", "--only", "percent=50", "--ack", "stored")
        value, _ = self.bench(*few, workload="burst")
        self.check_burst(value, "stored")

    def check_burst(self, value: dict[str, Any], ack: str) -> None:
        """Of 40 users: with few, a burst is more than edge.output_high_bytes for each, and live events
        are left out where the generator does not come to read."""
        result = self.check_result(value)
        self.assertEqual((result["percent"], result["ack"]), (50, ack))
        self.assertEqual(result["saturation_in_flight"], 2560)
        self.assertAlmostEqual(result["rate"], result["saturation_per_s"] / 2, delta=1)
        self.assertEqual(result["refused_without_time"], 0)
        self.assertTrue(result["within_bounds"])
        self.assertGreater(max(second["acked"] for second in result["over_time"]), 0)
        self.assertGreater(len(result["depths"]), 1)
        self.assertEqual(set(result["deepest"]), set(result["depths"][0]) - {"at_s"})

    def test_memory_while_a_full_load_goes_on(self) -> None:
        few = ("--users", "12", "--in-flight", "32")
        value, printed = self.bench(*few, workload="steady")
        result = self.check_result(value)
        self.assertEqual((result["workload"], result["ack"], result["in_flight"]), ("steady", "logged", 32))
        services = PROCESSES - {"generator"}
        self.assertGreater(len(result["memory_over_time"]), 1)
        for row in result["memory_over_time"]:
            self.assertEqual(set(row), {"at_s", *services})
            self.assertTrue(0 <= row["at_s"] <= result["seconds"] + 0.01)
        self.assertEqual(set(result["memory_mib"]), services)
        self.assertEqual(set(result["memory_growth"]), services)
        for kind, held in result["memory_mib"].items():
            self.assertGreater(min(held["fifth"], held["end"]), 0, kind)
        self.assertIsInstance(result["flat"], bool)
        for words in ("steady, ack logged, 32 in flight, 12 users", "memory, MiB, after"):
            self.assertIn(words, printed)

    def test_hostile_clients_and_what_they_cost(self) -> None:
        few = ("--users", "20", "--rate", "50", "--windows", "1")
        kinds = ["bad_frames", "garbage"]
        value, printed = self.bench(*few, "--only", ",".join(f"kind={kind}" for kind in kinds), workload="hostile")
        self.assertEqual([result["kind"] for result in value["results"]], kinds)
        for result in value["results"]:
            for side in ("without", "with"):
                self.assertTrue(result[side]["clean"])
                self.assertGreater(result[side]["acked_per_s"], 0)
                self.assertGreater(min(result[side]["memory_mib"].values()), 1)
            self.assertGreater(result["attackers_cpu"], 0)
            self.assertIn(f"| {result['client']} |", printed)

    def test_what_cannot_be_measured_is_said(self) -> None:
        for words, complaint in (
            (("nothing",), "invalid choice"),
            (("pairs", "--users", "3"), "even number"),
            (("pairs", "--rate", "0"), "more than 0"),
            (("pairs", "--only", "rate"), "'rate' is not KEY=VALUE"),
            (("pairs", "--only", "rate=7"), "no case fits"),
            (("pairs", "--only", "kind=storm"), "there is no kind=storm"),
            (("hostile", "--only", "kind=rain"), "there is no kind=rain"),
            (("hostile", "pairs"), "goes alone"),
        ):
            with self.subTest(words=words):
                done = subprocess.run(
                    [str(ROOT / "dev"), "bench", *words], capture_output=True, text=True, check=False
                )
                self.assertEqual(done.returncode, 2)
                self.assertIn(complaint, done.stderr)


if __name__ == "__main__":
    unittest.main()
