"""./dev bench steady: does the memory of the services stay what it is, minute after minute of full load?"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import messages, usage, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_bench.messages import PATIENCE_S
from martlet_bench.sampler import Row, Sampler
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError

SECONDS = 600.0
IN_FLIGHT = 512
# By then caches and pools are full and the logs are as long as they become: minute 2 of 10.
FIFTH = 0.2
# Of the window, around the fifth and before the end: samples of which the median is taken.
TENTH = 0.1
STEP_S = 10.0
# Of a shorter window, so that there are several in a tenth of it.
SAMPLES = 60

# Whose memory has to stay flat, and how flat. PostgreSQL fills its caches, Redis has next to nothing.
FLAT_KINDS = ("edge", "dispatcher", "persist", "nats")
FLAT_SHARE = 0.05

# Before the run: fresh servers, PostgreSQL's log and what NATS keeps; more messages a second than were
# ever seen here; and of each message what its rows and their indexes take besides the text.
FRESH_BYTES = 2_000_000_000
MESSAGES_PER_S = 25_000
ROW_BYTES = 400

MIB = 1024 * 1024

FIGURES: Sequence[str] = (*messages.FIGURES, "memory_mib", "memory_growth")
COUNTS = messages.COUNTS


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    """Full load is a closed loop."""
    if options.rate:
        return []
    ack = options.ack or "logged"
    return [Case(workload, {"ack": ack, "in_flight": options.in_flight or IN_FLIGHT})]


def window_s(options: argparse.Namespace) -> float:
    return float(options.seconds) if options.is_window_given else SECONDS


def disk_bytes(options: argparse.Namespace) -> int:
    """Nothing that was stored goes away."""
    stored = MESSAGES_PER_S * (options.warm_up + window_s(options))
    return int(FRESH_BYTES + stored * (ROW_BYTES + options.text_bytes))


def read_memory(cluster: Cluster) -> Row:
    """MiB by kind; PostgreSQL's processes come and go."""
    held = usage.pss_by_kind(usage.pids_by_kind(cluster))
    return {kind: round(size / MIB, 2) for kind, size in held.items()}


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster."""
    options = argparse.Namespace(**{**vars(options), "seconds": window_s(options)})
    users = world.names("u", options.users)
    pace = messages.case_of("one-to-one-warm", case["ack"], case["in_flight"], None)
    step_s = min(STEP_S, options.seconds / SAMPLES)
    with world.served(directory, options, users, PATIENCE_S) as cluster:
        config = messages.generator_config(cluster, options, pace, users, [])
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            with Sampler(step_s, lambda: read_memory(cluster)) as sampler:
                report = messages.measure_load(cluster, generator, config)
    rows = [row for row in sampler.since(report["window_begin"]) if row["at_s"] <= report["seconds"]]
    if not rows:
        raise ClusterError(f"nobody read any memory within {report['seconds']:.1f} s")
    return {
        **messages.result_of(options, pace, report, None),
        "workload": case.workload,
        **memory(rows, report["seconds"]),
        "memory_over_time": rows,
    }


def memory(rows: Sequence[Row], seconds: float) -> dict[str, Any]:
    """memory_mib, memory_growth and flat, of the rows of a window that was so long."""
    fifth, tenth = FIFTH * seconds, TENTH * seconds
    early = typical(rows, fifth - tenth / 2, fifth + tenth / 2)
    late = typical(rows, seconds - tenth, seconds)
    growth = {kind: round(late[kind] / early[kind], 3) if early[kind] else None for kind in early}
    return {
        "memory_mib": {kind: {"fifth": early[kind], "end": late[kind]} for kind in early},
        "memory_growth": growth,
        "flat": not grown(growth),
    }


def typical(rows: Sequence[Row], begin: float, end: float) -> Row:
    """The median by kind of what was read between, or what was read nearest to it: a machine may stand
    still for so long."""
    middle = (begin + end) / 2
    nearest = min(rows, key=lambda row: abs(row["at_s"] - middle))
    chosen = [row for row in rows if begin <= row["at_s"] <= end] or [nearest]
    kinds = (key for key in nearest if key != "at_s")
    return {kind: round(statistics.median(row[kind] for row in chosen), 2) for kind in kinds}


def grown(growth: dict[str, float | None]) -> list[str]:
    """Those that are not flat; to shrink is no better."""
    ratios = {kind: growth[kind] or 0.0 for kind in FLAT_KINDS}
    low, high = 1 - FLAT_SHARE, 1 + FLAT_SHARE
    return [kind for kind, ratio in ratios.items() if not low <= ratio <= high]


def lines(result: dict[str, Any]) -> list[str]:
    fifth = f"{FIFTH * result['seconds']:.0f} s"
    rows = [
        *messages.lines(result),
        f"  {'memory, MiB, after':<22}{fifth:>10}{result['seconds']:>8.0f} s{'growth':>10}",
    ]
    for kind, held in result["memory_mib"].items():
        ratio = result["memory_growth"][kind]
        times = "-" if ratio is None else f"x{ratio:.3f}"
        rows.append(f"    {kind:<20}{held['fifth']:>10.1f}{held['end']:>10.1f}{times:>10}")
    return [*rows, verdict(result)]


def verdict(result: dict[str, Any]) -> str:
    """The medians of several runs may be flat where one of them was not."""
    if result["flat"]:
        return f"  flat within {FLAT_SHARE:.0%}: {', '.join(FLAT_KINDS)}"
    found = grown(result["memory_growth"])
    return f"  not flat within {FLAT_SHARE:.0%}: {', '.join(found) or 'in one of the runs'}"


# What grows is said, and no fault of the account.
is_clean = messages.is_clean
