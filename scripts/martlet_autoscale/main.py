"""The command line of ./dev autoscale: a private cluster, a wave of clients, and a scaler that does
what GET /v1/scale says."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from martlet_autoscale import report
from martlet_autoscale.crowd import Crowd, Plan
from martlet_autoscale.scaler import Scaler
from martlet_bench import world
from martlet_cluster import Cluster, paths
from martlet_cluster.errors import ClusterError

UP_AFTER_S = 3
DOWN_AFTER_S = 15
DRAIN_WINDOW_S = 5
STOP_MS = 30_000
PATIENCE_S = 120.0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev autoscale",
        description="Clients come and go, and edges with them; the report accounts for everything.",
    )
    parser.add_argument("--low", type=int, default=300, help="clients at first and at last")
    parser.add_argument("--high", type=int, default=3_000, help="clients at the top")
    parser.add_argument("--rate", type=float, default=1_000, help="messages a second at the top")
    parser.add_argument("--per-edge", type=int, default=800, help="clients with which one is full")
    parser.add_argument("--hold", type=float, default=60, help="seconds at the top, and at the end")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the report as JSON")
    parser.add_argument("--no-build", action="store_true", help="take what is built already")
    options = parser.parse_args(arguments)
    if not 20 <= options.low <= options.high or options.per_edge < 1:
        parser.error("--low is 20 at least, --high not below it, --per-edge 1 at least")
    if options.rate <= 0 or options.hold < 0:
        parser.error("--rate is above 0, --hold not below")
    return options


def make_cluster(directory: Path, per_edge: int) -> Cluster:
    edge = {
        **world.SETTINGS["edge"],
        "edge.drain_window_s": DRAIN_WINDOW_S,
        "edge.rebalance_s": DRAIN_WINDOW_S,
        "stop_timeout_ms": STOP_MS,
    }
    api = {
        "scale.connections": per_edge,
        "scale.up_after_s": UP_AFTER_S,
        "scale.down_after_s": DOWN_AFTER_S,
    }
    overrides = {**world.SETTINGS, "edge": edge, "api": api}
    return Cluster(directory, edges=1, dispatchers=1, overrides=overrides)


def autoscale(options: argparse.Namespace, directory: Path) -> bool:
    plan = Plan(options.low, options.high, options.rate, options.hold)
    with make_cluster(directory / "cluster", options.per_edge) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        with Crowd(cluster, directory, plan) as crowd, Scaler(cluster, crowd) as scaler:
            crowd.play()
            scaler.wait_for_one_edge(PATIENCE_S)
            rows = scaler.stop()
            problems = crowd.settle()
        result = report.make(rows, crowd.journals(), problems)
    print("\n".join(report.lines(result)))
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return report.is_good(result)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        if not options.no_build:
            subprocess.run([str(paths.ROOT / "dev"), "build"], check=True)
        paths.LOCAL.mkdir(exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix="autoscale-", dir=paths.LOCAL))
        directory.chmod(0o755)  # PostgreSQL has a user of its own
        good = autoscale(options, directory)
    except (ClusterError, subprocess.CalledProcessError) as error:
        print(f"autoscale: {error}", file=sys.stderr)
        return 1
    if good:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        print(f"autoscale: logs and journals are in {paths.shown(directory)}", file=sys.stderr)
    return 0 if good else 1
