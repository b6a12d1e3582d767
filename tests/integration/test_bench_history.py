"""./dev bench history: messages that are made once, and read back as they were meant."""

from __future__ import annotations

import json
import shutil
import subprocess
import unittest
from typing import Any

from flat_table import root
from support import ROOT, longer, new_directory

from martlet_bench import flat, history

ROWS = 10_000  # 500 conversations of 20


class Requests(unittest.TestCase):
    def test_tables_are_read_as_they_were_written(self) -> None:
        for name in (b"", b"u", b"u:anna:ben", b"u:anna:bernd"):
            for number in (0, 1, 1 << 60):
                data = flat.table(name, ("<Q", number), None, ("<B", 3), ("<I", 50))
                table = root(data)
                self.assertEqual(table.text(0), name.decode())
                self.assertEqual(table.number(1, "<Q"), number)
                self.assertEqual(table.at(1) % 8, 0)
                self.assertEqual(table.at(2), 0)
                self.assertEqual((table.number(3, "<B"), table.number(4, "<I")), (3, 50))
        self.assertEqual(root(flat.table(None, b"page")).text(1), "page")

    def test_ranks_are_times_that_occurred(self) -> None:
        self.assertEqual(history.ranks([7.0]), [7.0] * 4)
        times = [float(number) for number in range(1, 101)]
        self.assertEqual(history.ranks(times), [51.0, 96.0, 100.0, 100.0])


class History(unittest.TestCase):
    def bench(self, kind: str) -> tuple[dict[str, Any], str]:
        file = new_directory("history") / "result.json"
        times = ("--seconds", f"{longer(0.4):g}", "--warm-up", "0.1", "--repeat", "1")
        words = ("--rows", str(ROWS), "--only", f"kind={kind}", "--json", str(file), *times)
        done = subprocess.run(
            [str(ROOT / "dev"), "bench", "history", "--no-build", "--any-build", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (result,) = json.loads(file.read_text())["results"]
        self.assertEqual((result["kind"], result["rows"], result["wrong"]), (kind, ROWS, 0))
        self.assertGreater(result["answered"], 0)
        self.assertLessEqual(result["p50_ms"], result["p95_ms"])
        self.assertEqual(result["topology"]["edge"], 2)
        return result, done.stdout

    def test_pages_and_syncs_of_messages_that_are_made_once(self) -> None:
        place = ROOT / f".local/bench-data/history-{ROWS}"
        shutil.rmtree(place, ignore_errors=True)
        self.addCleanup(shutil.rmtree, place)
        page, printed = self.bench("page")
        self.assertIn(f"{ROWS:,} messages made in", printed)
        self.assertGreater(page["answer_bytes"], 200)
        _, printed = self.bench("sync")
        self.assertNotIn("made in", printed)


if __name__ == "__main__":
    unittest.main()
