"""Messages at a pace: connect, idle, warm-up, window, drain; what the generator says and what it cost."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from martlet_bench import machine, table, usage, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_cluster import Cluster, keys
from martlet_cluster.errors import ClusterError

ACKS = ("logged", "stored")
IN_FLIGHT = (64, 512, 4096)
RATES = (500.0, 1000.0, 2000.0, 5000.0, 10000.0)

# Who writes to whom; names as in bench/workload.cc. The warm ones write to conversations that exist:
# so many for each user, which the warm-up opens.
WORKLOADS = {"one-to-one": 0, "one-to-one-warm": 5, "pairs": 0}

LATENCIES = ("p50_ms", "p99_ms", "p999_ms", "max_ms")
RECEIVE_LATENCIES = tuple(f"receive_{key}" for key in LATENCIES)
WRONG = ("lost", "doubled", "unordered", "unanswered")

FIGURES: Sequence[str] = (
    *("acked_per_s", "delivered_per_s", *LATENCIES, *RECEIVE_LATENCIES),
    *("cpu_us", "stored_after_s", "others_cpu", "seconds"),
)
COUNTS: Sequence[str] = (*WRONG, "refused", "resyncs", "sent", "acked", "delivered")

# A database that has everything so soon after the window keeps up.
KEEPS_UP_S = 5.0

# Beyond what a phase is meant to take: a machine may be slow.
PATIENCE_S = 120.0
DRAIN_S = 20.0
CATCH_UP_S = 120.0

# Whose memory grows with each connection.
IDLE_KINDS = ("edge", "nats", "redis")


# How many under way, or how many messages a second.
Pace = tuple[int | None, float | None]


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    """Closed loop or open loop: of in_flight and rate one is None."""
    usual: list[Pace] = [
        *((number, None) for number in IN_FLIGHT),
        *((None, rate) for rate in RATES),
    ]
    return [case_of(workload, ack, *pace) for pace in paces(options, usual) for ack in acks(options)]


def paces(options: argparse.Namespace, usual: list[Pace]) -> list[Pace]:
    """The one that was asked for, or the usual ones."""
    return [(options.in_flight, options.rate)] if is_pace_given(options) else usual


def acks(options: argparse.Namespace) -> Sequence[str]:
    """The one that was asked for, or both; a pace that was asked for is one case."""
    if options.ack:
        return (options.ack,)
    return ACKS[:1] if is_pace_given(options) else ACKS


def is_pace_given(options: argparse.Namespace) -> bool:
    return bool(options.in_flight or options.rate)


def case_of(workload: str, ack: str, in_flight: int | None, rate: float | None) -> Case:
    return Case(workload, {"ack": ack, "in_flight": in_flight, "rate": rate})


def warm_up_s(case: Case, options: argparse.Namespace) -> float:
    """Long enough for every conversation that the workload has at once."""
    to_open = 2 * WORKLOADS.get(case.workload, 0) * options.users
    least: float = options.warm_up
    return max(least, 1.2 * to_open / float(case["rate"])) if case["rate"] else least


def generator_config(
    cluster: Cluster, options: argparse.Namespace, case: Case, users: list[str], idle: list[str]
) -> dict[str, Any]:
    return {
        "edges": [edge.listen for edge in cluster.edges],
        "signing_key": str(keys.signing_key(cluster.directory)),
        "users": users,
        "groups": {},
        "idle": idle,
        "workload": case.workload,
        "stored": case["ack"] == "stored",
        "in_flight": case["in_flight"] or 0,
        "rate": case["rate"] or 0,
        "burst": 1,
        "warm_up_s": warm_up_s(case, options),
        "seconds": options.seconds,
        "drain_s": DRAIN_S,
        "text_bytes": options.text_bytes,
    }


def measure_idle(
    cluster: Cluster,
    generator: Generator,
    count: int,
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, int] | None:
    """Bytes a connection, from the growth between the users alone and with the idle ones, after
    they have been idle for as long as `meanwhile` takes."""
    if count == 0:
        return None
    pids = {kind: usage.pids_by_kind(cluster)[kind] for kind in IDLE_KINDS}
    before = usage.settled(lambda: usage.pss_by_kind(pids))
    generator.say("idle")
    generator.wait("idle", PATIENCE_S)
    meanwhile()
    after = usage.settled(lambda: usage.pss_by_kind(pids))
    generator.say("release")
    generator.wait("released", PATIENCE_S)
    return {kind: round((after[kind] - before[kind]) / count) for kind in IDLE_KINDS}


def measure_load(
    cluster: Cluster, generator: Generator, config: dict[str, Any]
) -> dict[str, Any]:
    """The generator's report, with cpu_us (a message), busiest (usage.py), the share of the machine that others had, the
    lag of the database, and when the window began (monotonic, in seconds)."""

    def pids() -> dict[str, list[int]]:
        return {**usage.pids_by_kind(cluster), "generator": [generator.pid]}

    stored_before = world.stored_messages(cluster)
    generator.say("load")
    generator.wait("measuring", config["warm_up_s"] + PATIENCE_S)
    window_begin = time.monotonic()
    before, busy_before = usage.cpu_by_pid(pids()), usage.machine_busy_s()
    generator.wait("measured", config["seconds"] + PATIENCE_S)
    after = usage.cpu_by_pid(pids())
    spent = usage.spent_by_kind(before, after)
    busy = usage.machine_busy_s() - busy_before
    window_end = time.monotonic()
    report = generator.wait("done", DRAIN_S + PATIENCE_S)
    report["window_begin"] = window_begin
    report["busiest"] = usage.busiest(before, after, window_end - window_begin)
    messages = report["acked_in_window"]
    report["cpu_us"] = {
        kind: round(usage.US_PER_S * seconds / messages, 2) if messages else None
        for kind, seconds in spent.items()
    }
    others = (busy - sum(spent.values())) / report["seconds"] / machine.cores()
    report["others_cpu"] = round(max(0.0, others), 2)
    # What persist lacks grows with the window.
    patience_s = CATCH_UP_S + config["seconds"]
    stored = report["acked"] + stored_before
    report["stored_after_s"] = wait_stored(cluster, stored, window_end, patience_s)
    if report["first_refusal"]:
        print(f"bench: refused, first: {report['first_refusal']}")
    return report


def wait_stored(
    cluster: Cluster, messages: int, since: float, patience_s: float = CATCH_UP_S
) -> float:
    """How long after the window the database had so many."""
    while (stored := world.stored_messages(cluster)) < messages:
        if time.monotonic() - since > patience_s:
            raise ClusterError(f"the database has {stored} of {messages} acknowledged messages")
        time.sleep(0.1)
    return round(time.monotonic() - since, 1)


def result_of(
    options: argparse.Namespace,
    case: Case,
    report: dict[str, Any],
    idle: dict[str, int] | None,
) -> dict[str, Any]:
    """As docs/benchmarks.md lists it: keys are added, none is renamed."""
    return {
        "workload": case.workload,
        **case.keys,
        "acked_per_s": round(report["acked_per_s"], 1),
        "delivered_per_s": round(report["delivered_per_s"], 1),
        **{key: report[key] and round(report[key], 3) for key in (*LATENCIES, *RECEIVE_LATENCIES)},
        "cpu_us": report["cpu_us"],
        **{key: report[key] for key in (*WRONG, "refused", "resyncs")},
        "idle_bytes_per_connection": idle,
        "seconds": round(report["seconds"], 3),
        "sent": report["sent"],
        "acked": report["acked"],
        "delivered": report["delivered"],
        "stored_after_s": report["stored_after_s"],
        "keeps_up": report["stored_after_s"] <= KEEPS_UP_S,
        "others_cpu": report["others_cpu"],
        "idle_users": options.idle,
        **circumstances(options),
    }


def circumstances(options: argparse.Namespace) -> dict[str, Any]:
    """How it was run, of whatever sends messages."""
    return {
        "users": options.users,
        "connections": options.users,
        "tls": False,
        "text_bytes": options.text_bytes,
        "edges": options.edges,
        "dispatchers": options.dispatchers,
    }


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster below the directory."""
    users, idle = world.names("u", options.users), world.names("i", options.idle)
    with world.served(directory, options, users + idle, PATIENCE_S) as cluster:
        config = generator_config(cluster, options, case, users, idle)
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            idle_bytes = measure_idle(cluster, generator, options.idle)
            report = measure_load(cluster, generator, config)
    return result_of(options, case, report, idle_bytes)


def pace_of(result: dict[str, Any]) -> str:
    return f"{result['rate']:g} messages/s" if result["rate"] else f"{result['in_flight']} in flight"


def lines(result: dict[str, Any]) -> list[str]:
    rows = [
        f"{result['workload']}, ack {result['ack']}, {pace_of(result)}, {result['users']} users, "
        f"{result['edges']} edge(s), {result['dispatchers']} dispatcher(s), "
        f"{result['seconds']:.1f} s x {result['runs']}",
        table.rate_row("acknowledged", result, "acked_per_s"),
        table.rate_row("delivered", result, "delivered_per_s", "receive_"),
        *table.cpu_rows(result["cpu_us"]),
    ]
    for bound in ("floor", "sockets"):
        if (share := result[f"share_of_{bound}"]) is not None:
            rows.append(f"  {share:.2f} of the {bound} in the same run")
    if result["idle_bytes_per_connection"] is not None:
        rows.append("  memory, bytes an idle connection")
        for kind, value in result["idle_bytes_per_connection"].items():
            rows.append(f"    {kind:<20}{table.number(value):>10}")
    late = "" if result["keeps_up"] else ": it does not keep up, the rate does not count"
    rows.append(f"  all in the database {result['stored_after_s']} s after the window{late}")
    rows.append(table.others_row(result))
    counts = ", ".join(f"{name} {result[name]}" for name in (*WRONG, "refused", "resyncs"))
    rows.append(f"  account: {result['sent']:,} sent, {result['acked']:,} acknowledged; {counts}")
    return rows


def is_clean(result: dict[str, Any]) -> bool:
    """Every message is where it belongs, once and in order."""
    return not any(result[name] for name in WRONG)
