#!/usr/bin/env python3
"""Proves compose/compose.yaml, and compose.yaml with cluster.yaml, on the engine that run.sh started: clients write
through haproxy while containers come, go and die; in the end every message is accounted for. One line an act;
`N passed, N failed` goes into the file that is its argument."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PARTS = ("scripts", "tests", "tests/integration")
sys.path[1:1] = [str(Path(__file__).resolve().parents[2] / part) for part in PARTS]

from chaos.nemesis import now_ms  # noqa: E402
from compose import acts, outsiders  # noqa: E402
from compose.load import Load  # noqa: E402
from compose.stack import Stack, StackError  # noqa: E402
from support import ROOT, chosen_seed, new_directory  # noqa: E402

COMPOSE = ROOT / "compose"
PROBLEMS = (StackError, AssertionError, OSError, subprocess.SubprocessError)
GREETING = "hello through haproxy"


def say(line: str) -> None:
    print(f"compose-test: {line}", flush=True)


class Tally:
    """Counts what was done. What follows upon something that failed would only repeat it."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def do(self, name: str, act: Callable[[], str | None]) -> None:
        begin = time.monotonic()
        try:
            result = act()
        except PROBLEMS as error:
            self.failed += 1
            say(f"FAILED {name}: {error}")
            raise
        self.passed += 1
        say(f"ok {name}{': ' + result if result else ''} ({time.monotonic() - begin:.0f} s)")


def first_words(stack: Stack) -> None:
    """What the README shows."""
    for user in ("alice", "bob"):
        stack.tool(user, "register", user, "--device", "laptop")
    stack.tool("alice", "send", "bob", GREETING)
    heard = stack.tool("bob", "listen", "--count", "1", "--until-idle", "10")
    if GREETING not in heard:
        raise StackError(f"bob heard {heard!r}")


def last_words(stack: Stack) -> None:
    """The devices still know who they are, and what was said."""
    stack.tool("bob", "send", "alice", "still here")
    said = stack.tool("alice", "history", "bob")
    for text in (GREETING, "still here"):
        if said.count(text) != 1:
            raise StackError(f"{text!r} is there {said.count(text)} times: {said!r}")


def start(stack: Stack, edges: int) -> None:
    stack.up(edges)
    stack.wait_well()


def play(tally: Tally, stack: Stack, directory: Path, seed: int, todo: Iterable[acts.Act]) -> None:
    """The acts under load, and the account."""
    load = Load(stack, directory, seed)
    try:
        tally.do("clients sign in and write", load.start)
        for name, act in todo:
            tally.do(name, lambda name=name, act=act: under(load, stack, name, act))
        tally.do("all is answered, shown and read", load.settle)
        tally.do("account", load.account)
    finally:
        load.close()


def under(load: Load, stack: Stack, name: str, act: Callable[[Stack], None]) -> None:
    begin_ms = now_ms()
    act(stack)
    load.note(name, begin_ms)
    stack.wait_well()
    load.wait_flowing()


def alone(tally: Tally, stack: Stack, directory: Path, seed: int) -> None:
    tally.do("up", lambda: start(stack, 1))
    tally.do("two users through the command line client", lambda: first_words(stack))
    play(tally, stack, directory, seed, acts.under_load())
    tally.do("their messages are still there", lambda: last_words(stack))
    tally.do("users of another service come by TLS", lambda: outsiders.admit(stack, directory / "outsiders"))


def cluster(tally: Tally, stack: Stack, directory: Path, seed: int) -> None:
    tally.do("up with three NATS servers", lambda: start(stack, acts.EDGES))
    play(tally, stack, directory, seed, acts.under_load_of_cluster())


def run(tally: Tally) -> None:
    seed = chosen_seed()
    ports = int(os.environ["EDGE_PORT"]), int(os.environ["API_PORT"])
    project = os.environ["MARTLET_PROJECT"]
    rounds = (
        (alone, Stack(project, [COMPOSE / "compose.yaml"], *ports)),
        (cluster, Stack(f"{project}-cluster", [COMPOSE / "compose.yaml", COMPOSE / "cluster.yaml"], *ports)),
    )
    for play_round, stack in rounds:
        directory = new_directory(f"compose-{play_round.__name__}")
        try:
            play_round(tally, stack, directory, seed)
        except PROBLEMS:
            say(f"journals and logs are in {directory}")
            (directory / "containers.log").write_text(stack.describe())
            raise
        stack.down(volumes=True)
        shutil.rmtree(directory)


def main() -> int:
    # Also if it was started in the background, where interrupts are ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    tally = Tally()
    try:
        run(tally)
    except PROBLEMS as error:
        if tally.failed == 0:
            say(f"FAILED: {error}")
            tally.failed = 1
    except KeyboardInterrupt:
        say("interrupted")
        tally.failed += 1
    Path(sys.argv[1]).write_text(f"{tally.passed} passed, {tally.failed} failed\n")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
