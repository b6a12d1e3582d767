"""How the cluster program treats our services, shown with stand-ins for their programs."""

from __future__ import annotations

import os
import sys
import tomllib
import unittest
from pathlib import Path
from typing import Any

from support import new_directory

from martlet_cluster import Cluster, ClusterError
from martlet_cluster.service import Service, to_toml

FAKE = Path(__file__).with_name("harness_fake_service.py")


def fake_build() -> Path:
    """A build directory in which every service is the stand-in."""
    build = new_directory("build")
    for kind in ("edge", "dispatcher", "persist", "api"):
        program = build / "src" / kind / f"martlet-{kind}"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
        program.chmod(0o755)
    return build


class Services(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        before = os.environ.get("MARTLET_BUILD_DIR")
        os.environ["MARTLET_BUILD_DIR"] = str(fake_build())
        cls.addClassCleanup(cls.restore, before)
        overrides: dict[str, dict[str, Any]] = {
            "edge": {"log.level": "debug"},
            "edge-2": {"log.level": "trace", "x.y": [1]},
        }
        cls.cluster = Cluster(new_directory("services"), overrides=overrides)
        cls.addClassCleanup(cls.cluster.stop, abort=True)
        cls.cluster.start()

    @staticmethod
    def restore(before: str | None) -> None:
        del os.environ["MARTLET_BUILD_DIR"]
        if before is not None:
            os.environ["MARTLET_BUILD_DIR"] = before

    def configuration(self, service: Service) -> dict[str, object]:
        return tomllib.loads(service.config_file.read_text())

    def test_members_are_named_and_ready(self) -> None:
        names = [service.name for service in self.cluster.services]
        expected = ["persist-1", "dispatcher-1", "dispatcher-2", "edge-1", "edge-2", "api-1"]
        self.assertEqual(names, expected)
        self.assertTrue(all(service.is_ready() for service in self.cluster.services))

    def test_settings_of_a_member_win_over_those_of_its_kind(self) -> None:
        first, second = (self.configuration(edge) for edge in self.cluster.edges)
        self.assertEqual(first["log"], {"level": "debug"})
        self.assertEqual(second["log"], {"level": "trace"})
        self.assertEqual(second["x"], {"y": [1]})

    def test_services_get_what_the_contract_names(self) -> None:
        edge = self.configuration(self.cluster.edges[0])
        self.assertEqual(edge["nats"], {"url": self.cluster.nats.url_for("edge")})
        self.assertEqual(edge["redis"], {"url": self.cluster.redis.url_for("edge")})
        (public,) = Path(edge["auth"]["public_keys"]).iterdir()  # type: ignore[index]
        self.assertIn("BEGIN PUBLIC KEY", public.read_text())
        persist = self.configuration(self.cluster.persists[0])
        postgres = self.cluster.postgres
        urls = {"url": postgres.url_for("persist"), "owner_url": postgres.url_for("owner")}
        self.assertEqual(persist["postgres"], urls)
        signing = Path(persist["auth"]["signing_key"])  # type: ignore[index]
        self.assertEqual(signing.name, public.name)
        self.assertEqual(signing.stat().st_mode & 0o777, 0o600)

    def test_killed_edge_comes_back_at_its_address(self) -> None:
        edge = self.cluster.edges[0]
        before, pid = edge.listen, edge.pid
        self.cluster.kill("edge-1")
        self.cluster.start_member("edge-1")
        self.assertEqual(edge.listen, before)
        self.assertNotEqual(edge.pid, pid)

    def test_stop_asks_first(self) -> None:
        self.cluster.stop_member("api-1")
        self.assertIn("stopped by SIGTERM", self.cluster.member("api-1").log_tail())
        self.cluster.start_member("api-1")

    def test_added_edge_gets_its_own_address_and_can_be_removed(self) -> None:
        name = self.cluster.add("edge", {"log.level": "warn"})
        self.assertEqual(name, "edge-3")
        self.assertEqual(len({edge.listen for edge in self.cluster.edges}), 3)
        self.cluster.remove(name)
        self.assertEqual(len(self.cluster.edges), 2)

    def test_pages_are_read(self) -> None:
        api = self.cluster.apis[0]
        self.assertEqual(api.metrics(), {'fake_total{kind="x y"}': 3.0})
        self.assertEqual(api.get("/broken"), (500, "sorry\n"))

    def test_start_up_error_shows_the_log_and_the_exit_code(self) -> None:
        self.cluster.stop_member("dispatcher-2")
        self.cluster.override("dispatcher-2", "fail", "no such thing")
        with self.assertRaisesRegex(ClusterError, "fake: no such thing"):
            self.cluster.start_member("dispatcher-2")
        self.assertEqual(self.cluster.wait_exit("dispatcher-2"), 1)
        del self.cluster.overrides["dispatcher-2"]
        self.cluster.start_member("dispatcher-2")


class Toml(unittest.TestCase):
    def test_prefixes_become_tables(self) -> None:
        settings = {"a": 1, "b.c": 'x"\\y', "b.d": True, "e.f.g": 1.5}
        parsed = tomllib.loads(to_toml(settings))
        self.assertEqual(parsed, {"a": 1, "b": {"c": 'x"\\y', "d": True}, "e": {"f": {"g": 1.5}}})
