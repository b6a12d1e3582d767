"""What compose/prometheus and compose/grafana hold: alerts, dashboards, and the metrics they ask for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "compose/prometheus/prometheus.yml"
ALERTS = ROOT / "compose/prometheus/alerts.yml"
ALERT_TESTS = ROOT / "tests/monitoring/alerts_test.yml"
DASHBOARDS = ROOT / "compose/grafana/dashboards"
PAGE = ROOT / "docs/operations.md"

# What Prometheus itself makes of every scrape and every rule.
OWN_METRICS = {"up", "ALERTS"}
# A metric with its selector; not a function, which is followed by a parenthesis, nor a label.
_SELECTOR = re.compile(r"\b((?:martlet|process)_\w+|up|ALERTS)\b(\{[^}]*\})?")
_HISTOGRAM_SUFFIX = re.compile(r"_(?:bucket|sum|count)$")
_ANCHOR = re.compile(r'<a id="([\w-]+)"></a>')


@dataclass(frozen=True)
class Query:
    where: str  # for people
    expression: str


def alerts(text: str | None = None) -> list[dict[str, Any]]:
    groups = yaml.safe_load(text or ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboards() -> dict[str, dict[str, Any]]:
    return {path.name: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def panel_queries(name: str, dashboard: dict[str, Any]) -> list[Query]:
    return [
        Query(f"{name}, {panel['title']}, {target['refId']}", target["expr"])
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]


def variable_queries() -> list[Query]:
    """Where Grafana finds what may be chosen: label_values(METRIC, LABEL)."""
    return [
        Query(f"{name}, ${variable['name']}", variable["query"])
        for name, dashboard in dashboards().items()
        for variable in dashboard["templating"]["list"]
    ]


def all_panel_queries() -> list[Query]:
    return [query for item in dashboards().items() for query in panel_queries(*item)]


def alert_queries() -> list[Query]:
    return [Query(f"alert {rule['alert']}", rule["expr"]) for rule in alerts()]


def selectors(expression: str) -> set[str]:
    """Metrics with what is asked of their labels: up{job="edge"}."""
    return {name + (labels or "") for name, labels in _SELECTOR.findall(expression)}


def metrics_of(expression: str) -> set[str]:
    """Names as the services register them, without what a histogram adds."""
    names = {name for name, _ in _SELECTOR.findall(expression)} - OWN_METRICS
    return {_HISTOGRAM_SUFFIX.sub("", name) for name in names}


def documented_metrics(page: str) -> set[str]:
    table = page.split("<!-- metrics -->")[1].split("<!-- end of metrics -->")[0]
    return set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))


def anchors(page: str) -> list[str]:
    return _ANCHOR.findall(page)
