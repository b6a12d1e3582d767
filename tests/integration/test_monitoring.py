"""Prometheus with compose's own rules on a real cluster under traffic: every expression of a dashboard
has a value, every metric of an alert is there, and nothing raises an alarm that works."""

from __future__ import annotations

import http.client
import json
import math
import subprocess
import unittest
import urllib.parse
from pathlib import Path
from typing import Any, ClassVar

import yaml
from support import longer, new_directory, wait_until
from traffic import USERS, TrafficTest

from martlet_cluster import paths, ports
from martlet_cluster.service import Service
from martlet_cluster.tool import Tool
from monitoring import files

TIMEOUT_S = 600.0

PROMTOOL = paths.server_binary("promtool")
SCRAPE_S = 1
# What a dashboard leaves to Grafana.
VARIABLES = {"$__rate_interval": "10m", "$edge": ".*"}
PASSWORD = "correct horse"


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROMTOOL), *arguments], capture_output=True, text=True, timeout=longer(60), check=False
    )


def filled(expression: str) -> str:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


class Prometheus:
    """A server of a test's own. It asks what the file `targets` names, job by job."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        self.directory = directory
        self.port = ports.free_port()
        (directory / "alerts.yml").write_text(files.ALERTS.read_text())
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        with (directory / "prometheus.log").open("w") as log:
            self.process = subprocess.Popen(
                [
                    str(paths.server_binary("prometheus")),
                    f"--config.file={directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={directory / 'data'}",
                    f"--web.listen-address={ports.HOST}:{self.port}",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(longer(30))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path: str, **parameters: str) -> Any:
        connection = http.client.HTTPConnection(ports.HOST, self.port, timeout=longer(30))
        try:
            connection.request("GET", f"{path}?{urllib.parse.urlencode(parameters)}")
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise AssertionError(f"{path} {parameters}: {answer.status} {text}")
        return json.loads(text)["data"]

    def is_ready(self) -> bool:
        assert self.process.poll() is None, (self.directory / "prometheus.log").read_text()
        try:
            connection = http.client.HTTPConnection(ports.HOST, self.port, timeout=longer(5))
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def values(self, expression: str) -> list[float]:
        """What it gives now; that nothing happened in a histogram (NaN) is no value."""
        result = self.get("/api/v1/query", query=expression)["result"]
        values = [float(series["value"][1]) for series in result]
        return [value for value in values if not math.isnan(value)]


class Files(unittest.TestCase):
    def test_promtool_accepts_configuration_and_rules(self) -> None:
        for command in (("config", str(files.CONFIG)), ("rules", str(files.ALERTS))):
            done = promtool("check", *command)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_alert_is_quiet_and_fires_when_it_should(self) -> None:
        done = promtool("test", "rules", str(files.ALERT_TESTS))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_changed_line_is_noticed(self) -> None:
        directory = new_directory("rules")
        rules, tests = files.ALERTS.read_text(), files.ALERT_TESTS.read_text()
        for was, instead in (("> 5000", "> 5001"), ("for: 2m", "for: 20m"), ("> 0.7", ">= 0.7")):
            self.assertIn(was, rules)
            (directory / "alerts.yml").write_text(rules.replace(was, instead))
            (directory / "test.yml").write_text(
                tests.replace("../../compose/prometheus/alerts.yml", "alerts.yml")
            )
            self.assertNotEqual(promtool("test", "rules", str(directory / "test.yml")).returncode, 0)


class Asked(TrafficTest):
    prometheus: ClassVar[Prometheus]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.prometheus = Prometheus(new_directory("prometheus"), cls.config())
        cls.addClassCleanup(cls.prometheus.close)
        wait_until(cls.prometheus.is_ready, what="Prometheus is ready")

    @classmethod
    def members(cls) -> dict[str, list[Service]]:
        """By the names of Prometheus' jobs."""
        return {
            "edge": [*cls.cluster.edges],
            "dispatcher": [*cls.cluster.dispatchers],
            "persist": [*cls.cluster.persists],
            "api": [*cls.cluster.apis],
        }

    @classmethod
    def config(cls) -> dict[str, Any]:
        """Compose's, but for where the services are and how often they are asked."""
        config: dict[str, Any] = yaml.safe_load(files.CONFIG.read_text())
        config["global"] |= {
            "scrape_interval": f"{SCRAPE_S}s",
            "scrape_timeout": f"{SCRAPE_S}s",
            "evaluation_interval": f"{SCRAPE_S}s",
        }
        members = cls.members()
        for job in config["scrape_configs"]:
            del job["dns_sd_configs"]
            addresses = [member.http for member in members[job["job_name"]]]
            job["static_configs"] = [{"targets": addresses}]
        return config

    def device(self, user: str) -> Tool:
        servers = [edge.listen for edge in self.cluster.edges]
        return Tool(servers, new_directory(user) / "home")

    def say(self, device: Tool, *words: str, text: str = "") -> None:
        done = device.run(*words, text=text)
        self.assertEqual(done.code, 0, (words, done.lines, done.errors))

    def do_a_bit_of_everything(self, one: str, other: str) -> None:
        """Two new users, so that conversations are cold and memberships unknown."""
        ann, ben = self.device(one), self.device(other)
        for device, name in ((ann, one), (ben, other)):
            self.say(device, "register", name, "--password-file", "-", text=PASSWORD + "\n")
        self.say(ann, "send", other, "hello")
        self.say(ann, "group", "create", f"of-{one}", other)
        self.say(ben, "send", f"g:of-{one}", "hello all")
        self.say(ben, "history", one)
        self.say(ben, "sync")
        self.say(ben, "group", "info", f"of-{one}")

    def wait_asked(self) -> None:
        """All processes that run now were asked at least once."""
        started = sorted(
            member.metrics()["process_start_time_seconds"]
            for members in self.members().values()
            for member in members
        )
        wait_until(
            lambda: sorted(self.prometheus.values("process_start_time_seconds")) == started,
            what="all are asked",
        )

    def without_value(self) -> list[files.Query]:
        return [
            query
            for query in files.all_panel_queries()
            if not self.prometheus.values(filled(query.expression))
        ]

    def test_every_expression_has_a_value(self) -> None:
        self.wait_asked()
        self.do_a_bit_of_everything("ann", "ben")
        self.cluster.restart("dispatcher-2")
        self.wait_asked()
        self.do_a_bit_of_everything("cat", "dan")
        self.wait_for_more(1000)
        try:
            wait_until(lambda: not self.without_value(), 60, "every expression has a value")
        except AssertionError:
            self.fail("\n".join(map(str, self.without_value())))
        missing = {
            selector
            for query in files.alert_queries()
            for selector in files.selectors(query.expression)
            if not self.prometheus.values(selector)
        }
        self.assertEqual(missing, set(), "selectors of alerts")
        self.assertEqual(self.prometheus.values("absent(martlet_no_such_metric)"), [1])
        self.assertEqual(self.prometheus.values("martlet_no_such_metric"), [])
        groups = self.prometheus.get("/api/v1/rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertEqual(len(rules), len(files.alerts()))
        self.assertEqual({rule["health"] for rule in rules}, {"ok"})
        firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
        self.assertEqual(firing, [], "alerts of a cluster that works")
        self.check_account()

    def test_the_page_says_how_to_find_who_writes_most(self) -> None:
        query = next(
            line.strip().rstrip(";")
            for line in files.PAGE.read_text().splitlines()
            if line.startswith("      SELECT c.name, m.sender")
        )
        self.check_account()
        found = [self.cluster.psql(query.replace("SHARD", str(shard))) for shard in range(16)]
        senders = {sender for rows in found for _, sender, _ in rows}
        self.assertTrue(senders <= {*USERS, "ann", "ben", "cat", "dan"} and len(senders) > 10, senders)

    def test_what_died_is_seen(self) -> None:
        """The alert itself takes its time; what it looks at is there at once."""
        missing = next(rule for rule in files.alerts() if rule["alert"] == "ServiceMissing")
        unserved = next(rule for rule in files.alerts() if rule["alert"] == "NotReady")
        wait_until(lambda: not self.prometheus.values(missing["expr"]), what="all are there")
        self.cluster.kill("api-1")
        wait_until(lambda: self.prometheus.values(missing["expr"]), what="the api is missed")
        self.cluster.start_member("api-1")
        wait_until(lambda: not self.prometheus.values(missing["expr"]), what="it is back")
        self.cluster.pause("postgres")
        self.addCleanup(self.cluster.resume, "postgres")
        wait_until(lambda: self.prometheus.values(unserved["expr"]), what="persist is not ready")
        self.cluster.resume("postgres")
        wait_until(lambda: not self.prometheus.values(unserved["expr"]), what="it is ready again")
        self.check_account()


if __name__ == "__main__":
    unittest.main()
