"""The tables of docs/operations.md are what the services say of themselves."""

from __future__ import annotations

import json
import re
import subprocess
import unittest

from support import ROOT, longer

from martlet_cluster.paths import service_binary
from martlet_docs.main import PAGE, describe, described_services, difference, refreshed

# The names of lines that the services log as errors.
ERROR_LINE = re.compile(r'MARTLET_LOG\(\s*error,\s*"(\w+)')
LEAST_ERROR_LINES = 10
LEAST_ALARMS = 4


class DescribeTest(unittest.TestCase):
    def test_the_page_has_the_tables_of_today(self) -> None:
        old = PAGE.read_text()
        new = refreshed(old, [describe(service) for service in described_services()])
        self.assertEqual(difference(old, new), "", "run ./dev describe-docs")

    def test_a_changed_default_is_noticed(self) -> None:
        description = describe("api")
        row = next(key for key in description["keys"] if key["name"] == "stop_timeout_ms")
        page = "".join(
            f"<!-- {part} -->\n<!-- end of {part} -->\n"
            for part in ("keys", "metrics", "limits", "errors")
        )
        before = refreshed(page, [description])
        row["default"] = "1"
        self.assertNotEqual(difference(before, refreshed(page, [description])), "")

    def test_every_service_tells_the_same_error_codes(self) -> None:
        errors = {json.dumps(describe(service)["errors"]) for service in described_services()}
        self.assertEqual(len(errors), 1)

    def test_help_names_every_key(self) -> None:
        for service in described_services():
            done = subprocess.run(
                [service_binary(service), "--help"],
                capture_output=True,
                text=True,
                timeout=longer(30),
            )
            for key in describe(service)["keys"]:
                self.assertIn(f"--{key['name']}\n", done.stdout)

    def test_every_alarm_and_every_error_line_has_a_procedure(self) -> None:
        lines = [
            name
            for path in (ROOT / "src").rglob("*.cc")
            for name in ERROR_LINE.findall(path.read_text())
        ]
        self.assertGreaterEqual(len(lines), LEAST_ERROR_LINES)
        metrics = {metric["name"]: metric for metric in describe("persist")["metrics"]}
        alarms = set(metrics["martlet_persist_alarms_total"]["values"]) - {"other"}
        self.assertGreaterEqual(len(alarms), LEAST_ALARMS)
        procedures = PAGE.read_text().split("\n## Alarms\n")[1].split("\n## ")[0]
        rows = [line.split(" | ")[0] for line in procedures.splitlines() if line.startswith("| ")]
        wanted = {f"`{name}`" for name in lines if name != "alarm"}
        wanted |= {f'`alarm="{alarm}"`' for alarm in alarms}
        self.assertEqual({name for name in wanted if not any(name in row for row in rows)}, set())

    def test_every_service_is_described(self) -> None:
        programs = {path.parent.name for path in (ROOT / "src").glob("*/main.cc")} - {"tools"}
        self.assertEqual(programs, set(described_services()))


if __name__ == "__main__":
    unittest.main()
