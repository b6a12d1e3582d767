"""Chooses the jobs, runs at most two at a time, and closes with `N passed, N failed`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from martlet_cluster import ClusterError, paths
from martlet_test import child, leftovers, meson_tests, python_tests, sanitizers
from martlet_test.model import Job, Outcome

PARALLEL = 2
LOG_LINES = 40
LOG_WIDTH = 300
KEPT_RUNS = 5
REPEATED = 20
_print_lock = threading.Lock()


def say(text: str) -> None:
    with _print_lock:
        print(text, flush=True)


def choose(options: argparse.Namespace) -> list[Job]:
    everything = not (options.unit or options.integration or options.lint)
    unit, integration = options.unit or everything, options.integration or everything
    jobs: list[Job] = []
    if unit or integration:
        jobs += meson_tests.jobs(unit, integration, options.filter)
    if options.lint or everything:
        jobs += python_tests.jobs("lint", paths.ROOT / "tests/lint", options.filter)
    if integration:
        folder = paths.ROOT / "tests/integration"
        jobs += python_tests.jobs("integration", folder, options.filter)
    return jobs


def run_job(job: Job, run_directory: Path) -> Outcome:
    directory = run_directory / job.slug
    directory.mkdir(parents=True)
    try:
        outcome = job.run(directory)
    except (ClusterError, OSError, subprocess.SubprocessError, ValueError):
        with (directory / "output.log").open("a") as log:
            traceback.print_exc(file=log)
        outcome = Outcome(failed=[f"{job.name}: the runner could not run it"])
    outcome.failed += [f"{job.name}: left behind: {name}" for name in leftovers.end(directory)]
    outcome.failed += [f"{job.name}: {what}" for what in sanitizers.complaints(directory)]
    if not outcome.failed:
        shutil.rmtree(directory, ignore_errors=True)
    return outcome


def describe(job: Job, outcome: Outcome, directory: Path, verbose: bool) -> None:
    word = "FAIL" if outcome.failed else "PASS"
    head = (
        f"{word}  {job.kind:<11} {job.name:<45} {outcome.count:>4} tests {outcome.seconds:>7.1f} s"
    )
    lines = [head]
    if verbose:
        lines += [f"      passed   {name}" for name in outcome.passed]
    lines += [f"      skipped  {name}" for name in outcome.skipped]
    lines += [f"      FAILED   {name}" for name in outcome.failed]
    if outcome.failed:
        log = directory / job.slug / "output.log"
        text = log.read_text(errors="replace").splitlines() if log.exists() else []
        lines += [f"      | {line[:LOG_WIDTH]}" for line in text[-LOG_LINES:]]
        lines.append(f"      logs: {directory / job.slug}")
    say("\n".join(lines))


def run_all(jobs: list[Job], directory: Path, verbose: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for group, workers in (
        ([job for job in jobs if not job.alone], PARALLEL),
        ([job for job in jobs if job.alone], 1),
    ):
        with ThreadPoolExecutor(workers) as pool:
            futures = {pool.submit(run_job, job, directory): job for job in group}
            try:
                for future in as_completed(futures):
                    outcomes.append(future.result())
                    if outcomes[-1].count:
                        describe(futures[future], outcomes[-1], directory, verbose)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                child.kill_all()
                raise
    return outcomes


def make_directory() -> Path:
    """Logs of failed tests stay for the last few runs."""
    parent = paths.LOCAL / "test"
    parent.mkdir(parents=True, exist_ok=True)
    old = sorted(parent.glob("run-*"), key=lambda path: path.stat().st_mtime)
    for path in old[: -KEPT_RUNS + 1]:
        shutil.rmtree(path, ignore_errors=True)
    directory = parent / f"run-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    directory.mkdir()
    return directory


def prepare(sanitized: bool) -> None:
    install = ["install", "--clang"] if sanitized else ["install"]
    for script, *arguments in (install, ["build"]):
        subprocess.run([str(paths.ROOT / "scripts" / script), *arguments], check=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev test", description="Runs the tests; all by default.")
    parser.add_argument(
        "--filter",
        default="",
        metavar="TEXT",
        help="programs, files or tests with this in their name",
    )
    parser.add_argument("--unit", action="store_true", help="unit tests")
    parser.add_argument("--integration", action="store_true", help="with real servers")
    parser.add_argument("--lint", action="store_true", help="rules on the sources")
    parser.add_argument(
        "--sanitize", choices=sanitizers.KINDS, help="with programs that watch themselves"
    )
    parser.add_argument("--no-build", action="store_true", help="take what is built already")
    parser.add_argument("-v", "--verbose", action="store_true", help="name the passed tests too")
    return parser.parse_args(arguments)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    signal.signal(signal.SIGTERM, interrupt)
    options = parse(arguments)
    if options.sanitize:
        sanitizers.prepare(options.sanitize)
    try:
        if not options.no_build:
            prepare(options.sanitize is not None)
        directory = make_directory()
        jobs = choose(options)
        begin = time.monotonic()
        outcomes = run_all(jobs, directory, options.verbose)
    except subprocess.CalledProcessError as error:
        print(f"test: {Path(error.cmd[0]).name} failed", file=sys.stderr)
        return 1
    except ClusterError as error:
        print(f"test: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("test: interrupted", file=sys.stderr)
        return 130
    passed = sum(len(outcome.passed) for outcome in outcomes)
    failures = [name for outcome in outcomes for name in outcome.failed]
    skipped = sum(len(outcome.skipped) for outcome in outcomes)
    say(f"test: {time.monotonic() - begin:.0f} s")
    if not failures:
        shutil.rmtree(directory, ignore_errors=True)
    # Once more, for whoever sees only the end.
    for name in failures[:REPEATED]:
        say(f"FAILED {name}")
    say(f"{passed} passed, {len(failures)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failures or not passed else 0
