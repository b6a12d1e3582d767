"""What is around every run of ./dev bench: a quiet machine, enough disk, how the cluster was set, and
nothing left behind."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import unittest
from pathlib import Path

from support import ROOT, longer, new_directory, wait_until

from martlet_bench import quietness, surroundings
from martlet_cluster import Cluster
from martlet_cluster.process import ProcessId, children_of, identify, is_alive

COMMON = ("--no-build", "--any-build", "--repeat", "1")


def cluster_file(bench: ProcessId) -> Path | None:
    """Of the cluster whose members this bench has started; others may run at the same time."""
    for child in children_of(bench):
        try:
            file = Path(f"/proc/{child.pid}/cwd").readlink() / "cluster.json"
        except OSError:
            continue
        if file.exists():
            return file
    return None


class Quietness(unittest.TestCase):
    def test_the_work_takes_time_and_the_least_of_it_is_remembered(self) -> None:
        said = quietness.calibrate()
        self.assertGreater(said["calibration_ms"], 1)
        self.assertLessEqual(said["calibration_best_ms"], said["calibration_ms"])
        file = new_directory("calibration") / "cache/seen.json"
        seen = [quietness.least_so_far(file, now) for now in (300.0, 250.0, 400.0)]
        self.assertEqual(seen, [300.0, 250.0, 250.0])

    def test_what_another_machine_took_or_nobody_wrote_does_not_count(self) -> None:
        file = new_directory("calibration") / "seen.json"
        for text in ('{"where": ["elsewhere"], "best_ms": 1}', "[]", "{", '{"where": 1}'):
            file.write_text(text)
            self.assertEqual(quietness.least_so_far(file, 300.0), 300.0, text)


class Surroundings(unittest.TestCase):
    def test_settings_are_what_differs_and_the_members_are_counted(self) -> None:
        place = new_directory("place")
        (place / "cluster").mkdir()
        cluster = Cluster(place / "cluster", edges=2, apis=0, overrides={"edge": {"edge.x": 1}})
        cluster.save()
        around = surroundings.of_clusters(place)
        counts = {"nats": 1, "postgres": 1, "redis": 1, "persist": 1, "dispatcher": 2, "edge": 2}
        self.assertEqual(around["topology"], counts)
        self.assertEqual(set(around["settings"]), {"edge", "nats", "postgres", "redis"})
        self.assertEqual(around["settings"]["edge"], {"edge.x": 1})
        # What it says of a server is what the server is started with.
        cluster.nats.prepare()
        configuration = (cluster.nats.directory / "nats-server.conf").read_text()
        for key, value in around["settings"]["nats"].items():
            if key in cluster.nats.environment:
                self.assertEqual(value, cluster.nats.environment[key])
            else:
                self.assertIn(f"{key}: {value}", configuration)

    def test_a_disk_that_is_too_small_is_said_before_anything_runs(self) -> None:
        options = argparse.Namespace(workloads=["pairs"], warm_up=0, seconds=1e12)
        with self.assertRaisesRegex(surroundings.NoRoom, "GB of disk are needed and .* are free"):
            surroundings.check_disk(ROOT, options)
        options.seconds = 0
        self.assertLess(surroundings.disk_bytes("pairs", options), 1 << 32)


class Interrupted(unittest.TestCase):
    def test_nothing_is_left_behind(self) -> None:
        words = ("pairs", *COMMON, "--users", "4", "--in-flight", "4", "--seconds", "300")
        for number in (signal.SIGINT, signal.SIGTERM):
            bench = subprocess.Popen(
                [str(ROOT / "dev"), "bench", *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # What runs in the background ignores it, and so do those that it starts.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            own = identify(bench.pid)
            assert own is not None
            file = wait_until(lambda own=own: cluster_file(own))
            members = json.loads(file.read_text())["members"].values()
            bench.send_signal(number)
            _, complaint = bench.communicate(timeout=longer(60))
            self.assertEqual((bench.returncode, complaint), (130, b""))
            self.assertEqual(file.parts[-4][:6], "bench-")
            self.assertFalse(file.parents[2].exists())
            started = [ProcessId.from_json(one["process"]) for one in members if one["process"]]
            self.assertTrue(started)
            self.assertFalse(any(map(is_alive, started)))


if __name__ == "__main__":
    unittest.main()
