"""./dev bench sockets: what the kernel allows, with the frames of the product and nothing between."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import bounds, group, messages, table
from martlet_bench.case import Case

FIGURES: Sequence[str] = (
    *("acked_per_s", "delivered_per_s", "p50_ms", "p99_ms"),
    *("cpu_us", "others_cpu", "seconds"),
)
COUNTS: Sequence[str] = ("lost",)

# Who gets a message and who wrote it, as many as a group has.
ONE_TO_ONE = 2
# Connecting, and what is under way at the end.
PATIENCE_S = 60.0


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    """Not at a rate: of that there is no share."""
    if options.rate:
        return []
    paces = [(ONE_TO_ONE, number) for number in messages.IN_FLIGHT]
    paces += [(size, number) for size in group.sizes(options) for number in group.IN_FLIGHT]
    if options.in_flight:
        paces = [(size, options.in_flight) for size in dict(paces)]
    return [Case(workload, {"size": size, "in_flight": number}) for size, number in paces]


def run(_directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    size: int = case["size"]
    groups = group.GROUPS.get(size, 0)
    users = options.users if size == ONE_TO_ONE else len(group.users(options, size))
    words = (
        *(case["in_flight"], users, options.text_bytes),
        *(options.warm_up, options.seconds, groups, size),
    )
    patience_s = options.warm_up + options.seconds + PATIENCE_S
    report, others = bounds.run("bench/martlet-bench-sockets", words, patience_s)
    return {
        "workload": case.workload,
        **case.keys,
        "acked_per_s": round(report["answered_per_s"], 1),
        "delivered_per_s": round(report["received_per_s"], 1),
        "p50_ms": report["p50_ms"],
        "p99_ms": report["p99_ms"],
        "cpu_us": {side: round(us, 2) for side, us in report["cpu_us"].items()},
        "lost": report["lost"],
        "bytes": report["bytes"],
        "seconds": round(report["seconds"], 3),
        "users": users,
        "connections": users,
        "text_bytes": options.text_bytes,
        "others_cpu": others,
    }


def share(result: dict[str, Any], results: list[dict[str, Any]]) -> float | None:
    """Of deliveries, with as many under way to groups of that size, in the same invocation."""
    size = ONE_TO_ONE if result["workload"] in messages.WORKLOADS else result.get("size")
    for bound in results:
        is_of_it = (
            bound["workload"] == "sockets"
            and bound["size"] == size
            and bound["in_flight"] == result.get("in_flight")
        )
        if is_of_it and bound["delivered_per_s"]:
            return round(float(result["delivered_per_s"] / bound["delivered_per_s"]), 3)
    return None


def lines(result: dict[str, Any]) -> list[str]:
    shape = "one to one" if result["size"] == ONE_TO_ONE else f"groups of {result['size']}"
    return [
        f"sockets, {shape}, {result['in_flight']} in flight, {result['users']} users, "
        f"{result['seconds']:.1f} s x {result['runs']}",
        table.rate_row("messages", result, "acked_per_s"),
        f"  {'deliveries':<22}{table.number(result['delivered_per_s']):>10} /s",
        *table.cpu_rows(result["cpu_us"]),
        table.others_row(result),
    ]


def is_clean(result: dict[str, Any]) -> bool:
    return not result["lost"]
