"""The command line of ./dev chaos."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from chaos import page, report
from chaos.run import examine, play
from martlet_cluster import paths
from martlet_cluster.errors import ClusterError

PROGRAMS = (
    "src/edge/martlet-edge",
    "src/dispatcher/martlet-dispatcher",
    "src/persist/martlet-persist",
    "src/api/martlet-api",
    "tests/support/swarm/martlet-swarm",
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev chaos", description="Kills real processes under load and accounts for all messages."
    )
    parser.add_argument("--minutes", type=float, default=10, help="default: 10")
    parser.add_argument("--seed", type=int, help="default: a fresh one, printed")
    parser.add_argument("--cluster", action="store_true", help="three NATS servers, 3 replicas")
    parser.add_argument("--out", type=Path, help="for the report; default: .local/chaos/SEED")
    parser.add_argument("--clients", type=int, default=300, help="devices; default: 300")
    parser.add_argument("--rate", type=float, default=260, help="messages a second; default: 260")
    parser.add_argument("--no-build", action="store_true", help="take what is built already")
    parser.add_argument("--keep", action="store_true", help="journals and logs of a good run too")
    options = parser.parse_args(arguments)
    if options.minutes <= 0 or options.rate <= 0:
        parser.error("--minutes and --rate are more than 0")
    if options.clients < 60:
        parser.error("--clients is at least 60")
    if options.seed is None:
        options.seed = time.time_ns() % 1_000_000
    return options


def chaos(options: argparse.Namespace) -> bool:
    if not options.no_build:
        command = [str(paths.ROOT / "scripts/build"), *PROGRAMS]
        if subprocess.run(command, check=False).returncode != 0:
            raise ClusterError("build failed, see above")
    out = (options.out or paths.LOCAL / "chaos" / str(options.seed)).resolve()
    directory = out / "run"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for part in (out, directory):
        part.chmod(0o755)  # PostgreSQL has a user of its own
    print(f"chaos: seed {options.seed}, {options.minutes:g} minutes, in {paths.shown(out)}", flush=True)
    run = play(options, directory)
    account, timeline = examine(run, directory)
    result = report.make(run, account, timeline)
    (out / "chaos-report.json").write_text(json.dumps(result, indent=2) + "\n")
    shown = page.render(result, timeline, run.begin_ms, run.end_ms)
    (out / "chaos-report.html").write_text(shown)
    print("\n".join(report.lines(result)))
    if result["passed"] and not options.keep:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"chaos: {'passed' if result['passed'] else 'FAILED'}, see {paths.shown(out)}", flush=True)
    return bool(result["passed"])


def main(arguments: list[str] | None = None) -> int:
    # Clients that are paused just then would stay so.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return 0 if chaos(parse(arguments)) else 1
    except ClusterError as error:
        print(f"chaos: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1
