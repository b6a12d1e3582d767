"""Runs the tests of one Python file in this process and writes a line of JSON a test.

python3 -m martlet_test.one_file FILE RESULTS [FILTER]
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import signal
import sys
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO


class LineResult(unittest.TextTestResult):
    """Besides what unittest prints: results as they come, so that a crash loses none."""

    def __init__(self, results: TextIO, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._results = results
        self._begin = 0.0
        self._status = ""

    def _write(self, name: str, status: str, seconds: float = 0.0) -> None:
        line = {"name": name, "status": status, "seconds": round(seconds, 3)}
        self._results.write(json.dumps(line) + "\n")
        self._results.flush()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._begin = time.monotonic()
        self._status = "passed"
        self._write(test.id(), "started")

    def stopTest(self, test: unittest.TestCase) -> None:
        self._write(test.id(), self._status, time.monotonic() - self._begin)
        self._status = ""
        super().stopTest(test)

    def _note(self, test: Any, status: str) -> None:
        """Outside a test (setUpClass and the like) the thing counts by itself."""
        if self._status:
            self._status = status
        else:
            self._write(test.id(), status)

    def addFailure(self, test: Any, error: Any) -> None:
        super().addFailure(test, error)
        self._note(test, "failed")

    def addError(self, test: Any, error: Any) -> None:
        super().addError(test, error)
        self._note(test, "failed")

    def addSubTest(self, test: Any, subtest: Any, error: Any) -> None:
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._note(test, "failed")

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skipped")

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._note(test, "failed")


def cases(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def load(file: Path, filter_text: str) -> unittest.TestSuite:
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    found = cases(unittest.defaultTestLoader.loadTestsFromModule(module))
    return unittest.TestSuite(test for test in found if filter_text in test.id())


def main() -> int:
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    file, results = Path(sys.argv[1]), Path(sys.argv[2])
    filter_text = sys.argv[3] if len(sys.argv) > 3 else ""
    suite = load(file, filter_text)
    with results.open("w") as lines:
        runner = unittest.TextTestRunner(
            verbosity=2, resultclass=lambda *arguments: LineResult(lines, *arguments)
        )
        return 0 if runner.run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
