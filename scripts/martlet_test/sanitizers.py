"""Tests with a sanitizer: a build directory of its own, what the sanitizer is told, what it found.

Every program of that build reports to a file in the directory of the test that started it, however
it ends; a report fails the test."""

from __future__ import annotations

import os
from pathlib import Path

from martlet_cluster import paths

KINDS = ("address", "thread")
FILES = paths.ROOT / "tests/sanitizers"
REPORT = "sanitizer"
REPORT_LINES = 60

# Such programs are that much slower: every limit of a test is longer by this factor.
PATIENCE = {"address": 4, "thread": 8}

# Told to each; an exit code that nothing else uses.
_COMMON = ("exitcode=86", "print_stacktrace=1", "strip_path_prefix=../")
# Little of what was freed is kept: tests look at how much memory a service takes.
_ADDRESS = (
    "detect_stack_use_after_return=1",
    "check_initialization_order=1",
    "quarantine_size_mb=32",
)
_THREAD = ("second_deadlock_stack=1", "history_size=4")


def prepare(kind: str) -> None:
    """From now on ./dev build, the harness and the tests take the programs of that build."""
    os.environ["MARTLET_BUILD_SANITIZE"] = kind
    os.environ["MARTLET_BUILD_DIR"] = str(paths.ROOT / f"build-{kind}")
    os.environ["MARTLET_TEST_PATIENCE"] = str(PATIENCE[kind])


def variables(directory: Path) -> dict[str, str]:
    """For the programs that a test in this directory starts; nothing without a sanitizer."""
    kind = os.environ.get("MARTLET_BUILD_SANITIZE")
    if not kind:
        return {}
    common = [*_COMMON, f"log_path={directory / REPORT}"]
    return {
        "ASAN_OPTIONS": ":".join([*common, *_ADDRESS]),
        "UBSAN_OPTIONS": ":".join(common),
        "LSAN_OPTIONS": f"suppressions={FILES / 'leaks.txt'}:print_suppressions=0",
        "TSAN_OPTIONS": ":".join([*common, *_THREAD, f"suppressions={FILES / 'thread.txt'}"]),
    }


def complaints(directory: Path) -> list[str]:
    """One for each report; the beginning of each is added to the test's output."""
    found = []
    for report in sorted(directory.glob(f"{REPORT}.*")):
        lines = report.read_text(errors="replace").splitlines()
        what = next((line for line in lines if "ERROR: " in line or "WARNING: " in line), "")
        what = what or next((line for line in lines if "runtime error" in line), "a report")
        found.append(f"{what.strip('= ')} ({report.name})")
        with (directory / "output.log").open("a") as log:
            log.write("\n".join(["", *lines[:REPORT_LINES], ""]))
    return found
