"""What ./dev bench steady makes of what it reads; nothing is started."""

from __future__ import annotations

import os
import subprocess
import unittest

from support import wait_until

from martlet_bench import messages, steady, summary, surroundings, usage
from martlet_bench.main import chosen, parse
from martlet_bench.sampler import Row, Sampler

MINUTE_S = 60.0
KINDS = ("edge", "dispatcher", "persist", "nats", "postgres", "redis")


def rows(**ends: float) -> list[Row]:
    """Ten minutes of 100 MiB each; what is named grows to so much between those that are compared."""
    found = []
    for at_s in range(0, 601, 10):
        share = min(max(0.0, (at_s - 150) / 390), 1.0)
        sizes = {kind: 100 + (ends.get(kind, 100) - 100) * share for kind in KINDS}
        found.append({"at_s": float(at_s), **sizes})
    return found


class Memory(unittest.TestCase):
    def test_what_stays_is_flat_and_what_came_before_does_not_count(self) -> None:
        read = [row if row["at_s"] > MINUTE_S else {**row, "edge": 1.0} for row in rows()]
        said = steady.memory(read, 600)
        self.assertEqual(said["memory_mib"]["edge"], {"fifth": 100, "end": 100})
        self.assertEqual(said["memory_growth"], dict.fromkeys(KINDS, 1))
        self.assertTrue(said["flat"])

    def test_five_percent_is_the_border_up_and_down(self) -> None:
        for kind in ("edge", "dispatcher", "persist", "nats"):
            for end, is_flat in ((105, True), (95, True), (106, False), (94, False)):
                said = steady.memory(rows(**{kind: end}), 600)
                self.assertEqual(said["memory_growth"][kind], end / 100)
                self.assertEqual(said["flat"], is_flat, (kind, end))

    def test_the_database_and_redis_may_grow(self) -> None:
        said = steady.memory(rows(postgres=300, redis=200), 600)
        self.assertEqual(said["memory_growth"]["postgres"], 3)
        self.assertTrue(said["flat"])

    def test_people_are_told_who_grew(self) -> None:
        for ends, line in (
            ({}, "  flat within 5%: edge, dispatcher, persist, nats"),
            ({"nats": 120.0, "edge": 80.0}, "  not flat within 5%: edge, nats"),
        ):
            self.assertEqual(steady.verdict(steady.memory(rows(**ends), 600)), line)
        one_of_several = {**steady.memory(rows(), 600), "flat": False}
        self.assertIn("in one of the runs", steady.verdict(one_of_several))

    def test_one_reading_that_is_off_does_not_count(self) -> None:
        read = rows()
        read[-2]["nats"] = 500
        self.assertTrue(steady.memory(read, 600)["flat"])

    def test_where_a_tenth_has_no_reading_the_nearest_counts(self) -> None:
        read = [row for row in rows(edge=150) if not 90 <= row["at_s"] <= 180]
        said = steady.memory(read, 600)
        self.assertEqual(said["memory_mib"]["edge"]["fifth"], 100)
        self.assertFalse(said["flat"])

    def test_of_several_runs_the_medians_count_and_all_must_be_flat(self) -> None:
        runs = [
            {"workload": "steady", **dict.fromkeys((*messages.FIGURES, *messages.COUNTS), 1),
             "calibration_ms": 1, "calibration_best_ms": 1, **steady.memory(rows(edge=end), 600)}
            for end in (100, 101, 150)
        ]  # fmt: skip
        result = summary.of_runs(steady, runs)
        self.assertEqual(result["memory_mib"]["edge"], {"fifth": 100, "end": 101})
        self.assertEqual(result["memory_growth"]["edge"], 1.01)
        self.assertFalse(result["flat"])


class Options(unittest.TestCase):
    def test_ten_minutes_unless_it_is_said_and_for_nobody_else(self) -> None:
        for words, own, others in (
            (["steady"], 600, 10),
            (["pairs", "steady"], 600, 10),
            (["steady", "--seconds", "7"], 7, 7),
        ):
            options = parse(words)
            self.assertEqual((steady.window_s(options), options.seconds), (own, others))

    def test_one_closed_loop(self) -> None:
        for words, ack, in_flight in (
            ([], "logged", 512),
            (["--ack", "stored", "--in-flight", "64"], "stored", 64),
        ):
            (case,) = chosen(parse(["steady", *words]))
            self.assertEqual(case.keys, {"ack": ack, "in_flight": in_flight})

    def test_the_disk_must_have_room_for_all_that_is_stored(self) -> None:
        whole = surroundings.disk_bytes("steady", parse(["steady"]))
        self.assertGreater(whole, 20_000 * 600 * 500)
        self.assertLess(surroundings.disk_bytes("steady", parse(["steady", "--seconds", "1"])), whole / 4)


class Reading(unittest.TestCase):
    def test_memory_of_a_process_and_none_of_one_that_is_gone(self) -> None:
        self.assertGreater(usage.pss_bytes(os.getpid()), 1 << 20)
        gone = subprocess.Popen(["true"])
        gone.wait()
        self.assertEqual(usage.pss_bytes(gone.pid), 0)

    def test_a_sampler_reads_until_it_is_closed(self) -> None:
        with Sampler(0.001, lambda: {"edge": 1.0}) as sampler:
            wait_until(lambda: len(sampler.rows) >= 3)
        count = len(sampler.rows)
        begin = sampler.rows[1]["at_s"]
        self.assertEqual(sampler.since(begin)[0], {"at_s": 0.0, "edge": 1.0})
        self.assertEqual(len(sampler.since(begin)), count - 1)

    def test_a_reading_that_fails_is_told_at_the_end(self) -> None:
        attempts: list[int] = []

        def fail() -> Row:
            attempts.append(1)
            raise OSError("nothing to read")

        with self.assertRaisesRegex(OSError, "nothing to read"), Sampler(0.001, fail):
            wait_until(lambda: bool(attempts))
        self.assertEqual(len(attempts), 1)


if __name__ == "__main__":
    unittest.main()
