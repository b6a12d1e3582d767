"""The test runner itself: nothing that fails, crashes or hangs may count as passed."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import support
from support import wait_until

from martlet_test import child, leftovers, meson_tests, python_tests, runner
from martlet_test.model import Job, Outcome

MIXED = """
import unittest
class Mixed(unittest.TestCase):
    def test_good(self): pass
    def test_bad(self): self.fail("on purpose")
    @unittest.skip("on purpose")
    def test_skipped(self): pass
    def test_with_subtests(self):
        for n in range(3):
            with self.subTest(n=n): self.assertNotEqual(n, 1)
"""
CRASHING = """
import os, unittest
class Crashing(unittest.TestCase):
    def test_a_good(self): pass
    def test_b_crash(self): os.abort()
"""
HANGING = """
import time, unittest
TIMEOUT_S = 2
class Hanging(unittest.TestCase):
    def test_a_good(self): pass
    def test_b_hang(self): time.sleep(100)
"""
BROKEN_SETUP = """
import unittest
class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("on purpose")
    def test_never(self): pass
"""
LEAVING = """
import subprocess
subprocess.Popen(["sleep", "600"], start_new_session=True)
"""

# A program that a sanitizer speaks for, and that ends well all the same.
REPORTING = """
import os
options = dict(option.split("=") for option in os.environ["{variable}"].split(":"))
with open(options["log_path"] + ".77", "w") as report:
    report.write("==77==ERROR: AddressSanitizer: heap-use-after-free on address 1\\n    #0 main")
"""


class Sanitizers(unittest.TestCase):
    def test_report_of_any_program_fails_the_test(self) -> None:
        directory = support.new_directory("sanitized")

        def run(own: Path) -> Outcome:
            for variable in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
                program = REPORTING.format(variable=variable)
                self.assertEqual(child.run([sys.executable, "-c", program], own, {}, 30), "")
            return Outcome(passed=["good"])

        with mock.patch.dict("os.environ", {"MARTLET_BUILD_SANITIZE": "address"}):
            outcome = runner.run_job(Job("unit", "it", run), directory)
        self.assertEqual(len(outcome.failed), 1)
        self.assertIn("heap-use-after-free", outcome.failed[0])
        self.assertIn("#0 main", (directory / "unit-it/output.log").read_text())


class PythonFiles(unittest.TestCase):
    def test_process_left_behind_is_found_and_ended(self) -> None:
        directory = support.new_directory("left")
        child.run([sys.executable, "-c", LEAVING], directory, {}, 10)
        wait_until(lambda: leftovers.find(directory), what="the process to be found")
        with mock.patch.object(leftovers, "PATIENCE_S", 0):
            self.assertEqual(leftovers.end(directory), ["sleep 600"])
        self.assertEqual(leftovers.find(directory), [])

    def run_text(self, text: str, filter_text: str = "") -> Outcome:
        # Below the checkout, where the runner expects its files.
        with tempfile.TemporaryDirectory(dir=support.new_directory("runner")) as folder:
            Path(folder, "test_it.py").write_text(text)
            directory = Path(folder, "logs")
            directory.mkdir()
            (job,) = python_tests.jobs("integration", Path(folder), filter_text)
            return job.run(directory)

    def test_each_kind_of_result_is_counted(self) -> None:
        outcome = self.run_text(MIXED)
        self.assertEqual(outcome.passed, ["test_it.Mixed.test_good"])
        self.assertEqual(outcome.skipped, ["test_it.Mixed.test_skipped"])
        self.assertEqual(
            outcome.failed, ["test_it.Mixed.test_bad", "test_it.Mixed.test_with_subtests"]
        )

    def test_filter_chooses_tests(self) -> None:
        outcome = self.run_text(MIXED, "Mixed.test_good")
        self.assertEqual((len(outcome.passed), len(outcome.failed)), (1, 0))

    def test_crash_fails_the_test_and_keeps_earlier_results(self) -> None:
        outcome = self.run_text(CRASHING)
        self.assertEqual(outcome.passed, ["test_it.Crashing.test_a_good"])
        self.assertEqual(len(outcome.failed), 1)
        self.assertIn("SIGABRT in test_it.Crashing.test_b_crash", outcome.failed[0])

    def test_hang_ends_at_the_deadline_as_a_failure(self) -> None:
        outcome = self.run_text(HANGING)
        self.assertEqual(outcome.passed, ["test_it.Hanging.test_a_good"])
        self.assertIn("timeout after 2 s in test_it.Hanging.test_b_hang", outcome.failed[0])

    def test_failing_setup_and_failing_import_are_failures(self) -> None:
        self.assertEqual(len(self.run_text(BROKEN_SETUP).failed), 1)
        self.assertEqual(len(self.run_text("import no_such_module").failed), 1)


class Binaries(unittest.TestCase):
    def run_script(self, script: str, filter_text: str = "") -> Outcome:
        directory = support.new_directory("binary")
        test = {
            "name": "fake",
            "cmd": ["bash", "-c", script],
            "env": {},
            "timeout": 30,
            "workdir": None,
        }
        return meson_tests._run(test, directory, {}, filter_text)

    def test_binary_without_report_counts_as_one(self) -> None:
        self.assertEqual(self.run_script("exit 0").passed, ["fake"])
        self.assertEqual(self.run_script("exit 3").failed, ["fake: exit code 3"])

    def test_crash_is_a_failure_with_the_test_that_ran(self) -> None:
        outcome = self.run_script(
            'echo "[ RUN      ] A.one"; echo "[       OK ] A.one (0 ms)";'
            'echo "[ RUN      ] A.two"; kill -SEGV $$'
        )
        self.assertEqual(outcome.passed, ["A.one"])
        self.assertEqual(outcome.failed, ["fake: crash: SIGSEGV in A.two"])

    def test_report_is_read(self) -> None:
        outcome = self.run_script(
            'echo \'{"testsuites":[{"name":"A","testsuite":['
            '{"name":"good","status":"RUN","result":"COMPLETED"},'
            '{"name":"bad","status":"RUN","result":"COMPLETED","failures":[{}]},'
            '{"name":"off","status":"NOTRUN","result":"SUPPRESSED"}]}]}\' > ${GTEST_OUTPUT#json:}; exit 1'
        )
        self.assertEqual((outcome.passed, outcome.failed), (["A.good"], ["A.bad"]))

    def test_error_after_the_last_test_is_a_failure(self) -> None:
        outcome = self.run_script("echo '{\"testsuites\":[]}' > ${GTEST_OUTPUT#json:}; exit 1")
        self.assertEqual(outcome.failed, ["fake: exit code 1"])
