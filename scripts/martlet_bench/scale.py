"""./dev bench scale: the same load on more and more of each part. What does each of them cost, and which
of them is full first?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import messages, table, usage, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_bench.messages import PATIENCE_S
from martlet_cluster import Cluster

SHAPE = ("edges", "dispatchers", "nats")
SHAPES = (
    *((1, 1, 1), (2, 1, 1), (4, 1, 1)),
    *((1, 2, 1), (1, 4, 1)),
    *((2, 2, 1), (4, 4, 1)),
    (2, 2, 3),
)
# Below what two cores can do: CPU is compared, and whoever waits for a core gathers more at a time.
RATES = (2000.0, 5000.0, 10000.0)
# Beside the lowest of them.
IDLE = 2_000

# Of nats-server, over all clients and servers: what it took in and gave out.
TRAFFIC = ("in_msgs", "out_msgs", "in_bytes", "out_bytes")

FIGURES: Sequence[str] = (
    *messages.FIGURES,
    *("cores", "busiest", "idle_bytes_per_connection", "nats_traffic", "postgres_bytes"),
)
COUNTS = messages.COUNTS


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    """At rates only: CPU a message depends on it more than on anything else."""
    rates = (options.rate,) if options.rate else RATES
    return [
        Case(workload, {**dict(zip(SHAPE, shape, strict=True)), "rate": rate})
        for shape in SHAPES
        for rate in rates
    ]


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster of this shape."""
    options = argparse.Namespace(**{**vars(options), **case.keys})
    options.idle = options.idle or (IDLE if case["rate"] == min(RATES) else 0)
    pace = messages.case_of("one-to-one-warm", options.ack or "logged", None, case["rate"])
    users, idle = world.names("u", options.users), world.names("i", options.idle)
    with world.served(directory, options, users + idle, PATIENCE_S) as cluster:
        config = messages.generator_config(cluster, options, pace, users, idle)
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            idle_bytes = messages.measure_idle(cluster, generator, options.idle)
            before = traffic(cluster)
            report = messages.measure_load(cluster, generator, config)
            after = traffic(cluster)
        size = int(cluster.psql("SELECT pg_total_relation_size('messages');")[0][0])
    acked = report["acked"]
    return {
        **messages.result_of(options, pace, report, idle_bytes),
        "workload": case.workload,
        **case.keys,
        "shape": "+".join(str(case[key]) for key in SHAPE),
        "cores": cores(report),
        "busiest": report["busiest"],
        "nats_traffic": {key: round((after[key] - before[key]) / acked, 2) for key in TRAFFIC},
        "postgres_bytes": round(size / acked),
    }


def cores(report: dict[str, Any]) -> dict[str, float]:
    """What the processes of a kind took together, 1 being one core."""
    return {
        kind: round(us * report["acked_per_s"] / usage.US_PER_S, 4)
        for kind, us in report["cpu_us"].items()
        if us is not None
    }


def traffic(cluster: Cluster) -> dict[str, int]:
    pages = [server.monitor("varz") for server in cluster.nats_servers]
    return {key: sum(page[key] for page in pages) for key in TRAFFIC}


def lines(result: dict[str, Any]) -> list[str]:
    rows = [
        f"scale, {result['edges']} edge(s), {result['dispatchers']} dispatcher(s), "
        f"{result['nats']} NATS server(s), {result['rate']:,.0f} messages/s x {result['runs']}",
        f"  {'':<14}{'us a message':>14}{'cores':>8}{'busiest process':>17}",
    ]
    for kind, share in result["cores"].items():
        us = table.number(result["cpu_us"][kind], 1)
        rows.append(f"  {kind:<14}{us:>14}{share:>8.2f}{result['busiest'][kind]:>17.2f}")
    told = result["nats_traffic"]
    rows.append(
        f"  NATS, of a message: in {told['in_msgs']:.2f} ({told['in_bytes']:,.0f} bytes), "
        f"out {told['out_msgs']:.2f} ({told['out_bytes']:,.0f} bytes); "
        f"PostgreSQL keeps {result['postgres_bytes']:,} bytes"
    )
    if result["idle_bytes_per_connection"] is not None:
        held = result["idle_bytes_per_connection"].items()
        rows.append("  an idle connection: " + ", ".join(f"{kind} {size:,} bytes" for kind, size in held))
    rows.append(table.others_row(result))
    counts = ", ".join(f"{name} {result[name]}" for name in (*messages.WRONG, "refused"))
    rows.append(f"  account: {result['acked']:,} acknowledged of {result['sent']:,}; {counts}")
    return rows


is_clean = messages.is_clean
