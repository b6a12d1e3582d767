"""The command line of the cluster program."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from martlet_cluster import paths, process, psql
from martlet_cluster.cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.member import Member
from martlet_cluster.state import locked

DEFAULT_DIRECTORY = paths.LOCAL / "cluster"


def report(line: str) -> None:
    print(f"cluster: {line}", flush=True)


def environment(cluster: Cluster) -> dict[str, str]:
    """Where the servers are, for C++ integration tests and people."""
    return {
        "MARTLET_TEST_NATS_URL": cluster.nats.url,
        "MARTLET_TEST_POSTGRES_URL": cluster.postgres.url,
        "MARTLET_TEST_REDIS_URL": cluster.redis.url,
    }


def existing(directory: Path) -> Cluster:
    cluster = Cluster.load(directory, progress=report)
    if cluster is None:
        raise ClusterError(f"no cluster in {directory}")
    return cluster


def start(options: argparse.Namespace) -> None:
    cluster = Cluster(
        options.dir,
        edges=options.edges,
        dispatchers=options.dispatchers,
        persists=options.persists,
        apis=options.apis,
        detached=True,
        progress=report,
    )
    if options.servers_only:
        cluster.start_servers(options.timeout)
    else:
        cluster.start(options.timeout)


def stop(options: argparse.Namespace) -> None:
    cluster = Cluster.load(options.dir, progress=report)
    if cluster is None:
        report(f"nothing runs in {options.dir}")
    else:
        cluster.stop()
        report("stopped")


def wipe(options: argparse.Namespace) -> None:
    cluster = Cluster.load(options.dir, progress=report)
    if cluster is not None:
        cluster.wipe()
    shutil.rmtree(options.dir, ignore_errors=True)
    report(f"{options.dir} is gone")


def status_word(member: Member) -> str:
    if not member.alive:
        return "down"
    if process.is_paused(member.process):
        return "paused"
    return "ready" if member.is_ready() else "not ready"


def status(options: argparse.Namespace) -> int:
    members = existing(options.dir).members
    words = {member.name: status_word(member) for member in members}
    if options.json:
        rows = {m.name: {**m.to_json(), "status": words[m.name], "secret": ""} for m in members}
        print(json.dumps(rows, indent=2))
    else:
        for member in members:
            pid = member.process.pid if member.process and member.alive else "-"
            print(f"{member.name:<14} {words[member.name]:<10} {pid:>8}  {member.address}")
    return 0 if set(words.values()) == {"ready"} else 1


def one_member(options: argparse.Namespace) -> None:
    cluster = existing(options.dir)
    actions: dict[str, Callable[[str], None]] = {
        "restart": cluster.restart,
        "start-member": cluster.start_member,
        "stop-member": cluster.stop_member,
        "pause": cluster.pause,
        "resume": cluster.resume,
        "remove": cluster.remove,
    }
    actions[options.command](options.name)


def kill(options: argparse.Namespace) -> None:
    name = "SIG" + options.signal.upper().removeprefix("SIG")
    if name not in signal.Signals.__members__:
        raise ClusterError(f"no such signal: {options.signal}")
    existing(options.dir).kill(options.name, signal.Signals[name])


def add(options: argparse.Namespace) -> None:
    report(f"added {existing(options.dir).add(options.kind)}")


def env(options: argparse.Namespace) -> None:
    for key, value in environment(existing(options.dir)).items():
        print(f"export {key}={shlex.quote(value)}")


def run(options: argparse.Namespace) -> int:
    """The command gets the servers through its environment."""
    if not options.argv:
        raise ClusterError("run needs a command")
    paths.LOCAL.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=paths.LOCAL))
    directory.chmod(0o755)
    with Cluster.only_servers(directory) as cluster:
        cluster.start_servers()
        done = subprocess.run(options.argv, env={**os.environ, **environment(cluster)}, check=False)
    if done.returncode == 0:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        report(f"failed with {done.returncode}; the servers' logs are in {directory / 'logs'}")
    return 0 if done.returncode == 0 else 1


def show_logs(options: argparse.Namespace) -> None:
    members = existing(options.dir).members
    logs = [m.log for m in members if not options.names or m.name in options.names]
    chosen = [str(log) for log in logs if log.exists()]
    if not chosen:
        raise ClusterError("no such log")
    follow = ["--follow=name"] if options.follow else []
    command = ["tail", f"--lines={options.lines}", *follow, *chosen]
    os.execvp("tail", command)


def psql_shell(options: argparse.Namespace) -> None:
    url = existing(options.dir).postgres.url
    os.execv(psql.program(), [psql.program(), url, *options.argv])


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="dev cluster", description="Private clusters of Martlet.")
    top.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, help="default: %(default)s")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("start", help="start what is not running, wait until healthy")
    one.add_argument("--edges", type=int, default=2)
    one.add_argument("--dispatchers", type=int, default=2)
    one.add_argument("--persists", type=int, default=1)
    one.add_argument("--apis", type=int, default=1)
    one.add_argument("--servers-only", action="store_true", help="NATS, PostgreSQL and Redis alone")
    one.add_argument("--timeout", type=float, default=60, metavar="SECONDS")
    one.set_defaults(action=start)

    commands.add_parser("stop", help="stop it, keep its data").set_defaults(action=stop)
    commands.add_parser("wipe", help="stop it and forget it").set_defaults(action=wipe)

    one = commands.add_parser("status", help="a line a member; exit 0 if all are ready")
    one.add_argument("--json", action="store_true")
    one.set_defaults(action=status)

    for name in ("start-member", "stop-member", "restart", "pause", "resume", "remove"):
        one = commands.add_parser(name, help=f"{name.partition('-')[0]} one member")
        one.add_argument("name")
        one.set_defaults(action=one_member)
    one = commands.add_parser("kill", help="send a signal to one member")
    one.add_argument("name")
    one.add_argument("signal", nargs="?", default="KILL")
    one.set_defaults(action=kill)
    one = commands.add_parser("add", help="add a service")
    one.add_argument("kind", choices=["edge", "dispatcher", "persist", "api"])
    one.set_defaults(action=add)

    one = commands.add_parser("env", help="print export lines with the servers' addresses")
    one.set_defaults(action=env)
    one = commands.add_parser("run", help="run a command with three servers of its own")
    one.set_defaults(action=run)
    one = commands.add_parser("logs", help="show the logs")
    one.add_argument("-f", "--follow", action="store_true")
    one.add_argument("-n", "--lines", type=int, default=20)
    one.add_argument("names", nargs="*")
    one.set_defaults(action=show_logs)
    one = commands.add_parser("psql", help="psql on the cluster's database")
    one.set_defaults(action=psql_shell)
    return top


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What follows run and psql belongs to another program."""
    for index, word in enumerate(arguments):
        if word in ("run", "psql"):
            rest = arguments[index + 1 :]
            return arguments[: index + 1], rest[1:] if rest[:1] == ["--"] else rest
    return arguments, []


def main(arguments: list[str] | None = None) -> int:
    own, foreign = split(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(own)
    options.dir = options.dir.resolve()
    options.argv = foreign
    try:
        if options.command in ("run", "logs", "psql", "env", "status"):
            return int(options.action(options) or 0)
        with locked(options.dir):
            return int(options.action(options) or 0)
    except ClusterError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
