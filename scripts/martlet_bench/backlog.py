"""./dev bench backlog: persist stands still while the log fills, comes back, and catches up."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import messages, table, usage, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_bench.messages import CATCH_UP_S, PATIENCE_S, WRONG, generator_config
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.service import Service

RATE = 2_000.0
IN_FLIGHT = 512
# Under load persist has caught up when it lacks less than what is sent in this time.
NEAR_S = 0.25
LOOK_S = 0.02

LATENCIES = (*messages.LATENCIES, *messages.RECEIVE_LATENCIES)
FIGURES: Sequence[str] = (
    *("acked_per_s", "delivered_per_s", *LATENCIES),
    *("backlog_messages", "catch_up_s", "first_row_s", "rows_per_s"),
    *("cpu_us", "others_cpu", "seconds"),
)
COUNTS: Sequence[str] = (*WRONG, "refused", "resyncs", "sent", "acked")


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    """Beside the load, and alone with a log of small appends and one of large ones."""
    rate = options.rate or RATE
    kinds = (("on", None, rate), ("none", None, rate), ("none", options.in_flight or IN_FLIGHT, None))
    return [
        Case(workload, {"load": load, "in_flight": in_flight, "rate": pace,
                        "stopped_s": options.stopped})
        for load, in_flight, pace in kinds
    ]  # fmt: skip


class Backlog:
    """What the logs have and the database does not, from a time at which neither had any message."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._before = self._entries()
        self.stored_before = 0  # when persist stopped

    def _entries(self) -> int:
        series = "martlet_dispatcher_entries_total"
        return int(sum(one.metrics().get(series, 0) for one in self._cluster.dispatchers))

    def appended(self) -> int:
        return self._entries() - self._before

    def stored_since(self) -> int:
        """Since persist came back; 0 while it does not answer yet."""
        try:
            return world.stored_by_persist(self._cluster)
        except OSError:
            return 0

    def messages(self) -> int:
        stored = self.stored_before + self.stored_since()
        return self.appended() - stored


def only_persist(cluster: Cluster) -> Service:
    (persist,) = cluster.persists
    return persist


def stop_persist(cluster: Cluster, backlog: Backlog) -> None:
    cluster.stop_member(only_persist(cluster).name)
    backlog.stored_before = world.stored_messages(cluster)


def fill(backlog: Backlog, case: Case, least: int) -> None:
    """Beside a load for as long as it takes; else until there is as much as that would have left."""
    if case["load"] == "on":
        return time.sleep(case["stopped_s"])
    deadline = time.monotonic() + case["stopped_s"] + PATIENCE_S
    while backlog.appended() - backlog.stored_before < least:
        if time.monotonic() > deadline:
            raise ClusterError("the log does not fill")
        time.sleep(LOOK_S)


def catch_up(
    cluster: Cluster, generator: Generator, backlog: Backlog, near: float
) -> dict[str, Any]:
    """Starts persist; until it lacks no more than that."""
    waiting = backlog.appended() - backlog.stored_before
    meter, begin = usage.Meter(cluster, generator), time.monotonic()
    cluster.start_member(only_persist(cluster).name, wait=False)
    none_s = 0.0  # the last look at which there was no row
    while (lacking := backlog.messages()) > near:
        now_s = time.monotonic() - begin
        if backlog.stored_since() == 0:
            none_s = now_s
        if now_s > CATCH_UP_S:
            raise ClusterError(f"persist still lacks {lacking} messages after {now_s:.0f} s")
        time.sleep(LOOK_S)
    took_s, rows = time.monotonic() - begin, backlog.stored_since()
    spent = meter.read()
    return {
        "backlog_messages": waiting,
        "catch_up_s": round(took_s, 2),
        "first_row_s": round(none_s, 2),
        "rows_per_s": round(rows / (took_s - none_s), 1),
        "cpu_us": spent.us_each(rows),
        "others_cpu": spent.others,
    }


def measure(cluster: Cluster, generator: Generator, case: Case, config: dict[str, Any]) -> dict[str, Any]:
    """The generator's report beside what the catching up gave."""
    backlog = Backlog(cluster)
    generator.say("load")
    generator.wait("measuring", config["warm_up_s"] + PATIENCE_S)
    stop_persist(cluster, backlog)
    fill(backlog, case, int((case["rate"] or RATE) * case["stopped_s"]))
    if case["load"] == "on":
        caught = catch_up(cluster, generator, backlog, NEAR_S * case["rate"])
    generator.say("stop")
    generator.wait("measured", PATIENCE_S)
    report = generator.wait("done", messages.DRAIN_S + PATIENCE_S)
    if case["load"] == "none":
        caught = catch_up(cluster, generator, backlog, 0)
    messages.wait_stored(cluster, report["acked"], time.monotonic())
    if (rows := world.stored_messages(cluster)) > report["sent"]:
        raise ClusterError(f"the database has {rows} messages of {report['sent']} that were sent")
    return {**report, **caught}


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster; everybody writes to ten others, in conversations that the warm-up opens."""
    users = world.names("u", options.users)
    pace = messages.case_of("one-to-one-warm", "logged", case["in_flight"], case["rate"])
    with world.make_cluster(directory / "cluster", options, world.SETTINGS) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        world.add_accounts(cluster, users)
        config = {**generator_config(cluster, options, pace, users, []), "seconds": 0}
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            report = measure(cluster, generator, case, config)
    if report["first_refusal"]:
        print(f"bench: refused, first: {report['first_refusal']}")
    figures = (key for key in (*FIGURES, *COUNTS) if key not in LATENCIES)
    return {
        "workload": case.workload,
        **case.keys,
        **{key: report[key] for key in figures},
        **{key: report[key] and round(report[key], 3) for key in LATENCIES},
        **messages.circumstances(options),
    }


def lines(result: dict[str, Any]) -> list[str]:
    beside = "beside the load" if result["load"] == "on" else "alone"
    counts = ", ".join(f"{name} {result[name]}" for name in (*WRONG, "refused", "resyncs"))
    rows = {key: result[key] for key in ("rows_per_s", "range", "runs")}
    return [
        f"backlog, {messages.pace_of(result)}, persist stopped for {result['stopped_s']:g} s, then "
        f"{beside}, {result['users']} users, {result['edges']} edge(s), x {result['runs']}",
        table.rate_row("rows", rows, "rows_per_s"),
        f"  {result['backlog_messages']:,.0f} messages caught up in {result['catch_up_s']:.1f} s, "
        f"the first after {result['first_row_s']:.1f} s",
        *table.cpu_rows(result["cpu_us"], "a row, all else included"),
        table.rate_row("acknowledged meanwhile", result, "acked_per_s"),
        table.rate_row("delivered meanwhile", result, "delivered_per_s", "receive_"),
        table.others_row(result),
        f"  account: {result['sent']:,} sent, {result['acked']:,} acknowledged; {counts}",
    ]


is_clean = messages.is_clean
