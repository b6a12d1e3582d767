"""./dev up: from a fresh checkout to a running cluster that has shown what it does."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from martlet_cluster import demo, keys, paths
from martlet_cluster.cli import DEFAULT_DIRECTORY
from martlet_cluster.cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.state import locked

HOW_TO_CHAT = """
The cluster is running. To chat as ann and ben, in two terminals:

  {tool} --home {home}/ann chat ben
  {tool} --home {home}/ben chat ann

and as somebody else, after

  {tool} --server {server} --home ~/.martlet register NAME

Who is where, and looking after edges and users (drain, kick, revoke, ban, audit):

  {tool} --api {api} --api-token-file {token} who ben
  {tool} --api {api} --api-token-file {token} admin edges

./dev cluster status shows it, ./dev logs its logs, ./dev psql its database.
./dev down stops it and keeps the messages, ./dev down --wipe forgets them."""


def say(line: str) -> None:
    print(f"up: {line}", flush=True)


def run_script(name: str) -> None:
    if subprocess.run([str(paths.ROOT / "scripts" / name)], check=False).returncode != 0:
        raise ClusterError(f"{name} failed, see above")


def how_to_chat(cluster: Cluster) -> str:
    return HOW_TO_CHAT.format(
        tool=paths.shown(paths.built("src/tools/martlet")),
        home=paths.shown(demo.homes(cluster)),
        server=",".join(edge.listen for edge in cluster.edges),
        api=f"http://{cluster.apis[0].http}",
        token=paths.shown(keys.api_token_file(cluster.directory)),
    )


def up(options: argparse.Namespace) -> None:
    begin = time.monotonic()
    if not options.no_build:
        run_script("install")
        run_script("build")
    directory = options.dir.resolve()
    with locked(directory):
        say(f"starting the cluster in {paths.shown(directory)}")
        cluster = Cluster(directory, detached=True, progress=say)
        cluster.stop_outdated()
        cluster.start()
    say("healthy; a demonstration follows")
    try:
        demo.sign_in_people(cluster)
        demo.play(cluster)
    finally:
        print(how_to_chat(cluster), flush=True)
    say(f"done in {time.monotonic() - begin:.0f} s")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev up", description="Starts a private cluster.")
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, help="default: %(default)s")
    parser.add_argument("--no-build", action="store_true", help="take what is built already")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    try:
        up(parse(arguments))
    except ClusterError as error:
        print(f"up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("up: interrupted; ./dev down stops what runs", file=sys.stderr)
        return 130
    return 0
