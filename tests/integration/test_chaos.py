"""./dev chaos: ninety seconds of it, by a fresh seed."""

from __future__ import annotations

import json
import subprocess
import unittest
from typing import Any

from support import ROOT, chosen_seed, new_directory

ALONE = True
TIMEOUT_S = 600

MINUTES = 1.5
COLUMNS = ("lost", "doubled", "misordered", "holes", "others")


class Chaos(unittest.TestCase):
    def test_ninety_seconds(self) -> None:
        out = new_directory("chaos")
        seed = chosen_seed()
        words = ["--minutes", str(MINUTES), "--seed", str(seed), "--out", str(out), "--no-build"]
        done = subprocess.run(
            [str(ROOT / "dev"), "chaos", *words],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout[-5000:] + done.stderr)
        report: dict[str, Any] = json.loads((out / "chaos-report.json").read_text())
        self.assertEqual({name: report[name] for name in COLUMNS}, dict.fromkeys(COLUMNS, 0))
        self.assertEqual(report["seed"], seed)
        self.assertEqual(report["delivered"], report["expected_deliveries"])
        self.assertGreater(report["delivered"], 2 * report["acked"])
        self.assertEqual(report["history_read"], report["history_expected"])
        self.assertTrue((out / "chaos-report.html").read_text().startswith("<!doctype html>"))

    def test_what_makes_no_sense_is_said(self) -> None:
        for words in (("--minutes", "0"), ("--clients", "3")):
            done = subprocess.run(
                [str(ROOT / "dev"), "chaos", *words], capture_output=True, text=True, check=False
            )
            self.assertEqual(done.returncode, 2)
            self.assertIn(words[0], done.stderr)


if __name__ == "__main__":
    unittest.main()
