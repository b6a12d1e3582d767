"""./dev bench burst: a second's messages in a tenth of it, below and above what the cluster can take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import messages, table, world
from martlet_bench.case import Case
from martlet_bench.depths import MAX_UNANSWERED, Depths, bounds
from martlet_bench.generator import Generator
from martlet_bench.messages import PATIENCE_S
from martlet_cluster import Cluster

CONNECTIONS = 40
PERCENTS = (50, 80, 100, 115)
PART = 0.1

FIGURES: Sequence[str] = (*messages.FIGURES, "saturation_per_s", "rate", "deepest")
COUNTS: Sequence[str] = (*messages.COUNTS, "refused_without_time")


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    """The rates are what is measured here."""
    if options.in_flight or options.rate:
        return []
    ack = options.ack or "logged"
    return [Case(workload, {"percent": percent, "ack": ack}) for percent in PERCENTS]


def load(
    directory: Path, cluster: Cluster, options: argparse.Namespace, pace: Case, users: list[str]
) -> dict[str, Any]:
    """Everybody to everybody; at a rate in bursts."""
    config = messages.generator_config(cluster, options, pace, users, [])
    config["burst"] = PART if pace["rate"] else 1
    with Generator(directory, config) as generator:
        generator.wait("connected", PATIENCE_S)
        return messages.measure_load(cluster, generator, config)


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster: first what it can take, then the bursts."""
    users = world.names("u", min(options.users, CONNECTIONS))
    with world.served(directory, options, users, PATIENCE_S) as cluster:
        # As many as a burst may have under way: with fewer the batches are smaller, and 115 % of that
        # saturation would be less than the cluster can take.
        in_flight = MAX_UNANSWERED * len(users)
        pace = messages.case_of("one-to-one", case["ack"], in_flight, None)
        saturation: float = load(directory, cluster, options, pace, users)["acked_per_s"]
        rate = round(saturation * case["percent"] / 100, 1)
        pace = messages.case_of("one-to-one", case["ack"], None, rate)
        limits = bounds(cluster, len(users))
        with Depths(cluster, list(limits)) as depths:
            report = load(directory, cluster, options, pace, users)
    rows = depths.since(report["window_begin"])
    deepest = {gauge: max(row[gauge] for row in rows) for gauge in limits}
    head = {
        "workload": case.workload,
        **case.keys,
        "saturation_per_s": round(saturation, 1),
        "saturation_in_flight": in_flight,
    }
    return {
        **head,
        **messages.result_of(options, pace, report, None),
        **head,
        "refused_without_time": report["refused_without_time"],
        "deepest": deepest,
        "bounds": limits,
        "within_bounds": all(
            bound is None or deepest[gauge] <= bound for gauge, bound in limits.items()
        ),
        "over_time": report["over_time"],
        "depths": rows,
        "users": len(users),
        "connections": len(users),
    }


def lines(result: dict[str, Any]) -> list[str]:
    rows = [
        f"bursts of {result['percent']} % of {table.number(result['saturation_per_s'])} /s, which were "
        f"answered with {result['saturation_in_flight']:,} in flight",
        *messages.lines(result),
        f"  {'second':>8}{'due':>8}{'answered':>10}{'refused':>9}{'p50 ms':>10}{'p99 ms':>10}",
    ]
    for second in result["over_time"]:
        rows.append(
            f"  {second['at_s']:>8}{second['due']:>8}{second['acked']:>10}{second['refused']:>9}"
            f"{table.number(second['p50_ms'], 1):>10}{table.number(second['p99_ms'], 1):>10}"
        )
    rows += [
        f"  {gauge:<26}{table.number(deepest):>12} at most, bound {table.number(result['bounds'][gauge])}"
        for gauge, deepest in result["deepest"].items()
    ]
    return rows


def is_clean(result: dict[str, Any]) -> bool:
    """What is refused says when to come again, too, and every queue keeps its bound."""
    well = messages.is_clean(result) and bool(result["within_bounds"])
    return well and not result["refused_without_time"]
