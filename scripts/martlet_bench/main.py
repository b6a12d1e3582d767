"""The command line of ./dev bench."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from martlet_bench import (
    capacity,
    floor,
    hostile_clients,
    machine,
    messages,
    plot,
    quick,
    quietness,
    sockets,
    summary,
    surroundings,
    world,
)
from martlet_bench.case import Case, parse_only
from martlet_bench.workloads import WORKLOADS
from martlet_cluster import paths
from martlet_cluster.errors import ClusterError

PROGRAMS = (
    "bench/martlet-bench",
    "bench/martlet-bench-floor",
    "bench/martlet-bench-sockets",
    "bench/martlet-bench-subjects",
    "tests/support/swarm/martlet-swarm",
    "src/edge/martlet-edge",
    "src/dispatcher/martlet-dispatcher",
    "src/persist/martlet-persist",
    "src/api/martlet-api",
)

HOSTILE = "hostile"
CHOICES = (*WORKLOADS, HOSTILE)
DEFAULTS: tuple[dict[str, float | None], ...] = (
    {"seconds": 10, "warm_up": 3, "users": 1000, "edges": 2},
    {"seconds": 4, "warm_up": 1, "users": 500, "edges": 1, "rate": 500},
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev bench", description="Measures workloads, each on a cluster of its own."
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(CHOICES))
    parser.add_argument("--quick", action="store_true",
                        help="in two minutes: is it slower than bench/baseline.json says?")  # fmt: skip
    parser.add_argument("--update", action="store_true", help="writes that baseline; with --quick")
    parser.add_argument(
        "--only",
        default=[],
        metavar="KEY=VALUE,…",
        help="cases by what sets them apart (ack, in_flight, rate, kind …), several values are allowed",
    )
    parser.add_argument("--in-flight", type=int, help="closed loop: this case alone")
    parser.add_argument("--rate", type=float, help="open loop, messages a second: this case alone")
    parser.add_argument("--ack", choices=messages.ACKS,
                        help="what answers; default: both by turns, of one case and in burst logged")  # fmt: skip
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case; default: 3")
    parser.add_argument("--seconds", type=float, help="the window; default: 10, hostile: 4, steady: 600")
    parser.add_argument("--warm-up", type=float, help="seconds before it; default: 3, hostile: 1")
    parser.add_argument("--users", type=int, help="who write; default: 1000, hostile: 500")
    parser.add_argument("--windows", type=int, default=3, help="of each side; hostile; default: 3")
    parser.add_argument("--text-bytes", type=int, default=200, help="of a message; default: 200")
    parser.add_argument("--idle", type=int, default=0, help="idle connections besides; default: 0")
    parser.add_argument("--at-once", type=int, metavar="N", help="workload login: so many users alone")
    parser.add_argument("--absent", type=int, metavar="N", help="workload offline; default: 100")
    parser.add_argument("--messages", type=int, metavar="N", help="workload offline; default: 50000")
    parser.add_argument("--quiet", type=float, default=30, metavar="SECONDS",
                        help="workload idle: for so long; default: 30")  # fmt: skip
    parser.add_argument("--stopped", type=float, default=60, metavar="SECONDS",
                        help="persist, workload backlog; default: 60")  # fmt: skip
    parser.add_argument("--subjects", type=int, help="of that workload: this case alone")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of history; 10,000,000")
    parser.add_argument("--edges", type=int, help="default: 2, hostile: 1")
    parser.add_argument("--dispatchers", type=int, default=1)
    parser.add_argument("--nats", type=int, choices=(1, 3), default=1,
                        help="servers; 3 keep everything three times, and are of 2.10 or later")  # fmt: skip
    parser.add_argument("--set", action="append", default=[], metavar="[SERVICE:]KEY=VALUE",
                        help="a setting of the services that differs from its default")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the results as JSON")
    parser.add_argument("--against", type=Path, metavar="FILE", help="such a file to compare with")
    parser.add_argument("--no-build", action="store_true", help="take what is built already")
    parser.add_argument("--any-build", action="store_true", help="one that is not optimised too")
    options = parser.parse_intermixed_args(arguments)
    check(parser, options)
    return options


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Fills in what depends on the workload."""
    if options.quick == bool(options.workloads):
        parser.error("workloads, or --quick, which has its own")
    if options.update and not options.quick:
        parser.error("--update goes with --quick")
    for name in options.workloads:
        if name not in CHOICES:
            parser.error(f"invalid choice: {name!r} (choose from {', '.join(CHOICES)})")
    if options.quick:
        quick.preset(options)
    # A workload may have a default of its own.
    options.is_window_given = options.seconds is not None
    is_hostile = HOSTILE in options.workloads
    if is_hostile and len(options.workloads) > 1:
        parser.error("hostile goes alone")
    for name, default in DEFAULTS[is_hostile].items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    for name in ("seconds", "in_flight", "rate", "repeat", "edges", "quiet", "at_once",
                 "absent", "messages", "stopped"):
        if (value := getattr(options, name)) is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} is more than 0")
    if options.users < 4 or options.users % 2:
        parser.error("--users is an even number, 4 at least")
    try:
        options.only = parse_only(options.only) if options.only else []
    except ValueError as error:
        parser.error(f"--only: {error}")
    if is_hostile:
        for key, value in options.only:
            if key != "kind" or value not in hostile_clients.LIMITS:
                parser.error(f"--only: there is no {key}={value}")
        return
    known = {key for name in options.workloads for case in cases_of(name, options) for key in case.keys}
    for key, value in options.only:
        if key not in known:
            parser.error(f"--only: there is no {key}={value}")
    if not chosen(options):
        parser.error("--only: no case fits")


def cases_of(workload: str, options: argparse.Namespace) -> list[Case]:
    return WORKLOADS[workload].cases(workload, options)


def chosen(options: argparse.Namespace) -> list[Case]:
    """All that --only leaves."""
    every = [case for name in options.workloads for case in cases_of(name, options)]
    return [case for case in every if case.fits(options.only)]


def bench(options: argparse.Namespace) -> bool:
    if not options.no_build:
        command = [str(paths.ROOT / "scripts/build"), *PROGRAMS]
        if subprocess.run(command, check=False).returncode != 0:
            raise ClusterError("build failed, see above")
    build = world.build_type(must_be_optimised=not options.any_build)
    paths.LOCAL.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=paths.LOCAL))
    directory.chmod(0o755)  # PostgreSQL has a user of its own
    wants_logs = True
    try:
        surroundings.check_disk(directory, options)
        rounds = [measure(directory, options) for _ in range(quick.ROUNDS if options.quick else 1)]
        results = [result for results, _ in rounds for result in results]
        wants_logs = not all(clean for _, clean in rounds)
    except (KeyboardInterrupt, surroundings.NoRoom):
        wants_logs = False
        raise
    finally:
        if wants_logs:
            print(f"bench: logs are in {paths.shown(directory)}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    for result in results:
        result["build"] = build
    if options.json is not None:
        text = json.dumps({"machine": machine.describe(), "results": results}, indent=2)
        options.json.write_text(text + "\n")
    if options.quick and not quick.judge([results for results, _ in rounds], update=options.update):
        raise ClusterError("slower than bench/baseline.json says, see above")
    return all(map(is_clean, results))


def is_clean(result: dict[str, Any]) -> bool:
    kind = WORKLOADS.get(result.get("workload", HOSTILE), hostile_clients)
    return kind.is_clean(result)


def measure(directory: Path, options: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    """The results, which are printed, and whether nobody wants the logs."""
    if HOSTILE in options.workloads:
        quiet = quietness.calibrate()
        rows = hostile_clients.run(directory, options)
        around = {**quiet, **surroundings.of_clusters(directory)}
        print(quietness.row(quiet))
        return [{**row, **around} for row in rows], all(map(is_clean, rows))
    baseline = json.loads(options.against.read_text())["results"] if options.against else []
    results: list[dict[str, Any]] = []
    for case in chosen(options):
        result = measure_case(directory, options, case)
        result["share_of_floor"] = floor.share(result, results)
        result["share_of_sockets"] = sockets.share(result, results)
        results.append(result)
        print("\n".join(WORKLOADS[case.workload].lines(result)))
        print(f"{surroundings.row(result)}\n{quietness.row(result)}", flush=True)
        if options.against:
            print(summary.against(case, result, baseline), flush=True)
    for line in (*plot.plots(results), *capacity.lines(results)):
        print(line)
    refused = any(one.get("refused") for one in results)
    return results, all(map(is_clean, results)) and not refused


def measure_case(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    kind = WORKLOADS[case.workload]
    runs = []
    for _ in range(options.repeat):
        # What was not clean stays where it is.
        place = Path(tempfile.mkdtemp(prefix=f"{case.workload}-", dir=directory))
        place.chmod(0o755)
        quiet = quietness.calibrate()
        runs.append({**kind.run(place, options, case), **quiet, **surroundings.of_clusters(place)})
        if is_clean(runs[-1]):
            shutil.rmtree(place, ignore_errors=True)
    return summary.of_runs(kind, runs)


def end(*_: object) -> None:
    """Of a signal; what runs and what was made is ended and removed on the way out."""
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    signal.signal(signal.SIGTERM, end)
    try:
        if bench(parse(arguments)):
            return 0
        print("bench: the account is not clean", file=sys.stderr)
    except ClusterError as error:
        print(f"bench: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1
