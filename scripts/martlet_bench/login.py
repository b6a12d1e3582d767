"""./dev bench login: users who come online all at once, each until the first SYNC is answered."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import table, usage, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_bench.messages import PATIENCE_S, case_of, generator_config

# How they sign in, and how many at once: a password takes some 50 ms of a processor.
AT_ONCE = {"token": (2_000, 10_000), "password": (200,)}

PASSWORD = "martlet-bench"
# argon2id of it at the cost that persist has.
PASSWORD_HASH = (
    "$argon2id$v=19$m=65536,t=2,p=1$Z/Wr2VrOp5pBBefvkk2W6A$"
    "j19WykOdXDxfZ9c3P+i8qvkRnA5tA3EIRZyfU9rbclY"
)

# Who are online before.
USERS = 4

LATENCIES = ("p50_ms", "p99_ms", "p999_ms", "max_ms")
FIGURES: Sequence[str] = ("logins_per_s", *LATENCIES, "cpu_us", "others_cpu", "seconds")
COUNTS: Sequence[str] = ("came_again", "asked_again")


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    return [
        Case(workload, {"by": by, "at_once": count})
        for by, counts in AT_ONCE.items()
        for count in ((options.at_once,) if options.at_once else counts)
    ]


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster, where none of them was ever online."""
    users, visitors = world.names("u", USERS), world.names("v", case["at_once"])
    with world.make_cluster(directory / "cluster", options, world.SETTINGS) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        world.add_accounts(cluster, users + visitors, PASSWORD_HASH)
        config = {
            **generator_config(cluster, options, case_of("pairs", "logged", 1, None), users, []),
            "visitors": visitors,
            "password": PASSWORD if case["by"] == "password" else "",
        }
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            meter = usage.Meter(cluster, generator)
            generator.say("visit")
            visit = generator.wait("visited", PATIENCE_S)
            spent = meter.read()
    return {
        "workload": case.workload,
        **case.keys,
        "logins_per_s": round(visit["visitors"] / visit["seconds"], 1),
        **{key: round(visit[key], 3) for key in LATENCIES},
        "cpu_us": spent.us_each(visit["visitors"]),
        **{key: visit[key] for key in COUNTS},
        "seconds": round(visit["seconds"], 3),
        "others_cpu": spent.others,
        "tls": False,
        "edges": options.edges,
        "dispatchers": options.dispatchers,
    }


def lines(result: dict[str, Any]) -> list[str]:
    return [
        f"login by {result['by']}, {result['at_once']:,} at once, {result['edges']} edge(s), "
        f"{result['seconds']:.1f} s x {result['runs']}",
        table.rate_row("first SYNC answered", result, "logins_per_s"),
        *table.cpu_rows(result["cpu_us"], "a login"),
        f"  told to wait: {result['came_again']} at the door, {result['asked_again']} at SYNC",
        table.others_row(result),
    ]


def is_clean(_result: dict[str, Any]) -> bool:
    """Everybody came in, or the run ended with an error."""
    return True
