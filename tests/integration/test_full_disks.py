"""The disk below a server of ours is full, or its permissions are lost, while fifty users write: what
is refused says when to come again, nothing acknowledged is lost or damaged, no service ends, and all
goes on when there is room again. What operators see of it stands in docs/guarantees.md."""

from __future__ import annotations

import re
import subprocess
import unittest
from pathlib import Path
from typing import Any, ClassVar

import small_disk
from raw_client import Device, register
from support import ClusterTest, wait_until  # also makes the next lines possible

import traffic
from martlet_cluster import Cluster
from wire_client import ACK, ERROR, HISTORY, Frame

TIMEOUT_S = 400

MESSAGES = 400  # make sure that there is traffic
PATIENCE_S = 60  # for services to find their way back on a loaded machine
KEEP_S = 600
# nats-server begins another file after some megabytes, which a log of one shard has soon.
TEXT_BYTES = [8_000, 12_000]
# Hangs for good when it has no room for an append; later ones answer with an error and go on.
LAST_NATS_THAT_HANGS = (2, 9)
MANY_BLOCKS = 100  # more than it leaves


_forbidden: list[OSError] = []  # why nothing may be mounted here, if that is so


def setUpModule() -> None:
    try:
        small_disk.keep_mounts_private()
    except OSError as error:
        _forbidden.append(error)


class Disks(traffic.TrafficTest):
    """kind: whose data lie on the small disk. Where nobody may mount one, the server's own limits
    are what can be tested: TooLittleStore."""

    dispatchers = 1
    apis = 0
    reach = 2
    rate = 100
    least_rate = 1
    kind: ClassVar[str]
    place: ClassVar[str]  # below the cluster's directory
    size_mib: ClassVar[int]
    disk: ClassVar[small_disk.SmallDisk]
    ann: Device

    @classmethod
    def make_cluster(cls, directory: Path) -> Cluster:
        cls.disk = small_disk.SmallDisk(directory / cls.place, cls.size_mib)
        cls.addClassCleanup(cls.disk.close)
        return super().make_cluster(directory)

    @classmethod
    def setUpClass(cls) -> None:
        if _forbidden:
            raise unittest.SkipTest(f"no small disk may be made here: {_forbidden[0]}")
        super().setUpClass()
        address = cls.cluster.edges[0].listen
        register(address, "ann", "bob")
        cls.ann = Device(address, "ann", "phone")
        cls.addClassCleanup(cls.ann.close)
        cls.ann.deliver("bob", "before")

    def setUp(self) -> None:
        super().setUp()
        self.pids = {member.name: member.pid for member in self.cluster.services}
        self.wait_for_more(MESSAGES)

    def check_all(self) -> None:
        """Traffic goes on as before, nothing is lost, and our processes are those that were there."""
        self.wait_for_more(MESSAGES, PATIENCE_S)
        self.check_account()
        now = {member.name: member.pid for member in self.cluster.services if member.alive}
        self.assertEqual(now, self.pids)

    def log_of(self, name: str) -> str:
        return self.cluster.member(name).log.read_text(errors="replace")

    def wait_logged(self, name: str, pattern: str) -> None:
        wait_until(lambda: re.search(pattern, self.log_of(name)), PATIENCE_S, f"{pattern} of {name}")

    def expect_retry(self, answer: Frame) -> None:
        self.assertEqual(answer.command, ERROR, answer.body)
        self.assertIs(answer.body["retryable"], True, answer.body)
        self.assertGreater(answer.body["retry_after_ms"], 0, answer.body)

    def refusal(self, command: int, **body: Any) -> Frame:
        """The first one: what was cached or opened before may work for a while."""
        answers: list[Frame] = []

        def is_refused() -> bool:
            answers.append(self.ann.call(command, **body))
            return answers[-1].command == ERROR

        wait_until(is_refused, PATIENCE_S, "a refusal")
        return answers[-1]


class LogDisk(Disks):
    """nats-server's. One shard, which everybody writes to."""

    kind, place, size_mib = "nats", "nats/store", 512
    text_bytes = TEXT_BYTES
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "edge": {"cluster.shards": 1},
        "dispatcher": {"cluster.shards": 1, "shard.log_bytes": 400 << 20},
        "persist": {"cluster.shards": 1, "persist.keep_s": KEEP_S},
    }

    def does_nats_hang(self) -> bool:
        program = self.cluster.nats.command()[0]
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        version = re.search(r"v(\d+)\.(\d+)", said.stdout)
        assert version, said.stdout
        return (int(version[1]), int(version[2])) <= LAST_NATS_THAT_HANGS

    def refused_for_room(self) -> Frame:
        """The first one. The server makes its small files anew and may leave some blocks of them, in
        which a short message still has room."""
        for _ in range(MANY_BLOCKS):
            self.disk.fill()
            answer = self.ann.send("bob", "no room", age_ms=0)
            if answer.command != ACK:
                break
        return answer

    def test_full(self) -> None:
        self.addCleanup(self.disk.empty)
        answer = self.refused_for_room()
        self.expect_retry(answer)
        history = self.ann.call(HISTORY, conversation="u:ann:bob", direction="Forward")
        if history.command == ERROR:
            self.expect_retry(history)
        print(f"{answer.body} when a message was sent, {history.body} when history was asked for")
        self.disk.empty()
        if self.does_nats_hang():
            self.cluster.kill("nats")
            self.cluster.start_member("nats")
        self.ann.deliver("bob", "after")
        self.check_all()

    def test_no_permission_while_it_runs(self) -> None:
        self.disk.forbid()
        self.addCleanup(self.disk.allow)
        self.wait_logged("dispatcher-1", "append_refused .*(not permitted|permission denied)")
        self.expect_retry(self.ann.send("bob", "no file", age_ms=0))
        self.disk.allow()
        self.ann.deliver("bob", "after")
        self.check_all()

    def test_no_permission_at_its_start(self) -> None:
        self.cluster.kill("nats")
        self.disk.forbid()
        self.addCleanup(self.disk.allow)
        self.cluster.start_member("nats", wait=False)
        self.cluster.wait_exit("nats")
        self.assertRegex(self.log_of("nats"), r"\[FTL\].*(not writable|not permitted|permission denied)")
        self.expect_retry(self.ann.send("bob", "no log", age_ms=0))
        self.disk.allow()
        self.cluster.start_member("nats")
        self.ann.deliver("bob", "after")
        self.check_all()


class TooLittleStore(ClusterTest):
    """nats-server knows how much it may use, and that is less than the logs may need."""

    dispatchers = 1
    apis = 0
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "edge": {"cluster.shards": 1},
        "dispatcher": {"cluster.shards": 1, "shard.log_bytes": 64 << 20},
        "persist": {"cluster.shards": 1},
    }

    @classmethod
    def make_cluster(cls, directory: Path) -> Cluster:
        cluster = super().make_cluster(directory)
        cls.allow(cluster, "32MB")
        return cluster

    @staticmethod
    def allow(cluster: Cluster, size: str) -> None:
        store = f'{{ store_dir: "{cluster.nats.store}", max_file_store: {size} }}'
        cluster.override("nats", "jetstream", store)

    def test_no_log_is_made_that_may_not_fit(self) -> None:
        address = self.cluster.edges[0].listen
        register(address, "ann", "bob")
        ann = Device(address, "ann", "phone")
        self.addCleanup(ann.close)
        answer = ann.send("bob", "no log", age_ms=0)
        self.assertEqual(answer.command, ERROR, answer.body)
        self.assertIs(answer.body["retryable"], True)
        log = self.cluster.member("dispatcher-1").log.read_text()
        self.assertRegex(log, "log_not_ready .*insufficient storage")
        self.allow(self.cluster, "128MB")
        self.cluster.restart("nats")
        self.assertEqual(int(ann.deliver("bob", "now there is one")["seq"]), 1)


class DatabaseDisk(Disks):
    """PostgreSQL's. The WAL lies on it, too."""

    kind, place, size_mib = "postgres", "postgres", 256
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "persist": {"persist.keep_s": KEEP_S},
        "postgres": {"min_wal_size": "32MB", "max_wal_size": "64MB"},
    }

    def stored(self) -> int:
        return int(self.cluster.psql("SELECT count(*) FROM messages;")[0][0])

    def bring_back(self) -> None:
        """A server that could not write its WAL ends, and is started again by who watches over it."""
        if not self.cluster.postgres.alive:
            print("PostgreSQL had ended")
            self.cluster.start_member("postgres")
        self.cluster.wait_healthy(PATIENCE_S, ["postgres"])

    def test_full(self) -> None:
        self.disk.fill()
        self.wait_logged("persist-1", "apply_failed .*No space left on device")
        self.wait_for_more(MESSAGES, PATIENCE_S)  # live goes on
        self.disk.empty()
        self.bring_back()
        self.check_all()

    def test_no_permission(self) -> None:
        # A session goes on with the files that it has open.
        self.cluster.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'martlet-persist-1';"
        )
        self.disk.forbid()
        self.addCleanup(self.disk.allow)
        self.wait_logged("persist-1", "apply_failed .*(Permission denied|not permitted)")
        self.expect_retry(self.refusal(HISTORY, conversation="u:ann:bob", direction="Forward"))
        self.wait_for_more(MESSAGES, PATIENCE_S)
        self.disk.allow()
        self.bring_back()
        wait_until(self.reads_history, PATIENCE_S, "sessions that were opened anew")
        self.check_all()

    def reads_history(self) -> bool:
        try:
            return bool(self.ann.history("u:ann:bob"))
        except AssertionError:
            return False


class SessionsDisk(Disks):
    """Redis', which needs none; here it is told to keep its data, and refuses to write when it can't."""

    kind, place, size_mib = "redis", "redis/data", 8

    @classmethod
    def make_cluster(cls, directory: Path) -> Cluster:
        cluster = super().make_cluster(directory)
        for key, value in {"dir": f'"{cls.disk.directory}"', "save": '"1 1"'}.items():
            cluster.override("redis", key, value)
        return cluster

    def is_refusing(self) -> bool:
        with self.cluster.redis.probe() as probe:
            return b"rdb_last_bgsave_status:err" in bytes(probe.command("INFO", "persistence"))

    def has_sessions(self) -> bool:
        with self.cluster.redis.probe() as probe:
            return len(probe.keys("im:user:*")) >= len(traffic.USERS)

    def test_full_and_without_permission(self) -> None:
        for spoil, mend in ((self.disk.fill, self.disk.empty), (self.disk.forbid, self.disk.allow)):
            with self.subTest(how=spoil.__name__):
                spoil()
                with self.cluster.redis.probe() as probe:
                    probe.command("SET", "something", "to be saved")
                wait_until(self.is_refusing, PATIENCE_S, "Redis to have failed to save")
                self.wait_for_more(MESSAGES, PATIENCE_S)
                mend()
                wait_until(lambda: not self.is_refusing(), PATIENCE_S, "Redis to save again")
                wait_until(self.has_sessions, PATIENCE_S, "every session in Redis")
        self.check_all()


if __name__ == "__main__":
    unittest.main()
