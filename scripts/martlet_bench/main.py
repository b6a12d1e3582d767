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

from martlet_bench import hostile_run, machine, table, world
from martlet_bench.run import WORKLOADS, run
from martlet_cluster import paths
from martlet_cluster.errors import ClusterError

PROGRAMS = (
    "bench/martlet-bench",
    "src/edge/martlet-edge",
    "src/dispatcher/martlet-dispatcher",
    "src/persist/martlet-persist",
    "src/api/martlet-api",
)

HOSTILE = "hostile"
DEFAULTS: tuple[dict[str, float | None], ...] = (
    {"seconds": 10, "warm_up": 3, "users": 256},
    {"seconds": 4, "warm_up": 1, "users": 500, "rate": 500},
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev bench", description="Measures a workload on a cluster of its own."
    )
    parser.add_argument("workload", choices=(*WORKLOADS, HOSTILE))
    parser.add_argument("--seconds", type=float, help="the window; default: 10, hostile: 4")
    parser.add_argument("--warm-up", type=float, help="seconds before it; default: 3, hostile: 1")
    parser.add_argument("--users", type=int, help="who write; default: 256, hostile: 500")
    parser.add_argument("--windows", type=int, default=3, help="of each side; hostile; default: 3")
    parser.add_argument("--only", nargs="+", choices=hostile_run.LIMITS, help="kinds of hostile")
    parser.add_argument("--in-flight", type=int, default=512, help="closed loop; default: 512")
    parser.add_argument("--rate", type=float, help="open loop: messages a second instead")
    parser.add_argument("--ack", choices=("logged", "stored"), default="logged")
    parser.add_argument("--text-bytes", type=int, default=100, help="of a message; default: 100")
    parser.add_argument("--idle", type=int, default=2000, help="idle connections; default: 2000")
    parser.add_argument("--edges", type=int, default=1)
    parser.add_argument("--dispatchers", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the result as JSON")
    parser.add_argument("--no-build", action="store_true", help="take what is built already")
    parser.add_argument("--any-build", action="store_true", help="one that is not optimised too")
    options = parser.parse_args(arguments)
    for name, value in DEFAULTS[options.workload == HOSTILE].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.users < 2 or options.users % 2:
        parser.error("--users is an even number")
    for name in ("seconds", "in_flight", "rate"):
        if (value := getattr(options, name)) is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} is more than 0")
    return options


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
    judge = hostile_run.is_clean if options.workload == HOSTILE else table.is_clean
    return all(map(judge, results))


def measure(directory: Path, options: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    """The results, which are printed, and whether nobody wants the logs."""
    if options.workload == HOSTILE:
        results = hostile_run.run(directory, options)
        return results, all(map(hostile_run.is_clean, results))
    result = run(directory, options)
    print("\n".join(table.lines(result)), flush=True)
    return [result], table.is_clean(result) and not result["refused"]


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
