"""What integration tests share: a private cluster a class, and waiting on conditions."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from martlet_cluster import Cluster  # noqa: E402
from martlet_cluster.patience import longer  # noqa: E402
from martlet_cluster.proxy import Proxy  # noqa: E402

T = TypeVar("T")


def wait_until(predicate: Callable[[], T], timeout: float = 30, what: str = "the condition") -> T:
    """The first true value of the predicate, which is asked often; never a fixed sleep."""
    deadline = time.monotonic() + longer(timeout)
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout:g} s: {what} (last value: {value!r})")
        time.sleep(0.02)


def chosen_seed() -> int:
    """MARTLET_TEST_SEED, or a fresh one; printed, so that the run can be repeated."""
    seed = int(os.environ.get("MARTLET_TEST_SEED") or time.time_ns() % 1_000_000)
    print(f"MARTLET_TEST_SEED={seed}")
    return seed


def new_directory(name: str) -> Path:
    """Below the runner's directory, which is kept when a test of the file fails."""
    parent = Path(os.environ.get("MARTLET_TEST_DIR") or ROOT / ".local/test/by-hand")
    parent.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    directory.chmod(0o755)
    return directory


def violations_in(cluster: Cluster) -> list[str]:
    """What the roles of services do not allow, as the broker logged it."""
    found = []
    for nats in cluster.nats_servers:
        if nats.log.exists():
            with nats.log.open(errors="replace") as log:
                found += [line for line in log if " Violation " in line]
    return found


class ClusterTest(unittest.TestCase):
    """One cluster for all tests of a class, by these class variables. A test that needs another one
    makes it with start_cluster."""

    edges: ClassVar[int] = 2
    dispatchers: ClassVar[int] = 2
    persists: ClassVar[int] = 1
    apis: ClassVar[int] = 1
    servers_only: ClassVar[bool] = False
    overrides: ClassVar[dict[str, dict[str, Any]]] = {}
    # Otherwise a service that the broker refused something makes the class fail: compose/nats-roles.conf.
    refused_by_nats: ClassVar[bool] = False

    cluster: ClassVar[Cluster]
    _failures: ClassVar[int | None]  # None until the first test begins, when the class is set up

    @classmethod
    def setUpClass(cls) -> None:
        cls._failures = None
        cls.cluster = cls.make_cluster(new_directory(cls.__name__))
        cls.addClassCleanup(cls._end_cluster, cls.cluster)
        cls.cluster.start()

    @classmethod
    def make_cluster(cls, directory: Path) -> Cluster:
        overrides = {name: dict(settings) for name, settings in cls.overrides.items()}
        if cls.servers_only:
            return Cluster.only_servers(directory, overrides=overrides, progress=print)
        return Cluster(
            directory,
            edges=cls.edges,
            dispatchers=cls.dispatchers,
            persists=cls.persists,
            apis=cls.apis,
            overrides=overrides,
            progress=print,
        )

    @classmethod
    def _end_cluster(cls, cluster: Cluster) -> None:
        cluster.stop(abort=True)
        violations = [] if cls.refused_by_nats else violations_in(cluster)
        if cls._failures == 0 and not violations:
            shutil.rmtree(cluster.directory, ignore_errors=True)
        else:
            print(f"the cluster's logs are in {cluster.directory / 'logs'}")
        if violations:
            raise AssertionError("NATS refused a service:\n" + "".join(violations[:10]))

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        done = super().run(result)
        failures = len(result.failures) + len(result.errors) - before
        type(self)._failures = (type(self)._failures or 0) + failures
        return done

    def start_cluster(self, **options: Any) -> Cluster:
        """One more cluster, for this test alone."""
        cluster = Cluster(new_directory(self._testMethodName), **options, progress=print)
        self.addCleanup(cluster.stop, abort=True)
        cluster.start()
        return cluster


class LinkedClusterTest(ClusterTest):
    """One member has its link to NATS through a proxy, which can make it faulty."""

    linked: ClassVar[str]
    link: ClassVar[Proxy]

    @classmethod
    def make_cluster(cls, directory: Path) -> Cluster:
        cluster = super().make_cluster(directory)
        cls.addClassCleanup(cluster.stop, abort=True)
        cluster.start_servers()
        cls.link = Proxy(cluster.nats.address)
        cls.addClassCleanup(cls.link.close)
        url = cluster.nats.url_for(cluster.member(cls.linked).kind)
        through = url.replace(cluster.nats.address, cls.link.address)
        cluster.override(cls.linked, "nats.url", through)
        return cluster
