"""./dev autoscale: edges follow the clients up and down, and nothing is lost on the way."""

from __future__ import annotations

import json
import subprocess
import unittest

from martlet_autoscale import report
from support import ROOT, longer, new_directory


class Autoscale(unittest.TestCase):
    def test_edges_follow_the_load(self) -> None:
        file = new_directory("autoscale") / "report.json"
        command = [str(ROOT / "dev"), "autoscale", "--no-build", "--low", "30", "--high", "120"]
        command += ["--per-edge", "50", "--rate", "60", "--hold", "3", "--json", str(file)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=longer(300)
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        result = json.loads(file.read_text())
        self.assertEqual((result["edges_most"], result["edges_last"]), (3, 1))
        self.assertEqual(result["problems"], 0, result["first_problems"])
        self.assertGreater(result["acknowledged"], 0)
        self.assertEqual(result["delivered"], 2 * result["acknowledged"])


class Report(unittest.TestCase):
    @staticmethod
    def rows(*desired: int) -> list[dict[str, int]]:
        return [{"at_s": second, "desired": count} for second, count in enumerate(desired)]

    def test_tells_what_was_asked_for(self) -> None:
        made = report.changes(self.rows(0, 1, 1, 2, 4, 4, 1))
        self.assertEqual([(one["from"], one["to"]) for one in made], [(1, 2), (2, 4), (4, 1)])

    def test_tells_how_soon_it_turned(self) -> None:
        self.assertIsNone(report.shortest_turn(report.changes(self.rows(1, 2, 3))))
        self.assertEqual(report.shortest_turn(report.changes(self.rows(1, 2, 3, 3, 2, 2, 3))), 2)

    def test_turning_too_soon_is_not_good(self) -> None:
        good = {"problems": 0, "shortest_turn_s": 31}
        self.assertTrue(report.is_good(good))
        self.assertTrue(report.is_good({**good, "shortest_turn_s": None}))
        self.assertFalse(report.is_good({**good, "shortest_turn_s": 5}))
        self.assertFalse(report.is_good({**good, "problems": 1}))


if __name__ == "__main__":
    unittest.main()
