"""./dev up and ./dev down, as somebody who tries Martlet meets them."""

from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

from support import ROOT, longer, new_directory

from martlet_cluster import Cluster, demo
from martlet_cluster.tool import Tool

TIMEOUT_S = 400


class UpAndDown(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = new_directory("up") / "cluster"
        self.addCleanup(self.dev, "cluster", "--dir", str(self.directory), "wipe")

    def dev(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ROOT / "dev"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=longer(180),
        )

    def up(self) -> str:
        done = self.dev("up", "--no-build", "--dir", str(self.directory))
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def send_to_ben(self, text: str) -> None:
        cluster = Cluster.load(self.directory)
        assert cluster is not None
        tool = Tool([edge.listen for edge in cluster.edges], demo.homes(cluster) / "ann")
        self.assertEqual(tool.run("send", "ben", text).code, 0)

    def texts_in_history(self) -> list[str]:
        cluster = Cluster.load(self.directory)
        assert cluster is not None
        tool = Tool([edge.listen for edge in cluster.edges], demo.homes(cluster) / demo.ACTORS[1])
        done = tool.run("history", demo.ACTORS[0], "--limit", "0")
        self.assertEqual(done.code, 0, done.errors)
        return [line.partition(f" {demo.ACTORS[0]}: ")[2] for line in done.lines]

    def test_second_up_keeps_the_messages_of_the_first(self) -> None:
        transcript = self.up()
        self.assertIn(f"ann: {demo.LIVE_TEXT}", transcript)
        self.assertIn("./dev down", transcript)
        self.send_to_ben("an evening later")
        self.assertEqual(self.dev("cluster", "--dir", str(self.directory), "stop").returncode, 0)
        self.assertIn("chat ben", self.up(), "what others wrote is not in the way")
        self.assertEqual(self.texts_in_history(), [demo.LIVE_TEXT, demo.AWAY_TEXT] * 2)

    def test_up_leaves_a_cluster_running_that_wipe_forgets(self) -> None:
        self.up()
        status = self.dev("cluster", "--dir", str(self.directory), "status")
        self.assertEqual(status.returncode, 0, status.stdout)
        self.assertEqual(status.stdout.count(" ready "), 9, status.stdout)
        self.assertEqual(self.dev("cluster", "--dir", str(self.directory), "wipe").returncode, 0)
        self.assertFalse(Path(self.directory).exists())

    def test_up_fails_with_the_log_when_a_service_does_not_start(self) -> None:
        self.directory.mkdir(parents=True)
        cluster = Cluster(self.directory, detached=True)
        cluster.override("persist", "no.such.key", 1)
        cluster.save()
        done = self.dev("up", "--no-build", "--dir", str(self.directory))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "(?s)up: persist-1 ended at start.*no.such.key")
