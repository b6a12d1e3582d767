"""The command line of ./dev bench."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from martlet_bench import floor_run, hostile_run, machine, run, summary, table, workloads, world
from martlet_bench.workloads import FLOOR, WORKLOADS, Case
from martlet_cluster import paths
from martlet_cluster.errors import ClusterError

PROGRAMS = (
    "bench/martlet-bench",
    "bench/martlet-bench-floor",
    "src/edge/martlet-edge",
    "src/dispatcher/martlet-dispatcher",
    "src/persist/martlet-persist",
    "src/api/martlet-api",
)

HOSTILE = "hostile"
CHOICES = (FLOOR, *WORKLOADS, HOSTILE)
DEFAULTS: tuple[dict[str, float | None], ...] = (
    {"seconds": 10, "warm_up": 3, "users": 1000, "edges": 2},
    {"seconds": 4, "warm_up": 1, "users": 500, "edges": 1, "rate": 500},
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev bench", description="Measures workloads, each on a cluster of its own."
    )
    parser.add_argument("workloads", nargs="+", choices=CHOICES, metavar="WORKLOAD",
                        help=", ".join(CHOICES))  # fmt: skip
    parser.add_argument(
        "--only",
        default=[],
        metavar="KEY=VALUE,…",
        help=f"cases by {', '.join(workloads.KEYS)}; hostile: by kind; several values are allowed",
    )
    parser.add_argument("--in-flight", type=int, help="closed loop: this case alone")
    parser.add_argument("--rate", type=float, help="open loop, messages a second: this case alone")
    parser.add_argument("--ack", choices=workloads.ACKS, help="of that case; default: logged")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case; default: 3")
    parser.add_argument("--seconds", type=float, help="the window; default: 10, hostile: 4")
    parser.add_argument("--warm-up", type=float, help="seconds before it; default: 3, hostile: 1")
    parser.add_argument("--users", type=int, help="who write; default: 1000, hostile: 500")
    parser.add_argument("--windows", type=int, default=3, help="of each side; hostile; default: 3")
    parser.add_argument("--text-bytes", type=int, default=200, help="of a message; default: 200")
    parser.add_argument("--idle", type=int, default=0, help="idle connections besides; default: 0")
    parser.add_argument("--edges", type=int, help="default: 2, hostile: 1")
    parser.add_argument("--dispatchers", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the results as JSON")
    parser.add_argument("--against", type=Path, metavar="FILE", help="such a file to compare with")
    parser.add_argument("--no-build", action="store_true", help="take what is built already")
    parser.add_argument("--any-build", action="store_true", help="one that is not optimised too")
    options = parser.parse_intermixed_args(arguments)
    check(parser, options)
    return options


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Fills in what depends on the workload."""
    is_hostile = HOSTILE in options.workloads
    if is_hostile and len(options.workloads) > 1:
        parser.error("hostile goes alone")
    for name, value in DEFAULTS[is_hostile].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    for name in ("seconds", "in_flight", "rate", "repeat", "edges"):
        if (value := getattr(options, name)) is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} is more than 0")
    if options.users < 4 or options.users % 2:
        parser.error("--users is an even number, 4 at least")
    try:
        options.only = workloads.parse_only(options.only) if options.only else []
    except ValueError as error:
        parser.error(f"--only: {error}")
    known = {"kind"} if is_hostile else set(workloads.KEYS)
    for key, value in options.only:
        if key not in known or (is_hostile and value not in hostile_run.LIMITS):
            parser.error(f"--only: there is no {key}={value}")
    if not is_hostile and not cases_of(options):
        parser.error("--only: no case fits")


def cases_of(options: argparse.Namespace) -> list[Case]:
    """One for each workload if its pace is given, else all that --only leaves."""
    if options.in_flight or options.rate:
        pace = {"rate": options.rate} if options.rate else {"in_flight": options.in_flight}
        floor = [Case(FLOOR, in_flight=options.in_flight)] if options.in_flight else []
        return [
            case
            for name in options.workloads
            for case in (floor if name == FLOOR else [Case(name, options.ack or "logged", **pace)])
        ]
    every = [case for name in options.workloads for case in workloads.cases(name)]
    return [
        case
        for case in every
        if case.fits(options.only) and options.ack in (None, case.ack)
    ]


def bench(options: argparse.Namespace) -> bool:
    if not options.no_build:
        command = [str(paths.ROOT / "scripts/build"), *PROGRAMS]
        if subprocess.run(command, check=False).returncode != 0:
            raise ClusterError("build failed, see above")
    build = world.build_type(must_be_optimised=not options.any_build)
    paths.LOCAL.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=paths.LOCAL))
    directory.chmod(0o755)  # PostgreSQL has a user of its own
    clean = False
    try:
        results, clean = measure(directory, options)
    finally:
        if clean:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            print(f"bench: logs are in {paths.shown(directory)}", file=sys.stderr)
    for result in results:
        result["build"] = build
    if options.json is not None:
        text = json.dumps({"machine": machine.describe(), "results": results}, indent=2)
        options.json.write_text(text + "\n")
    judge = hostile_run.is_clean if HOSTILE in options.workloads else table.is_clean
    return all(map(judge, results))


def measure(directory: Path, options: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    """The results, which are printed, and whether nobody wants the logs."""
    if HOSTILE in options.workloads:
        results = hostile_run.run(directory, options)
        return results, all(map(hostile_run.is_clean, results))
    baseline = json.loads(options.against.read_text())["results"] if options.against else []
    results: list[dict[str, Any]] = []
    for case in cases_of(options):
        result = measure_case(directory, options, case)
        if case.workload != FLOOR:
            floors = [one for one in results if one["workload"] == FLOOR]
            result["share_of_floor"] = summary.share_of_floor(result, floors)
        results.append(result)
        print("\n".join(table.lines(result)), flush=True)
        if options.against:
            print(summary.against(result, baseline), flush=True)
    clean = all(table.is_clean(one) for one in results)
    refused = any(one["refused"] for one in results if one["workload"] != FLOOR)
    return results, clean and not refused


def measure_case(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    runs = []
    play = floor_run.run if case.workload == FLOOR else run.run
    for number in range(options.repeat):
        place = directory / f"run-{number}"
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        runs.append(play(place, options, case))
        if table.is_clean(runs[-1]):
            shutil.rmtree(place, ignore_errors=True)
    return summary.of_runs(runs)


def main(arguments: list[str] | None = None) -> int:
    try:
        if bench(parse(arguments)):
            return 0
        print("bench: the account is not clean", file=sys.stderr)
    except ClusterError as error:
        print(f"bench: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1
