"""The test programs that meson knows: GoogleTest binaries, and others that count as one test."""

from __future__ import annotations

import json
import mmap
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from martlet_cluster import Cluster, ClusterError, paths
from martlet_cluster.cli import environment as server_environment
from martlet_test import child
from martlet_test.model import Job, Outcome

# Only a guard against hanging; the machine may be busy.
LEAST_TIMEOUT_S = 180


def jobs(unit: bool, integration: bool, filter_text: str) -> Iterator[Job]:
    if not (paths.build_dir() / "build.ninja").exists():
        raise ClusterError(f"nothing is built in {paths.build_dir()}: run ./dev build")
    done = subprocess.run(
        ["meson", "introspect", "--tests", str(paths.build_dir())],
        capture_output=True,
        text=True,
        check=True,
    )
    for test in json.loads(done.stdout):
        suites = {suite.rpartition(":")[2] for suite in test["suite"]}
        with_servers = "integration" in suites
        if not (integration if with_servers else unit) or not _is_chosen(test, filter_text):
            continue
        yield Job(
            "integration" if with_servers else "unit",
            test["name"],
            _runner(test, with_servers, filter_text),
            alone=not test["is_parallel"],
        )


def _is_chosen(test: dict[str, Any], filter_text: str) -> bool:
    """By the program's name, or by one of its tests, which GoogleTest lists without running any."""
    if filter_text in test["name"]:
        return True
    if shutil.which(test["cmd"][0]) is None or not _is_googletest(Path(test["cmd"][0])):
        return False
    command = [*test["cmd"], "--gtest_list_tests"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    suite = ""
    for line in done.stdout.splitlines():
        name = line.partition("#")[0].strip()
        suite = suite if line.startswith(" ") else name
        if line.startswith(" ") and filter_text in suite + name:
            return True
    return False


def _is_googletest(program: Path) -> bool:
    """Another program would not know the option, and do whatever it does."""
    with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return text.find(b"gtest_list_tests") >= 0


def _runner(test: dict[str, Any], with_servers: bool, filter_text: str) -> Any:
    def run(directory: Path) -> Outcome:
        if not with_servers:
            return _run(test, directory, {}, filter_text)
        with Cluster.only_servers(directory / "servers") as cluster:
            cluster.start_servers()
            return _run(test, directory, server_environment(cluster), filter_text)

    return run


def _run(test: dict[str, Any], directory: Path, extra: dict[str, str], filter_text: str) -> Outcome:
    if shutil.which(test["cmd"][0]) is None:
        return Outcome(failed=[f"{test['name']}: not built"])
    report = directory / "gtest.json"
    variables = {**test["env"], **extra, "GTEST_OUTPUT": f"json:{report}"}
    if filter_text not in test["name"]:
        variables["GTEST_FILTER"] = f"*{filter_text}*"
    begin = time.monotonic()
    timeout_s = max(LEAST_TIMEOUT_S, 4 * test["timeout"])
    ending = child.run(test["cmd"], directory, variables, timeout_s, cwd=test["workdir"])
    outcome = _read(test["name"], directory, report, ending, bool(filter_text))
    outcome.seconds = time.monotonic() - begin
    return outcome


def _read(name: str, directory: Path, report: Path, ending: str, filtered: bool) -> Outcome:
    if report.exists():
        outcome = _read_report(json.loads(report.read_text()))
        # A sanitizer, say, that speaks up after the last test.
        if ending and not outcome.failed:
            outcome.failed.append(f"{name}: {ending}")
        return outcome
    text = (directory / "output.log").read_text(errors="replace")
    passed = re.findall(r"^\[       OK \] (\S+)", text, re.MULTILINE)
    if ending:
        started = re.findall(r"^\[ RUN      \] (\S+)", text, re.MULTILINE)
        where = f" in {started[-1]}" if started else ""
        failed = re.findall(r"^\[  FAILED  \] (\S+?) \(", text, re.MULTILINE)
        return Outcome(passed, [*failed, f"{name}: {ending}{where}"])
    return Outcome() if filtered else Outcome(passed or [name])


def _read_report(report: dict[str, Any]) -> Outcome:
    outcome = Outcome()
    for suite in report["testsuites"]:
        for case in suite["testsuite"]:
            full_name = f"{suite['name']}.{case['name']}"
            if "failures" in case:
                outcome.failed.append(full_name)
            elif case.get("result") == "SKIPPED":
                outcome.skipped.append(full_name)
            elif case.get("status") == "RUN":
                outcome.passed.append(full_name)
    return outcome
