"""Python test files: a process a file, tests counted one by one.

A file may say TIMEOUT_S = n (for all of it) and ALONE = True (no other job beside it).
"""

from __future__ import annotations

import ast
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from martlet_cluster import paths
from martlet_test import child
from martlet_test.model import Job, Outcome

DEFAULT_TIMEOUT_S = 300.0


def jobs(kind: str, folder: Path, filter_text: str) -> Iterator[Job]:
    for file in sorted(folder.glob("test_*.py")):
        if not _may_contain(file, filter_text):
            continue
        constants = _constants(file)
        yield Job(
            kind,
            str(file.relative_to(paths.ROOT)),
            _runner(file, float(constants.get("TIMEOUT_S", DEFAULT_TIMEOUT_S)), filter_text),
            alone=bool(constants.get("ALONE", False)),
        )


def _may_contain(file: Path, filter_text: str) -> bool:
    """Without running it: each part of a test's name, as in Class.test_it, is written in its file."""
    name = str(file.relative_to(paths.ROOT))
    text = file.read_text()
    return all(part in text or part in name for part in filter_text.split("."))


def _constants(file: Path) -> dict[str, Any]:
    """Read without running the file; one that cannot be parsed fails when it runs."""
    try:
        tree = ast.parse(file.read_text())
    except SyntaxError:
        return {}
    found = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            for target in statement.targets:
                found[ast.unparse(target)] = statement.value.value
    return found


def _runner(file: Path, timeout_s: float, filter_text: str) -> Any:
    def run(directory: Path) -> Outcome:
        begin = time.monotonic()
        results = directory / "results.jsonl"
        command = [sys.executable, "-m", "martlet_test.one_file", str(file), str(results)]
        if filter_text not in str(file.relative_to(paths.ROOT)):
            command.append(filter_text)
        variables = {
            "PYTHONPATH": str(paths.ROOT / "scripts"),
            "PYTHONUNBUFFERED": "1",
        }
        ending = child.run(command, directory, variables, timeout_s, dump_signal=signal.SIGUSR1)
        outcome = _read(file.name, results, ending)
        outcome.seconds = time.monotonic() - begin
        return outcome

    return run


def _read(name: str, results: Path, ending: str) -> Outcome:
    outcome = Outcome()
    lists = {"passed": outcome.passed, "failed": outcome.failed, "skipped": outcome.skipped}
    running = ""
    for line in results.read_text().splitlines() if results.exists() else []:
        entry = json.loads(line)
        running = entry["name"] if entry["status"] == "started" else ""
        if entry["status"] in lists:
            lists[entry["status"]].append(entry["name"])
    if running or (ending and not outcome.failed):
        where = f" in {running}" if running else ""
        outcome.failed.append(f"{name}: {ending or 'ended early'}{where}")
    return outcome
