"""A service that can't start says why in one line on standard error and exits with 1."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import unittest
from dataclasses import dataclass

from support import ClusterTest, longer, new_directory  # also makes the next line possible

from martlet_cluster import ports

KINDS = ("edge", "dispatcher", "persist", "api")
WAIT_S = 1
# Far below the 30 s that are waited by default for a server that may still come.
AT_ONCE_S = 15


@dataclass
class Start:
    """How a process ended that could not start."""

    code: int
    errors: str
    seconds: float


class StartupErrors(ClusterTest):
    edges = 1
    dispatchers = 1

    def setUp(self) -> None:
        self.files = new_directory("start")

    def start(self, kind: str, *flags: str) -> Start:
        """One more process, configured as the running one but for the flags."""
        own = tempfile.mkdtemp(dir=self.files)
        environment = {
            **os.environ,
            "MARTLET_LOG_FILE": f"{own}/log",
            "MARTLET_READY_FILE": f"{own}/ready.json",
            "MARTLET_HTTP_LISTEN": f"{ports.HOST}:0",
        }
        if kind == "edge":
            environment["MARTLET_EDGE_LISTEN"] = f"{ports.HOST}:0"
        command = [*self.cluster.service(f"{kind}-1").command(), *flags]
        begin = time.monotonic()
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=longer(60),
            check=False,
        )
        self.assertEqual(done.stdout, "")
        return Start(done.returncode, done.stderr, time.monotonic() - begin)

    def expect_one_line(self, kind: str, start: Start, *parts: str) -> None:
        self.assertEqual(start.code, 1, start)
        self.assertRegex(start.errors, rf"\Amartlet-{kind}: [^\n\t]+\n\Z")
        for part in parts:
            self.assertIn(part, start.errors)

    def test_a_port_that_is_taken(self) -> None:
        taken = self.cluster.nats.address
        for kind in KINDS:
            with self.subTest(kind):
                start = self.start(kind, f"--http.listen={taken}")
                self.expect_one_line(kind, start, "http.listen", taken, "in use")
        with self.subTest("edge.listen"):
            start = self.start("edge", f"--edge.listen={taken}")
            self.expect_one_line("edge", start, "edge.listen", taken, "in use")

    def test_nats_is_not_reachable_after_the_wait(self) -> None:
        url = f"nats://{ports.HOST}:{ports.free_port()}"
        for kind in KINDS:
            with self.subTest(kind):
                start = self.start(kind, f"--nats.url={url}", f"--nats.wait_s={WAIT_S}")
                self.expect_one_line(kind, start, "NATS", url, "not reachable", f"{WAIT_S} s")
                self.assertGreaterEqual(start.seconds, WAIT_S)
                self.assertLess(start.seconds, AT_ONCE_S)

    def test_postgres_is_not_reachable_after_the_wait(self) -> None:
        address = f"{ports.HOST}:{ports.free_port()}"
        url = self.cluster.postgres.url.replace(self.cluster.postgres.address, address)
        start = self.start("persist", f"--postgres.url={url}", f"--postgres.wait_s={WAIT_S}")
        self.expect_one_line("persist", start, "PostgreSQL", "not reachable", f"{WAIT_S} s")
        self.assertIn(address.rpartition(":")[2], start.errors)
        self.assertGreaterEqual(start.seconds, WAIT_S)
        self.assertLess(start.seconds, AT_ONCE_S)

    def test_a_wrong_password_is_not_tried_again(self) -> None:
        secret = self.cluster.postgres.secret
        url = self.cluster.postgres.url.replace(secret, "not-the-password")
        start = self.start("persist", f"--postgres.url={url}")
        self.expect_one_line("persist", start, "PostgreSQL", "password")
        self.assertNotIn("not-the-password", start.errors)
        self.assertLess(start.seconds, AT_ONCE_S)

    def test_migrations_newer_than_the_binary(self) -> None:
        all_known = "select number from schema_migrations union select number from schema_additions"
        known = int(self.cluster.psql(f"select max(number) from ({all_known}) known")[0][0])
        newer = known + 1
        self.cluster.psql(f"insert into schema_migrations (number, name) values ({newer}, 'x')")
        self.addCleanup(self.cluster.psql, f"delete from schema_migrations where number = {newer}")
        start = self.start("persist")
        self.expect_one_line("persist", start, f"migration {newer}", f"knows {known}")

    def test_another_number_of_shards(self) -> None:
        for kind in ("edge", "dispatcher", "persist"):
            with self.subTest(kind):
                start = self.start(kind, "--cluster.shards=8")
                self.expect_one_line(kind, start, "16 shards", "8")
                self.assertLess(start.seconds, AT_ONCE_S)

    def tearDown(self) -> None:
        """Those that run already took no harm."""
        self.cluster.wait_healthy(30)


if __name__ == "__main__":
    unittest.main()
