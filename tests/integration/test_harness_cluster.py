"""The cluster program on real servers: what other tests rely on without looking."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from support import ROOT, ClusterTest, new_directory, wait_until

from martlet_cluster import Cluster, ClusterError
from martlet_cluster.nats_probe import NatsProbe
from martlet_cluster.process import ProcessId, is_alive

OWNER_THAT_DIES = """
import os, signal, sys
from martlet_cluster import Cluster
cluster = Cluster.only_servers(sys.argv[1])
cluster.start_servers()
os.kill(os.getpid(), signal.SIGKILL)
"""


class Servers(ClusterTest):
    servers_only = True

    def setUp(self) -> None:
        self.cluster.start_servers()

    def test_each_server_answers(self) -> None:
        self.assertEqual(self.cluster.psql("select 1, null, 'a,b'"), [["1", "", "a,b"]])
        with self.cluster.redis.probe() as redis:
            redis.command("SET", "key", "value")
            self.assertEqual(redis.command("GET", "key"), b"value")
        self.assertIn("store_dir", self.cluster.nats.monitor("jsz")["config"])

    def test_server_has_the_variables_of_its_kind(self) -> None:
        nats = self.cluster.nats
        variables = Path(f"/proc/{nats.pid}/environ").read_text().split("\0")
        for name, value in nats.environment.items():
            self.assertIn(f"{name}={value}", variables)

    def test_probe_sees_messages_subscriptions_and_answers(self) -> None:
        with NatsProbe(self.cluster.nats) as watcher, NatsProbe(self.cluster.nats) as sender:
            everything = watcher.subscribe("a.>")
            sender.publish("a.b", b"one\r\ntwo")
            sender.publish("b.a", b"not for us")
            sender.publish("a.c.d")
            messages = watcher.collect(everything, 2)
            seen = [(message.subject, message.data) for message in messages]
            self.assertEqual(seen, [("a.b", b"one\r\ntwo"), ("a.c.d", b"")])
            self.assertIn("a.>", watcher.subscriptions_of("probe"))
            answer = sender.request("$JS.API.INFO")
            self.assertIn(b"account_info_response", answer.data)

    def test_killed_server_comes_back_at_its_address_with_its_data(self) -> None:
        self.cluster.psql("create table if not exists kept (n int); insert into kept values (7)")
        for name in ("postgres", "nats", "redis"):
            address = self.cluster.member(name).address
            self.cluster.kill(name)
            self.assertFalse(self.cluster.member(name).alive)
            self.cluster.start_member(name)
            self.assertEqual(self.cluster.member(name).address, address)
        self.assertEqual(self.cluster.psql("select distinct n from kept"), [["7"]])

    def test_paused_server_is_silent_until_resumed(self) -> None:
        self.cluster.pause("redis")
        self.assertFalse(self.cluster.redis.is_ready())
        self.cluster.resume("redis")
        self.cluster.wait_healthy(10, ["redis"])

    def test_paused_server_can_be_stopped(self) -> None:
        self.cluster.pause("nats")
        self.cluster.stop_member("nats")
        self.assertFalse(self.cluster.nats.alive)

    def test_another_process_sees_and_stops_it(self) -> None:
        seen = Cluster.load(self.cluster.directory)
        assert seen is not None
        self.assertEqual(seen.postgres.url, self.cluster.postgres.url)
        seen.stop()
        self.assertFalse(self.cluster.postgres.alive)

    def test_recycled_pid_is_never_signalled(self) -> None:
        # The same pid with another start time is another program.
        real = self.cluster.redis.process
        assert real is not None
        self.cluster.redis.process = ProcessId(real.pid, real.start - 1, real.boot)
        try:
            self.assertFalse(self.cluster.redis.alive)
            with self.assertRaises(ClusterError):
                self.cluster.kill("redis")
        finally:
            self.cluster.redis.process = real
        self.assertTrue(self.cluster.redis.alive)

    def test_wiped_member_starts_empty(self) -> None:
        self.cluster.psql("create table if not exists gone (n int)")
        self.cluster.stop_member("postgres")
        self.cluster.wipe_member("postgres")
        self.cluster.start_member("postgres")
        self.assertEqual(self.cluster.psql("select to_regclass('gone')"), [[""]])


class Endings(unittest.TestCase):
    def servers(self) -> Cluster:
        directory = new_directory("endings")
        cluster = Cluster.only_servers(directory)
        self.addCleanup(cluster.wipe)
        return cluster

    def test_cluster_ends_with_an_owner_that_is_killed(self) -> None:
        directory = new_directory("orphan")
        command = [sys.executable, "-c", OWNER_THAT_DIES, str(directory)]
        environment = {"PYTHONPATH": str(ROOT / "scripts"), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, env=environment, check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL)
        orphans = Cluster.load(directory)
        assert orphans is not None
        self.addCleanup(orphans.wipe)
        processes = [member.process for member in orphans.servers]
        self.assertNotIn(None, processes)
        wait_until(
            lambda: not any(is_alive(process) for process in processes), what="orphans to end"
        )

    def test_taken_port_is_replaced_at_the_first_start(self) -> None:
        cluster = self.servers()
        with socket.create_server(("127.0.0.1", cluster.redis.port)):
            cluster.start_servers()
        self.assertTrue(cluster.redis.is_ready())

    def test_member_that_dies_at_start_is_reported_with_its_log(self) -> None:
        cluster = self.servers()
        cluster.override("redis", "maxmemory", "nonsense")
        with self.assertRaisesRegex(ClusterError, "(?s)redis ended at start.*maxmemory"):
            cluster.start_servers()

    def test_stop_without_anything_running_is_quiet(self) -> None:
        cluster = self.servers()
        cluster.start_servers()
        cluster.stop()
        cluster.stop()
        self.assertFalse(any(member.alive for member in cluster.members))

    def test_data_and_password_survive_a_stop(self) -> None:
        cluster = self.servers()
        cluster.start_servers()
        cluster.psql("create table kept (n int)")
        cluster.stop()
        again = Cluster.only_servers(cluster.directory)
        self.addCleanup(again.stop, abort=True)
        again.start_servers()
        self.assertEqual(again.psql("select count(*) from kept"), [["0"]])
