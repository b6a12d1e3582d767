"""./dev bench subjects: what nats-server has to bear for very many users, without any client."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import table, usage
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_cluster import Cluster

SUBJECTS = (10_000, 100_000, 1_000_000)
FIGURES: Sequence[str] = (
    *("nats_bytes_per_subscription", "subscribed_per_s", "delivered_per_s", "cpu_us"),
    *("resubscribed_s", "nats_start_s", "seconds"),
)
COUNTS: Sequence[str] = ("lost", "unheard")

PATIENCE_S = 120.0


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    counts = (options.subjects,) if options.subjects else SUBJECTS
    return [Case(workload, {"subjects": count}) for count in counts]


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh nats-server, which is killed and started again under the subscriptions."""
    with Cluster.only_servers(directory / "cluster") as cluster:
        cluster.start_servers()
        config = {
            "url": cluster.nats.url,
            "subjects": case["subjects"],
            "seconds": options.seconds,
        }
        with Generator(directory, config, "bench/martlet-bench-subjects") as generator:
            generator.wait("connected", PATIENCE_S)
            subscribed = measure_subscriptions(cluster, generator, case["subjects"])
            load = measure_load(cluster, generator)
            restart = measure_restart(cluster, generator, case["subjects"])
    return {"workload": case.workload, **case.keys, **subscribed, **load, **restart}


def nats_resident(cluster: Cluster) -> dict[str, int]:
    return usage.pss_by_kind({"nats": [cluster.nats.pid]})


def measure_subscriptions(cluster: Cluster, generator: Generator, count: int) -> dict[str, Any]:
    before = usage.settled(lambda: nats_resident(cluster))
    generator.say("subscribe")
    seconds = generator.wait("subscribed", PATIENCE_S)["seconds"]
    after = usage.settled(lambda: nats_resident(cluster))
    return {
        "nats_bytes_per_subscription": round((after["nats"] - before["nats"]) / count),
        "subscribed_per_s": round(count / seconds),
    }


def measure_load(cluster: Cluster, generator: Generator) -> dict[str, Any]:
    pids = {"nats": [cluster.nats.pid], "generator": [generator.pid]}
    generator.say("load")
    generator.wait("measuring", PATIENCE_S)
    before = usage.cpu_by_pid(pids)
    generator.wait("measured", PATIENCE_S)
    spent = usage.spent_by_kind(before, usage.cpu_by_pid(pids))
    report = generator.wait("done", PATIENCE_S)
    messages = report["received_per_s"] * report["seconds"]
    return {
        "delivered_per_s": round(report["received_per_s"], 1),
        "cpu_us": {
            kind: round(1e6 * seconds / messages, 2) if messages else None
            for kind, seconds in spent.items()
        },
        "lost": report["lost"],
        "seconds": round(report["seconds"], 3),
    }


def measure_restart(cluster: Cluster, generator: Generator, count: int) -> dict[str, Any]:
    """From the start of the new nats-server; afterwards each subject hears one message."""
    cluster.kill("nats")
    begin = time.monotonic()
    cluster.start_member("nats")
    healthy = time.monotonic() - begin
    generator.wait("resubscribed", PATIENCE_S)
    resubscribed = time.monotonic() - begin
    generator.say("check")
    heard = generator.wait("checked", PATIENCE_S)["heard_once"]
    return {
        "nats_start_s": round(healthy, 2),
        "resubscribed_s": round(resubscribed, 2),
        "unheard": count - heard,
    }


def lines(result: dict[str, Any]) -> list[str]:
    size, rate = result["nats_bytes_per_subscription"], result["subscribed_per_s"]
    return [
        f"subjects, {result['subjects']:,}, {result['seconds']:.1f} s x {result['runs']}",
        table.rate_row("messages", result, "delivered_per_s"),
        *table.cpu_rows(result["cpu_us"]),
        f"  nats-server: {table.number(size)} bytes a subscription, {table.number(rate)} a second",
        f"  killed and started: healthy after {result['nats_start_s']} s, "
        f"every subscription back after {result['resubscribed_s']} s",
        f"  account: lost {result['lost']}, then not heard exactly once {result['unheard']}",
    ]


def is_clean(result: dict[str, Any]) -> bool:
    return not result["lost"] and not result["unheard"]
