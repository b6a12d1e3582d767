"""./dev bench offline: messages for users who are not there, until all of them are stored; then those
users come online all at once and read."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import messages, table, usage, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_bench.messages import CATCH_UP_S, PATIENCE_S, WRONG, case_of, generator_config
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError

ABSENT = 100
MESSAGES = 50_000
IN_FLIGHT = 512

LATENCIES = ("p50_ms", "p99_ms", "p999_ms", "max_ms")
DRAIN_LATENCIES = tuple(f"drain_{key}" for key in LATENCIES)

FIGURES: Sequence[str] = (
    *("stored_per_s", "acked_per_s", *LATENCIES, "cpu_us"),
    *("drained_per_s", *DRAIN_LATENCIES, "drain_cpu_us"),
    *("stored_s", "drain_s", "others_cpu"),
)
COUNTS: Sequence[str] = (*WRONG, "refused", "sent", "acked", "drained", "asked_again")


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    keys = {
        "messages": options.messages or MESSAGES,
        "absent": options.absent or ABSENT,
        "in_flight": options.in_flight or IN_FLIGHT,
    }
    return [Case(workload, keys)]


def store(cluster: Cluster, generator: Generator) -> tuple[dict[str, Any], float, usage.Spent]:
    """The generator's report, after how many seconds all of it was in the database, and what that
    took."""
    stored = world.stored_by_persist(cluster)
    meter, begin = usage.Meter(cluster, generator), time.monotonic()
    generator.say("load")
    generator.wait("measuring", PATIENCE_S)
    generator.wait("measured", PATIENCE_S)
    report = generator.wait("done", PATIENCE_S)
    while world.stored_by_persist(cluster) - stored < report["acked"]:
        if time.monotonic() - begin > CATCH_UP_S:
            raise ClusterError("the database does not get the acknowledged messages")
        time.sleep(0.01)
    seconds, spent = time.monotonic() - begin, meter.read()
    if (rows := world.stored_messages(cluster)) < report["acked"]:
        raise ClusterError(f"the database has {rows} of {report['acked']} acknowledged messages")
    return report, seconds, spent


def visit(cluster: Cluster, generator: Generator) -> tuple[dict[str, Any], usage.Spent]:
    meter = usage.Meter(cluster, generator)
    generator.say("visit")
    return generator.wait("visited", PATIENCE_S), meter.read()


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """The absent were online once, before there was anything for them, and have a sync token."""
    users, absent = world.names("u", options.users), world.names("v", case["absent"])
    with world.make_cluster(directory / "cluster", options, world.SETTINGS) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        world.add_accounts(cluster, users + absent)
        pace = case_of("offline", "logged", case["in_flight"], None)
        config = {
            **generator_config(cluster, options, pace, users, []),
            **{"warm_up_s": 0, "visitors": absent, "messages": case["messages"]},
        }
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            visit(cluster, generator)
            generator.say("leave")
            generator.wait("left", PATIENCE_S)
            report, stored_s, storing = store(cluster, generator)
            drain, draining = visit(cluster, generator)
    if report["first_refusal"]:
        print(f"bench: refused, first: {report['first_refusal']}")
    return {
        "workload": case.workload,
        **case.keys,
        "stored_per_s": round(report["acked"] / stored_s, 1),
        "stored_s": round(stored_s, 3),
        "acked_per_s": round(report["acked_per_s"], 1),
        **{key: report[key] and round(report[key], 3) for key in LATENCIES},
        "cpu_us": storing.us_each(report["acked"]),
        "drained_per_s": round(drain["messages"] / drain["seconds"], 1),
        "drain_s": round(drain["seconds"], 3),
        **{f"drain_{key}": round(drain[key], 3) for key in LATENCIES},
        "drain_cpu_us": draining.us_each(drain["messages"]),
        "drained": drain["messages"],
        "asked_again": drain["asked_again"],
        **{key: drain[key] for key in ("lost", "doubled", "unordered")},
        **{key: report[key] for key in ("unanswered", "refused", "sent", "acked")},
        "others_cpu": max(storing.others, draining.others),
        **messages.circumstances(options),
    }


def lines(result: dict[str, Any]) -> list[str]:
    return [
        f"offline, {result['messages']:,} messages of {result['users']} users for "
        f"{result['absent']} absent ones, {result['in_flight']} in flight, "
        f"{result['edges']} edge(s), x {result['runs']}",
        table.rate_row("stored", result, "stored_per_s"),
        *table.cpu_rows(result["cpu_us"]),
        table.rate_row("drained", result, "drained_per_s", "drain_"),
        *table.cpu_rows(result["drain_cpu_us"]),
        f"  stored in {result['stored_s']:.1f} s, drained in {result['drain_s']:.2f} s",
        table.others_row(result),
        f"  account: {result['sent']:,} sent, {result['acked']:,} acknowledged, "
        f"{result['drained']:,} drained; "
        + ", ".join(f"{name} {result[name]}" for name in (*WRONG, "refused", "asked_again")),
    ]


is_clean = messages.is_clean
