"""What is done to the containers, one after the other. An act returns when all is healthy again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from compose.stack import COMMAND_S, UP, Stack, StackError, wait_until

Act = tuple[str, Callable[[Stack], None]]

ENGINE = Path(__file__).with_name("engine.sh")
# Of every kind one.
KINDS = ("edge", "dispatcher", "persist", "api", "haproxy", "nats", "postgres", "redis")
CUT_S = 6.0  # how long a partition lasts
EDGES = 2
AUTOSCALE = Path(__file__).resolve().parents[2] / "compose/autoscale"
CROWDED_EDGES = 3  # for 90 clients, see crowded.yaml
AUTOSCALE_S = 90.0
ENGINE_S = 240.0


def under_load() -> Iterator[Act]:
    """In this order; clients write meanwhile."""
    yield "edges 1 to 5", lambda stack: stack.up(5)
    yield f"edges 5 to {EDGES}", lambda stack: stack.up(EDGES)
    yield f"autoscale makes them {CROWDED_EDGES}", autoscale
    yield f"edges {CROWDED_EDGES} to {EDGES}", lambda stack: stack.up(EDGES)
    for kind in KINDS:
        yield f"kill -9 {kind}", lambda stack, kind=kind: stack.kill(stack.one(kind))
    for kind in ("edge", "dispatcher"):
        yield f"{kind} cut off from nats", lambda stack, kind=kind: cut_off(stack, kind, "nats")
    yield "the engine stopped and started", restart_engine
    yield "down, up", down_up


def under_load_of_cluster() -> Iterator[Act]:
    for server in ("nats", "nats-2"):
        yield f"kill -9 {server}", lambda stack, server=server: stack.kill(stack.one(server))


def autoscale(stack: Stack) -> None:
    """With compose/autoscale beside it, as a user runs it."""
    crowded = replace(stack, files=[*stack.files, Path(__file__).with_name("crowded.yaml")])
    crowded.compose(*UP, "--no-deps", "api")
    command = [str(AUTOSCALE), *crowded.named]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as scaler:
        try:
            grown = wait_until(
                lambda: len([one for one in stack.containers("edge") if one.is_well]) == CROWDED_EDGES,
                AUTOSCALE_S,
            )
        finally:
            scaler.terminate()
        said, _ = scaler.communicate(timeout=COMMAND_S)
    if not grown or scaler.returncode != 0:
        raise StackError(f"autoscale ended with {scaler.returncode}: {said}")
    stack.edge_count = CROWDED_EDGES


def cut_off(stack: Stack, service: str, peer: str) -> None:
    victim = stack.one(service)
    stack.cut(victim, stack.containers(peer))
    try:
        time.sleep(CUT_S)
    finally:
        dropped = stack.mend(victim)
    if dropped == 0:
        raise StackError("no packet was dropped: it was no partition")


def restart_engine(_: Stack) -> None:
    """As a machine that starts anew: every container is stopped, and started by the engine alone."""
    for arguments in (["stop", "keep"], ["start", "box"]):
        done = subprocess.run(
            [str(ENGINE), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=ENGINE_S,
            env=os.environ,
        )
        if done.returncode != 0:
            raise StackError(f"engine.sh {' '.join(arguments)}: {done.stdout}")


def down_up(stack: Stack) -> None:
    stack.down()
    if stack.containers():
        raise StackError(f"still there: {', '.join(map(str, stack.containers()))}")
    stack.up(EDGES)
