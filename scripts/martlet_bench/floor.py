"""./dev bench floor: what the broker allows, with the product's messages and nothing around them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import bounds, table, usage
from martlet_bench.case import Case
from martlet_bench.messages import IN_FLIGHT
from martlet_cluster import Cluster

FIGURES: Sequence[str] = (
    *("acked_per_s", "delivered_per_s", "p50_ms", "p99_ms"),
    *("raw_core_per_s", "cpu_us", "others_cpu", "seconds"),
)
COUNTS: Sequence[str] = ()

PATIENCE_S = 60.0


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    """Not at a rate: of that there is no share."""
    if options.rate:
        return []
    paces = (options.in_flight,) if options.in_flight else IN_FLIGHT
    return [Case(workload, {"in_flight": number}) for number in paces]


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh nats-server; floor and raw core in messages a second."""
    with Cluster.only_servers(directory / "cluster") as cluster:
        cluster.start_servers()
        nats = usage.pids_by_kind(cluster)["nats"]
        words = (
            *(cluster.nats_servers[0].url, case["in_flight"], options.users, options.text_bytes),
            *(options.warm_up, options.seconds),
        )
        patience_s = options.warm_up + 2 * options.seconds + PATIENCE_S
        report, others = bounds.run("bench/martlet-bench-floor", words, patience_s, nats)
    return {
        "workload": case.workload,
        **case.keys,
        "acked_per_s": round(report["answered_per_s"], 1),
        "delivered_per_s": round(report["received_per_s"], 1),
        "p50_ms": report["p50_ms"],
        "p99_ms": report["p99_ms"],
        "raw_core_per_s": round(report["raw_core_per_s"]),
        "cpu_us": {"floor": round(report["cpu_us"], 2)},
        "bytes": report["bytes"],
        "seconds": round(report["seconds"], 3),
        "users": options.users,
        "text_bytes": options.text_bytes,
        "others_cpu": others,
    }


def share(result: dict[str, Any], results: list[dict[str, Any]]) -> float | None:
    """Of the same number under way, in the same invocation: the machine's mood is in both."""
    for floor in results:
        is_of_it = floor["workload"] == "floor" and floor["in_flight"] == result.get("in_flight")
        if is_of_it and floor["acked_per_s"]:
            return round(float(result["acked_per_s"] / floor["acked_per_s"]), 3)
    return None


def lines(result: dict[str, Any]) -> list[str]:
    return [
        f"floor, {result['in_flight']} in flight, {result['users']} users, "
        f"{result['seconds']:.1f} s x {result['runs']}",
        table.rate_row("chat messages", result, "acked_per_s"),
        f"  {'raw core':<22}{table.number(result['raw_core_per_s']):>10} /s",
        *table.cpu_rows(result["cpu_us"]),
        table.others_row(result),
    ]


def is_clean(_result: dict[str, Any]) -> bool:
    return True
