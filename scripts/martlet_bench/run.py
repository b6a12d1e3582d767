"""One run: connect, idle, warm-up, window, drain; what the generator says and what it cost."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from martlet_bench import machine, usage, world
from martlet_bench.generator import Generator
from martlet_bench.summary import LATENCIES
from martlet_bench.workloads import Case
from martlet_cluster import Cluster, keys
from martlet_cluster.errors import ClusterError

# Beyond what a phase is meant to take: a machine may be slow.
PATIENCE_S = 120.0
DRAIN_S = 20.0
CATCH_UP_S = 120.0

# Whose memory grows with each connection.
IDLE_KINDS = ("edge", "nats")


def generator_config(
    cluster: Cluster, options: argparse.Namespace, case: Case, users: list[str], idle: list[str]
) -> dict[str, Any]:
    return {
        "edges": [edge.listen for edge in cluster.edges],
        "signing_key": str(keys.signing_key(cluster.directory)),
        "users": users,
        "idle": idle,
        "workload": case.workload,
        "stored": case.ack == "stored",
        "in_flight": case.in_flight or 0,
        "rate": case.rate or 0,
        "warm_up_s": case.warm_up_s(options.warm_up, len(users)),
        "seconds": options.seconds,
        "drain_s": DRAIN_S,
        "text_bytes": options.text_bytes,
    }


def measure_idle(cluster: Cluster, generator: Generator, count: int) -> dict[str, int] | None:
    """Bytes a connection, from the growth between the users alone and with the idle ones."""
    if count == 0:
        return None
    pids = {kind: usage.pids_by_kind(cluster)[kind] for kind in IDLE_KINDS}
    before = usage.settled(lambda: usage.resident_by_kind(pids))
    generator.say("idle")
    generator.wait("idle", PATIENCE_S)
    after = usage.settled(lambda: usage.resident_by_kind(pids))
    generator.say("release")
    generator.wait("released", PATIENCE_S)
    return {kind: round((after[kind] - before[kind]) / count) for kind in IDLE_KINDS}


def measure_load(
    cluster: Cluster, generator: Generator, config: dict[str, Any]
) -> dict[str, Any]:
    """The generator's report, with cpu_us (a message), the share of the machine that others had, and
    the lag of the database."""

    def pids() -> dict[str, list[int]]:
        return {**usage.pids_by_kind(cluster), "generator": [generator.pid]}

    generator.say("load")
    generator.wait("measuring", config["warm_up_s"] + PATIENCE_S)
    before, busy_before = usage.cpu_by_pid(pids()), usage.machine_busy_s()
    generator.wait("measured", config["seconds"] + PATIENCE_S)
    spent = usage.spent_by_kind(before, usage.cpu_by_pid(pids()))
    busy = usage.machine_busy_s() - busy_before
    window_end = time.monotonic()
    report = generator.wait("done", DRAIN_S + PATIENCE_S)
    messages = report["acked_in_window"]
    report["cpu_us"] = {
        kind: round(1e6 * seconds / messages, 2) if messages else None
        for kind, seconds in spent.items()
    }
    others = (busy - sum(spent.values())) / report["seconds"] / machine.cores()
    report["others_cpu"] = round(max(0.0, others), 2)
    report["stored_after_s"] = wait_stored(cluster, report["acked"], window_end)
    return report


def wait_stored(cluster: Cluster, acked: int, since: float) -> float:
    """How long after the window the database had all that was acknowledged."""
    while (stored := world.stored_messages(cluster)) < acked:
        if time.monotonic() - since > CATCH_UP_S:
            raise ClusterError(f"the database has {stored} of {acked} acknowledged messages")
        time.sleep(0.1)
    return round(time.monotonic() - since, 1)


def result_of(
    options: argparse.Namespace,
    case: Case,
    report: dict[str, Any],
    idle: dict[str, int] | None,
) -> dict[str, Any]:
    """As docs/benchmarks.md lists it: keys are added, none is renamed."""
    milliseconds = [*LATENCIES, *(f"receive_{key}" for key in LATENCIES)]
    counts = ("lost", "doubled", "unordered", "refused", "unanswered", "resyncs")
    return {
        "workload": case.workload,
        "ack": case.ack,
        "in_flight": case.in_flight,
        "rate": case.rate,
        "acked_per_s": round(report["acked_per_s"], 1),
        "delivered_per_s": round(report["delivered_per_s"], 1),
        **{key: report[key] and round(report[key], 3) for key in milliseconds},
        "cpu_us": report["cpu_us"],
        **{key: report[key] for key in counts},
        "idle_bytes_per_connection": idle,
        "seconds": round(report["seconds"], 3),
        "sent": report["sent"],
        "acked": report["acked"],
        "delivered": report["delivered"],
        "stored_after_s": report["stored_after_s"],
        "others_cpu": report["others_cpu"],
        "users": options.users,
        "idle_users": options.idle,
        "connections": options.users,
        "tls": False,
        "text_bytes": options.text_bytes,
        "edges": options.edges,
        "dispatchers": options.dispatchers,
    }


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster below the directory."""
    users, idle = world.names("u", options.users), world.names("i", options.idle)
    with world.make_cluster(directory / "cluster", options, world.SETTINGS) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        world.add_accounts(cluster, users + idle)
        config = generator_config(cluster, options, case, users, idle)
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            idle_bytes = measure_idle(cluster, generator, options.idle)
            report = measure_load(cluster, generator, config)
    if report["first_refusal"]:
        print(f"bench: refused, first: {report['first_refusal']}")
    return result_of(options, case, report, idle_bytes)
