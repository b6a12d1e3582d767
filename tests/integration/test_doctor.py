"""martlet doctor and --check of the services: a healthy cluster has nothing to say, and of each thing that is
broken the doctor says which it is."""

from __future__ import annotations

import json
import resource
import shutil
import struct
import subprocess
import time
import unittest
from pathlib import Path
from typing import Any

from support import ClusterTest, longer, new_directory, wait_until

from martlet_cluster import keys, paths, ports
from martlet_cluster.nats_probe import NatsProbe
from martlet_cluster.service import to_toml
from martlet_cluster.tool import Tool

TIMEOUT_S = 600
KINDS = ("edge", "dispatcher", "persist", "api")
Findings = dict[str, dict[str, Any]]


class Doctor(ClusterTest):
    edges = 2
    dispatchers = 2
    # nats-server is restarted, and a role tries what it may not.
    refused_by_nats = True

    def setUp(self) -> None:
        self.home = new_directory("home")
        self.addCleanup(self.wait_well)
        self.wait_well()

    def examine(self, token: Path | None = None) -> tuple[int, Findings]:
        token = token or keys.api_token_file(self.cluster.directory, "viewer")
        options = ["--json", "--api", f"http://{self.cluster.apis[0].http}"]
        options += ["--api-token-file", str(token)]
        done = Tool([], self.home, options).run("doctor")
        self.assertEqual(done.errors, "")
        findings = json.loads(done.lines[0])["findings"]
        return done.code, {one["check"]: one for one in findings}

    def wait_well(self) -> None:
        wait_until(lambda: self.examine()[0] == 0, timeout=60, what="nothing fails")

    def wait_for(self, check: str, verdict: str, what: str) -> dict[str, Any]:
        """Until the finding says so; with what to do about it."""

        def found() -> dict[str, Any] | None:
            code, findings = self.examine()
            finding = findings.get(check, {"verdict": "OK", "what": ""})
            if finding["verdict"] != verdict or what not in finding["what"]:
                return None
            self.assertEqual(code, 1 if verdict == "FAIL" else code)
            return finding

        finding = wait_until(found, what=f"{check} is {verdict}: {what}")
        assert finding is not None
        self.assertGreater(len(finding["cure"]), 10, "it says what to do")
        return finding

    # ---- the whole, through the api

    def test_a_healthy_cluster_has_nothing_to_say(self) -> None:
        # What earlier tests stopped is told as gone for a minute.
        def all_well() -> bool:
            return all(one["verdict"] == "OK" for one in self.examine()[1].values())

        wait_until(all_well, timeout=90, what="all is well")
        code, findings = self.examine()
        self.assertEqual(code, 0)
        expected = {
            "api", "api.ready", "services.gone", "versions", "clocks", "descriptors", "connections",
            "loops", "persist.alarms", "shards.count", "shards.owned", "shards.stored", "shards.logs",
            "edge.edge-1", "edge.edge-2", "here.clock", "here.files", "here.memory",
            *(f"services.{kind}" for kind in KINDS),
        }
        self.assertEqual(findings.keys(), expected)
        text = subprocess.run(
            [str(paths.built("src/tools/martlet")), "--api", f"http://{self.cluster.apis[0].http}",
             "--api-token-file", str(keys.api_token_file(self.cluster.directory, "viewer")), "doctor"],
            capture_output=True, text=True, check=True, timeout=longer(60),
        ).stdout.splitlines()
        self.assertEqual(len(text), len(expected) + 1)
        self.assertEqual(text[-1], f"{len(expected)} checked, 0 failed, 0 to look at")

    def test_no_persist(self) -> None:
        self.cluster.stop_member("persist-1")
        self.addCleanup(self.cluster.start_member, "persist-1")
        self.wait_for("services.persist", "FAIL", "no persist is heard")

    def test_a_killed_dispatcher(self) -> None:
        self.cluster.kill("dispatcher-2")
        self.addCleanup(self.cluster.start_member, "dispatcher-2")
        self.wait_for("services.gone", "WARN", "dispatcher-2 (dispatcher) has been silent")

    def test_nobody_owns_the_shards(self) -> None:
        for name in ("dispatcher-1", "dispatcher-2"):
            self.cluster.stop_member(name)
            self.addCleanup(self.cluster.start_member, name)
        self.wait_for("shards.owned", "FAIL", "no dispatcher serves shard 0, 1")

    def test_no_broker(self) -> None:
        self.cluster.stop_member("nats")
        self.addCleanup(self.cluster.start_member, "nats")
        self.wait_for("api.ready", "FAIL", "not connected to the broker")

    def test_no_database(self) -> None:
        self.cluster.stop_member("postgres")
        self.addCleanup(self.cluster.start_member, "postgres")
        finding = self.wait_for("services.persist", "FAIL", "the database does not answer")
        self.assertIn("persist-1", finding["what"])

    def test_another_token(self) -> None:
        wrong = self.home / "token"
        wrong.write_text("nobody's\n")
        code, findings = self.examine(wrong)
        self.assertEqual((code, findings["api.token"]["verdict"]), (1, "FAIL"))

    def test_no_api(self) -> None:
        nowhere = f"http://{ports.HOST}:{ports.free_port()}"
        done = Tool([], self.home, ["--json", "--api", nowhere]).run("doctor")
        [finding] = json.loads(done.lines[0])["findings"]
        self.assertEqual((done.code, finding["check"], finding["verdict"]), (1, "api", "FAIL"))

    def test_an_edge_that_is_not_where_it_says(self) -> None:
        nowhere = f"{ports.HOST}:{ports.free_port()}"
        name = self.cluster.add("edge", {"edge.advertise": nowhere})
        self.addCleanup(self.cluster.remove, name)
        self.wait_for(f"edge.{name}", "FAIL", nowhere)

    def test_too_few_descriptors(self) -> None:
        edge = self.cluster.edges[0]
        limits = resource.prlimit(edge.pid, resource.RLIMIT_NOFILE, (500, 500))
        self.addCleanup(self.cluster.restart, "edge-1")
        self.assertGreater(limits[0], 500)
        self.wait_for("descriptors", "WARN", "edge-1 may have 500 files open, and 20000 connections")

    # ---- what a process could say of itself

    def pretend(self, **changes: Any) -> bytes:
        """A message of edge-1 as another process would have it: its own, with as many other bytes."""
        with NatsProbe(self.cluster.nats) as probe:
            subscription = probe.subscribe("im.status.edge")
            [data] = [
                one.data
                for one in probe.collect(subscription, 2)
                if b"edge-1\0" in one.data
            ][:1]
        services = json.loads(self.cluster.apis[0].get("/v1/status")[1])["services"]
        [real] = [one for one in services if one["name"] == "edge-1" and not one["gone"]]
        data = data.replace(real["instance"].encode(), b"0123456789abcdef")
        data = data.replace(b"edge-1\0", b"edge-x\0")
        if "version" in changes:
            self.assertEqual(data.count(b"0.1.0\0"), 1)
            data = data.replace(b"0.1.0\0", changes["version"].encode() + b"\0")
        if "later_ms" in changes:
            data = self.at_another_time(data, real["started_ms"], changes["later_ms"])
        return data

    def at_another_time(self, data: bytes, started_ms: int, later_ms: int) -> bytes:
        """The one number that is about now and not the start."""
        now = int(time.time() * 1000)
        for offset in range(len(data) - 7):
            [number] = struct.unpack_from("<Q", data, offset)
            if started_ms < number and abs(number - now) < longer(60_000):
                return data[:offset] + struct.pack("<Q", number + later_ms) + data[offset + 8 :]
        raise AssertionError("no time in the message")

    def forget_the_pretended(self) -> None:
        wait_until(
            lambda: "edge-x" not in self.cluster.apis[0].get("/v1/status")[1],
            timeout=90,
            what="who pretends is forgotten",
        )

    def say_until(self, data: bytes, check: str, verdict: str, what: str) -> None:
        with NatsProbe(self.cluster.nats) as probe:

            def said() -> bool:
                probe.publish("im.status.edge", data)
                probe.flush()
                finding = self.examine()[1][check]
                return finding["verdict"] == verdict and what in finding["what"]

            wait_until(said, what=f"{check} is {verdict}: {what}")

    def test_another_version(self) -> None:
        self.say_until(self.pretend(version="0.0.9"), "versions", "WARN", "edge-x 0.0.9")

    def test_a_clock_that_is_off(self) -> None:
        data = self.pretend(later_ms=-3_600_000)
        self.say_until(data, "clocks", "FAIL", "the clock of edge-x is 36")

    def test_one_kind_may_not_speak_for_another(self) -> None:
        data = self.pretend()
        before = self.cluster.apis[0].metrics()["martlet_api_bad_statuses_total"]
        with NatsProbe(self.cluster.nats) as probe:
            probe.publish("im.status.persist", data)
            probe.publish("im.status.edge", b"nonsense")
            probe.flush()

        def refused() -> bool:
            now = self.cluster.apis[0].metrics()["martlet_api_bad_statuses_total"]
            return now == before + 2

        wait_until(refused, what="both are counted as bad")


class Check(ClusterTest):
    """martlet-SERVICE --check with the configuration of a service that runs, or a changed copy of it."""

    edges = 1
    dispatchers = 1
    overrides = {"dispatcher": {"shard.log_bytes": 32 << 20}}
    refused_by_nats = True

    def check(self, kind: str, **changes: Any) -> tuple[int, Findings]:
        member = next(one for one in self.cluster.members if one.kind == kind)
        file = new_directory(kind) / "config.toml"
        shutil.copy(member.config_file, file)
        if changes:
            settings = self.settings_of(member) | {key.replace("__", "."): value for key, value in changes.items()}
            file.write_text(to_toml(settings))
        file.chmod(0o600)
        return self.check_file(kind, file)

    @staticmethod
    def settings_of(member: Any) -> dict[str, Any]:
        settings = {"name": member.name, "ready_file": "", "http.listen": f"{ports.HOST}:0"}
        return settings | member.base_settings | member.own_settings() | member.settings

    def check_file(self, kind: str, file: Path) -> tuple[int, Findings]:
        done = subprocess.run(
            [str(paths.service_binary(kind)), "--check=json", "--config", str(file)],
            capture_output=True, text=True, check=False, timeout=longer(60),
        )
        findings = json.loads(done.stdout)["findings"]
        return done.returncode, {one["check"]: one for one in findings}

    def assert_fails(self, result: tuple[int, Findings], check: str, what: str) -> None:
        code, findings = result
        self.assertEqual(findings[check]["verdict"], "FAIL", findings)
        self.assertIn(what, findings[check]["what"])
        self.assertGreater(len(findings[check]["cure"]), 10)
        self.assertEqual(code, 1)

    def test_the_services_of_a_healthy_cluster_have_what_they_need(self) -> None:
        for kind in KINDS:
            with self.subTest(kind):
                code, findings = self.check(kind)
                wrong = {name: one for name, one in findings.items() if one["verdict"] != "OK"}
                self.assertEqual((code, wrong), (0, {}))
                self.assertIn("nats.permissions", findings)
        self.assertIn("nats.logs", self.check("dispatcher")[1])
        self.assertIn("postgres.durability", self.check("persist")[1])

    def test_an_unknown_key(self) -> None:
        self.assert_fails(self.check("edge", edge__lisen="x"), "config", "unknown key 'edge.lisen'")

    def test_a_wrong_password(self) -> None:
        for kind in KINDS:
            url = f"nats://{kind}:wrong@{self.cluster.nats.address}"
            self.assert_fails(self.check(kind, nats__url=url), "nats", "refuses the user, password")
        url = f"redis://edge:wrong@{self.cluster.redis.address}/0"
        self.assert_fails(self.check("edge", redis__url=url), "redis", "refused")
        url = self.cluster.postgres.url_for("persist").replace("martlet_persist:", "martlet_persist:x")
        self.assert_fails(self.check("persist", postgres__url=url), "postgres", "password")

    def test_servers_that_are_not_there(self) -> None:
        nowhere = f"{ports.HOST}:{ports.free_port()}"
        self.assert_fails(self.check("api", nats__url=f"nats://{nowhere}"), "nats", nowhere)
        self.assert_fails(self.check("api", redis__url=f"redis://{nowhere}/0"), "redis", nowhere)
        self.assert_fails(
            self.check("persist", postgres__url=f"postgresql://a:b@{nowhere}/x"), "postgres", "refused"
        )

    def test_a_role_with_the_rights_of_another(self) -> None:
        url = self.cluster.nats.url_for("api")
        self.assert_fails(self.check("edge", nats__url=url), "nats.permissions", "im.u.martlet-check")

    def test_everybody_may_read_a_secret(self) -> None:
        file = new_directory("open") / "config.toml"
        member = self.cluster.member("persist-1")
        shutil.copy(member.config_file, file)
        file.chmod(0o644)
        self.assert_fails(self.check_file("persist", file), "secrets.nats.url", str(file))
        secret = new_directory("url") / "postgres_url"
        secret.write_text(self.cluster.postgres.url_for("persist"))
        secret.chmod(0o604)
        settings = self.settings_of(member)
        del settings["postgres.url"]
        file.write_text(to_toml(settings | {"postgres.url_file": str(secret)}))
        file.chmod(0o600)
        self.assert_fails(self.check_file("persist", file), "secrets.postgres.url", str(secret))

    def test_streams_that_somebody_changed(self) -> None:
        with NatsProbe(self.cluster.nats) as probe:
            info = json.loads(probe.request("$JS.API.STREAM.INFO.IM_LOG_3").data)["config"]

            def change(**settings: Any) -> None:
                answer = probe.request(
                    "$JS.API.STREAM.UPDATE.IM_LOG_3", json.dumps(info | settings).encode()
                )
                self.assertNotIn("error", json.loads(answer.data))

            change(discard="old")
            self.assert_fails(self.check("dispatcher"), "nats.logs", 'IM_LOG_3: discard is "old", not "new"')
            change(max_bytes=32 << 20)
            self.assert_fails(self.check("dispatcher"), "nats.logs", "IM_LOG_3: max_bytes is 33554432")
            change()
            self.assertEqual(self.check("dispatcher")[0], 0)

    def test_another_number_of_shards(self) -> None:
        self.assert_fails(self.check("persist", cluster__shards=8), "postgres.shards", "16 shards")

    def test_a_database_that_forgets(self) -> None:
        self.cluster.psql("alter role martlet_persist set synchronous_commit = off")
        self.addCleanup(self.cluster.psql, "alter role martlet_persist reset synchronous_commit")
        self.assert_fails(self.check("persist"), "postgres.durability", "synchronous_commit = off")

    def test_a_schema_of_a_newer_binary(self) -> None:
        self.cluster.psql("insert into schema_migrations (number, name) values (9999, 'later')")
        self.addCleanup(self.cluster.psql, "delete from schema_migrations where number = 9999")
        self.assert_fails(self.check("persist"), "postgres.schema", "migration 9999")

    def test_keys_that_are_not_there(self) -> None:
        nowhere = str(new_directory("keys") / "signing")
        self.assert_fails(self.check("persist", auth__signing_key=nowhere), "config", nowhere)


if __name__ == "__main__":
    unittest.main()
