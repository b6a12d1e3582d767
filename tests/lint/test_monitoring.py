"""Alerts have a procedure, alerts and dashboards ask for metrics that exist, and Prometheus asks every
service that compose starts."""

from __future__ import annotations

import json
import re
import sys
import unittest
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from monitoring import files  # noqa: E402

COMPOSE = ROOT / "compose/compose.yaml"
SEVERITIES = {"warning", "critical"}
PAGE_NAME = "docs/operations.md"
ALERT_ANCHOR = "alert-"
LEAST_ALERTS = 10
DASHBOARDS = 3

Rule = dict[str, Any]


def kebab(name: str) -> str:
    """ServiceDown becomes service-down."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def alert_complaints(rules: list[Rule], page: str) -> list[str]:
    """What an alert lacks, and procedures without an alert."""
    anchors = files.anchors(page)
    found = [f"{anchor} is there twice" for anchor in set(anchors) if anchors.count(anchor) > 1]
    wanted = set()
    for rule in rules:
        name, runbook = rule["alert"], rule.get("annotations", {}).get("runbook", "")
        wanted.add(ALERT_ANCHOR + kebab(name))
        if runbook != f"{PAGE_NAME}#{ALERT_ANCHOR}{kebab(name)}":
            found.append(f"{name}: the runbook is {runbook!r}")
        if runbook.partition("#")[2] not in anchors:
            found.append(f"{name}: {PAGE_NAME} has no {runbook}")
        if not rule.get("annotations", {}).get("summary"):
            found.append(f"{name}: no summary")
        if rule.get("labels", {}).get("severity") not in SEVERITIES:
            found.append(f"{name}: no severity")
        if "for" not in rule:
            found.append(f"{name}: no for")
    for anchor in anchors:
        if anchor.startswith(ALERT_ANCHOR) and anchor not in wanted:
            found.append(f"{anchor}: a procedure without an alert")
    return found


def unknown_metrics(queries: list[files.Query], page: str) -> list[str]:
    known = files.documented_metrics(page)
    return [
        f"{query.where}: {name} is not in the table of {PAGE_NAME}"
        for query in queries
        for name in sorted(files.metrics_of(query.expression) - known)
    ]


def scrape_complaints(prometheus: str, compose: str) -> list[str]:
    """Services of ours that Prometheus does not ask, or asks elsewhere than they listen."""
    services = yaml.safe_load(compose)["services"]
    ours = {}
    for name, service in services.items():
        listen = (service.get("environment") or {}).get("MARTLET_HTTP_LISTEN")
        if listen:
            ours[name] = int(listen.rpartition(":")[2])
    asked = {}
    found = []
    for job in yaml.safe_load(prometheus)["scrape_configs"]:
        for sd in job["dns_sd_configs"]:
            asked[job["job_name"]] = sd["port"]
            if sd["names"] != [job["job_name"]]:
                found.append(f"the job {job['job_name']} asks {sd['names']}")
    for name, port in ours.items():
        if asked.get(name) != port:
            found.append(f"{name} listens at port {port}, asked is {asked.get(name)}")
    return found + [f"nobody is called {name}" for name in asked if name not in ours]


def dashboard_complaints(name: str, text: str) -> list[str]:
    """What would make a dashboard hard to read, in the browser or as a change."""
    board = json.loads(text)
    found = []
    if text != json.dumps(board, indent=2, ensure_ascii=False) + "\n":
        found.append(f"{name}: not as json.dumps(…, indent=2, ensure_ascii=False) writes it")
    if {"id", "version"} & set(board):
        found.append(f"{name}: id and version belong to one Grafana")
    if len({panel["id"] for panel in board["panels"]}) < len(board["panels"]):
        found.append(f"{name}: two panels have the same id")
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        if cells & taken or place["x"] + place["w"] > 24:
            found.append(f"{name}: {panel['title']} lies on another panel, or outside")
        taken |= cells
        if panel["type"] not in ("row", "text") and not panel.get("description"):
            found.append(f"{name}: {panel['title']} has no description")
    return found


class Alerts(unittest.TestCase):
    def test_every_alert_has_a_procedure(self) -> None:
        self.assertGreaterEqual(len(files.alerts()), LEAST_ALERTS)
        self.assertEqual(alert_complaints(files.alerts(), files.PAGE.read_text()), [])

    def test_what_an_alert_lacks_is_found(self) -> None:
        page = '| <a id="alert-it-burns"></a>`ItBurns` |'
        good: Rule = {
            "alert": "ItBurns",
            "for": "1m",
            "labels": {"severity": "critical"},
            "annotations": {"summary": "fire", "runbook": f"{PAGE_NAME}#alert-it-burns"},
        }
        self.assertEqual(alert_complaints([good], page), [])
        self.assertEqual(len(alert_complaints([good], page + page)), 1)
        self.assertEqual(len(alert_complaints([], page)), 1)
        self.assertEqual(len(alert_complaints([good], "")), 1)
        self.assertEqual(len(alert_complaints([good | {"labels": {}}], page)), 1)
        self.assertEqual(len(alert_complaints([good | {"annotations": {}}], page)), 3)
        del good["for"]
        self.assertEqual(len(alert_complaints([good], page)), 1)

    def test_every_alert_is_tested_quiet_and_firing(self) -> None:
        tested: dict[str, set[bool]] = {}
        for group in yaml.safe_load(files.ALERT_TESTS.read_text())["tests"]:
            for test in group["alert_rule_test"]:
                tested.setdefault(test["alertname"], set()).add(bool(test["exp_alerts"]))
        wanted = {rule["alert"]: {False, True} for rule in files.alerts()}
        self.assertEqual(tested, wanted)


class Metrics(unittest.TestCase):
    def test_alerts_and_dashboards_ask_for_metrics_that_exist(self) -> None:
        queries = files.alert_queries() + files.all_panel_queries() + files.variable_queries()
        self.assertEqual(unknown_metrics(queries, files.PAGE.read_text()), [])

    def test_one_that_does_not_exist_is_found(self) -> None:
        page = "<!-- metrics -->\n| `martlet_known_seconds` | all |\n<!-- end of metrics -->"
        known = "sum by (le) (rate(martlet_known_seconds_bucket[1m])) / up"
        self.assertEqual(unknown_metrics([files.Query("here", known)], page), [])
        self.assertEqual(len(unknown_metrics([files.Query("here", "martlet_unknown")], page)), 1)

    def test_selectors_are_found_with_their_labels(self) -> None:
        text = 'absent(up{job="edge"}) or sum by (job) (rate(martlet_a_total[5m])) > process_b'
        self.assertEqual(files.selectors(text), {'up{job="edge"}', "martlet_a_total", "process_b"})


class Scraping(unittest.TestCase):
    def test_prometheus_asks_every_service(self) -> None:
        self.assertEqual(scrape_complaints(files.CONFIG.read_text(), COMPOSE.read_text()), [])

    def test_one_that_is_not_asked_is_found(self) -> None:
        prometheus, compose = files.CONFIG.read_text(), COMPOSE.read_text()
        for was, instead, complaints in (
            ("job_name: edge", "job_name: edges", 3),
            ("names: [persist]", "names: [postgres]", 1),
            ("names: [api], type: A, port: 8080", "names: [api], type: A, port: 8081", 1),
        ):
            self.assertIn(was, prometheus)
            found = scrape_complaints(prometheus.replace(was, instead), compose)
            self.assertEqual(len(found), complaints, found)

    def test_all_programs_of_ours_are_services(self) -> None:
        programs = {path.parent.name for path in (ROOT / "src").glob("*/main.cc")} - {"tools"}
        jobs = {job["job_name"] for job in yaml.safe_load(files.CONFIG.read_text())["scrape_configs"]}
        self.assertEqual(jobs, programs)

    def test_monitoring_is_reached_from_this_machine_only(self) -> None:
        services = yaml.safe_load(COMPOSE.read_text())["services"]
        for name in ("prometheus", "grafana"):
            self.assertEqual(services[name]["profiles"], ["monitoring"])
            for port in services[name]["ports"]:
                self.assertTrue(port.startswith("127.0.0.1:"), port)
        environment = services["grafana"]["environment"]
        self.assertNotIn("GF_SECURITY_ADMIN_PASSWORD", environment)
        self.assertIn("GF_SECURITY_ADMIN_PASSWORD__FILE", environment)


class Dashboards(unittest.TestCase):
    def test_they_are_good_to_read(self) -> None:
        paths = sorted(files.DASHBOARDS.glob("*.json"))
        self.assertEqual(len(paths), DASHBOARDS)
        found = [text for path in paths for text in dashboard_complaints(path.name, path.read_text())]
        self.assertEqual(found, [])
        self.assertEqual(len({board["uid"] for board in files.dashboards().values()}), DASHBOARDS)

    def test_a_bad_one_is_found(self) -> None:
        good = (files.DASHBOARDS / "health.json").read_text()
        for was, instead in (
            ('  "uid"', '   "uid"'),
            ('"id": 7,', '"id": 8,'),
            ('  "uid"', '  "id": 7,\n  "uid"'),
            ('"description": "In use."', '"description": ""'),
            ('"w": 24,\n        "h": 5', '"w": 25,\n        "h": 5'),
        ):
            self.assertIn(was, good)
            self.assertEqual(len(dashboard_complaints("it", good.replace(was, instead, 1))), 1, instead)


if __name__ == "__main__":
    sys.exit(unittest.main())
