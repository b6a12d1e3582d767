"""martlet top: what every process says of itself, through an api, as tables and as JSON."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unittest
from typing import Any

from support import ClusterTest, longer, new_directory, wait_until

from martlet_cluster import keys, paths
from martlet_cluster.tool import Finished, Tool

PASSWORD = "correct horse"
# One of each that every process of the kind must tell, whatever it has done.
METRICS = {
    "edge": ("martlet_edge_connections", "martlet_edge_connection_limit", "martlet_edge_frames_total"),
    "dispatcher": ("martlet_dispatcher_entries_total", "martlet_dispatcher_shards_serving"),
    "persist": ("martlet_persist_applied_messages_total", "martlet_persist_shards_stuck"),
    "api": ("martlet_api_requests_total", "martlet_api_edges_live"),
}
OF_ALL = (
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_max_fds",
    "martlet_loop_worst_lag_seconds",
    "martlet_bus_connected",
)


class Top(ClusterTest):
    edges = 2
    dispatchers = 2

    def setUp(self) -> None:
        self.homes = new_directory("homes")

    def tool(self, home: str = "nobody") -> Tool:
        token = keys.api_token_file(self.cluster.directory, "viewer")
        options = ["--api", f"http://{self.cluster.apis[0].http}", "--api-token-file", str(token)]
        return Tool([edge.listen for edge in self.cluster.edges], self.homes / home, options)

    def top(self, *words: str) -> Finished:
        return self.tool().run("top", *words)

    def services(self) -> dict[str, dict[str, Any]]:
        done = self.top("--json")
        self.assertEqual(done.code, 0, done.errors)
        return {one["name"]: one for one in json.loads(done.lines[0])["services"]}

    def test_everybody_is_told_of_with_what_it_counts(self) -> None:
        services = wait_until(
            lambda: (all_ := self.services()) and len(all_) == 6 and all_, what="all six are heard"
        )
        for service in services.values():
            values = service["values"]
            for metric in OF_ALL + METRICS[service["kind"]]:
                self.assertIn(metric, values, service["name"])
            self.assertTrue(service["ready"], service["why"])
            self.assertFalse(service["gone"])
            self.assertGreater(values["process_max_fds"], values["process_open_fds"])

    def test_a_message_moves_the_end_of_its_log_and_the_watermark(self) -> None:
        before = self.rows()
        for user in ("ann", "ben"):
            done = self.tool(user).run("register", user, "--password-file", "-", text=PASSWORD)
            self.assertEqual(done.code, 0, done.errors)
        done = self.tool("ann").run("send", "ben", "hello", "--wait-stored")
        self.assertEqual(done.code, 0, done.errors)

        def moved() -> list[str]:
            now = self.rows()
            return [
                shard
                for shard, row in now.items()
                if int(row["LOG END"]) > int(before[shard]["LOG END"]) and row["LAG"] == "0"
            ]

        self.assertEqual(len(wait_until(moved, what="one shard has one more, and it is stored")), 1)

    def rows(self) -> dict[str, dict[str, str]]:
        """Of the table of shards, when all of them are owned and stored."""

        def whole() -> dict[str, dict[str, str]] | None:
            done = self.top("--once")
            self.assertEqual(done.code, 0, done.errors)
            begin = next(i for i, line in enumerate(done.lines) if line.startswith("SHARD"))
            names = re.split(r"  +", done.lines[begin].strip())
            rows = [re.split(r"  +", line.strip()) for line in done.lines[begin + 1 :] if line]
            table = {row[0]: dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)}
            good = len(table) == 16 and all(
                row["OWNER"].startswith("dispatcher-") and row["STORED BY"] == "persist-1"
                and "taking" not in row["OWNER"]
                for row in table.values()
            )
            return table if good else None

        return wait_until(whole, what="all shards in the table") or {}

    def test_who_is_killed_is_gone_and_who_stops_is_forgotten(self) -> None:
        killed, stopped = (self.cluster.add("edge") for _ in range(2))
        wait_until(lambda: {killed, stopped} <= self.services().keys(), what="both are heard")
        self.cluster.stop_member(stopped)
        wait_until(lambda: stopped not in self.services(), what="the one that stopped is forgotten")
        self.cluster.kill(killed)
        wait_until(lambda: self.services()[killed]["gone"], what="the killed one is gone")
        done = self.top("--once")
        [row] = [line for line in done.lines if f" {killed} " in line]
        self.assertRegex(row, r"gone \d+s")
        for name in (killed, stopped):
            self.cluster.remove(name)

    def test_the_viewer_s_token_is_needed(self) -> None:
        status, text = self.cluster.apis[0].get("/v1/status", role="")
        self.assertEqual((status, json.loads(text)["error"]), (401, "NOT_AUTHENTICATED"))
        without = Tool([], self.homes / "x", ["--api", f"http://{self.cluster.apis[0].http}"])
        self.assertEqual(without.run("top", "--once").code, 4)
        self.assertEqual(Tool([], self.homes / "x").run("top", "--once").code, 2)

    def test_a_terminal_gets_it_again_and_again_until_q(self) -> None:
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        before = termios.tcgetattr(theirs)
        running = subprocess.Popen(
            self.tool().command("top", "--interval", "0.2"), stdin=theirs, stdout=theirs
        )
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        screen = self.read_until(ours, lambda text: text.count("dispatcher-2") >= 6)
        self.assertIn("\x1b[?1049h", screen)
        self.assertFalse(termios.tcgetattr(theirs)[3] & termios.ECHO, "keys are not shown")
        # No line is longer than the terminal, which would scroll.
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).splitlines()
        self.assertLessEqual(max(map(len, lines)), 120)
        os.write(ours, b"q")
        self.assertIn("\x1b[?1049l", self.read_until(ours, lambda text: "\x1b[?1049l" in text))
        self.assertEqual(running.wait(longer(30)), 0)
        self.assertEqual(termios.tcgetattr(theirs), before, "the terminal is as it was")

    def test_an_interrupt_leaves_the_terminal_as_it_was(self) -> None:
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        before = termios.tcgetattr(theirs)
        running = subprocess.Popen(self.tool().command("top"), stdin=theirs, stdout=theirs)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        self.read_until(ours, lambda text: "KIND" in text)
        running.terminate()
        self.read_until(ours, lambda text: "\x1b[?1049l" in text)
        self.assertEqual(running.wait(longer(30)), 0)
        self.assertEqual(termios.tcgetattr(theirs), before)

    def read_until(self, terminal: int, enough: Any) -> str:
        text, deadline = "", time.monotonic() + longer(30)
        while not enough(text):
            ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
            self.assertTrue(ready, f"no more came after {text!r}")
            text += os.read(terminal, 65536).decode(errors="replace")
        return text


if __name__ == "__main__":
    unittest.main()
