"""./dev bench subjects: subscriptions, messages through them, and all of them back after nats-server
was killed."""

from __future__ import annotations

import json
import subprocess
import unittest

from support import ROOT, longer, new_directory


class Subjects(unittest.TestCase):
    def test_every_subject_is_heard_before_and_after_a_restart(self) -> None:
        file = new_directory("subjects") / "result.json"
        words = ("--subjects", "3000", "--repeat", "1", "--seconds", f"{longer(0.5):g}")
        done = subprocess.run(
            [str(ROOT / "dev"), "bench", "subjects", "--no-build", "--any-build", *words]
            + ["--json", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (result,) = json.loads(file.read_text())["results"]
        self.assertEqual((result["workload"], result["subjects"]), ("subjects", 3000))
        self.assertEqual((result["lost"], result["unheard"]), (0, 0))
        for key in ("subscribed_per_s", "delivered_per_s", "resubscribed_s"):
            self.assertGreater(result[key], 0, key)
        self.assertGreaterEqual(result["resubscribed_s"], result["nats_start_s"])
        self.assertIn("subjects, 3,000", done.stdout)


if __name__ == "__main__":
    unittest.main()
