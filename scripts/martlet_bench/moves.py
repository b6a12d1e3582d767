"""./dev bench moves: an edge leaves and another one comes while people chat. What do they notice?"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import account
import swarm
from martlet_bench import table, world
from martlet_bench.case import Case
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.process import wait_until
from martlet_cluster.service import Edge

CLIENTS = 2_000
RATE = 500.0
EDGES = 3
WINDOW_S = 10
# A stop has to wait for the window; what is asked before and after takes a moment.
STOP_MS = 40_000
REACH = 3
SETTLE_S = 5.0
PATIENCE_S = 120.0
# An edge asks every ten seconds whether it has too many.
BALANCED = 1.25

TIMES: Sequence[str] = ("away_p50_ms", "away_p99_ms", "away_max_ms")
FIGURES: Sequence[str] = ("leave", "join", "acknowledged_per_s")
COUNTS: Sequence[str] = ("acknowledged", "delivered", "problems", "live_missed")


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    return [Case(workload, {"clients": CLIENTS, "rate": RATE, "drain_window_s": WINDOW_S})]


@dataclass
class Phase:
    """What happened while one edge left or came: by device, on the clock of the journals."""

    begin_ms: float
    end_ms: float = math.inf
    away_ms: list[float] = field(default_factory=list)
    reconnects: Counter[str] = field(default_factory=Counter)
    logins: Counter[int] = field(default_factory=Counter)  # by second

    def figures(self) -> dict[str, Any]:
        times = sorted(self.away_ms) or [0.0]
        last = len(times) - 1
        parts = (0.5, 0.99, 1)
        values = [round(times[min(last, int(len(times) * part))], 1) for part in parts]
        return {
            **dict(zip(TIMES, values, strict=True)),
            "moved": len(self.reconnects),
            "reconnects_most": max(self.reconnects.values(), default=0),
            "logins_per_s_most": max(self.logins.values(), default=0),
            "seconds": round((self.end_ms - self.begin_ms) / 1e3, 1),
        }


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    options = argparse.Namespace(**{**vars(options), "edges": EDGES})
    settings = {
        **world.SETTINGS,
        "edge": {
            **world.SETTINGS["edge"],
            "edge.drain_window_s": case["drain_window_s"],
            "stop_timeout_ms": STOP_MS,
        },
    }
    users = world.names("u", case["clients"])
    with world.make_cluster(directory / "cluster", options, settings) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        swarm.add_accounts(cluster, users)
        return measure(cluster, directory, users, case)


def measure(
    cluster: Cluster, directory: Path, users: Sequence[str], case: Case
) -> dict[str, Any]:
    config = {
        "members": swarm.members(users, [edge.listen for edge in cluster.edges]),
        "api": f"http://{cluster.apis[0].http}",
        "register": False,
        "password": swarm.PASSWORD,
        "pairs": swarm.ring(users, REACH),
        "rate": case["rate"],
    }
    with swarm.Swarm(directory / "swarm", **config) as crowd:
        crowd.wait("ready", PATIENCE_S)
        crowd.say("start")
        time.sleep(SETTLE_S)
        leave = Phase(now_ms())
        spread = {"before": sessions(cluster)}
        cluster.remove(cluster.edges[-1].name)
        settle(cluster, len(users))
        leave.end_ms, spread["after_leave"] = now_ms(), sessions(cluster)
        join = Phase(now_ms())
        cluster.add("edge")
        settle(cluster, len(users))
        join.end_ms, spread["after_join"] = now_ms(), sessions(cluster)
        seconds = (join.end_ms - leave.begin_ms) / 1e3
        crowd.drain(PATIENCE_S)
        problems = swarm.problems_of(crowd, cluster)
    read_phases(crowd.journals, [leave, join])
    journals = account.read_journals(crowd.journals)
    acknowledged = sum(len(journal.acked) for journal in journals)
    return {
        "workload": case.workload,
        **case.keys,
        "leave": leave.figures(),
        "join": join.figures(),
        "sessions": spread,
        "acknowledged": acknowledged,
        "acknowledged_per_s": round(acknowledged / seconds, 1),
        "delivered": sum(len(seen) for one in journals for seen in one.received.values()),
        "live_missed": sum(live_missed(edge) for edge in cluster.edges),
        "problems": len(problems),
        "first_problems": problems[:20],
        "seconds": round(seconds, 1),
        "edges": EDGES,
        "cpu_us": {},
    }


def now_ms() -> float:
    """The clock of the journals."""
    return time.clock_gettime(time.CLOCK_MONOTONIC) * 1e3


def sessions(cluster: Cluster) -> list[int]:
    return [int(edge.metrics()["martlet_edge_sessions"]) for edge in cluster.edges]


def live_missed(edge: Edge) -> int:
    return int(edge.metrics().get("martlet_edge_live_missed_total", 0))


def settle(cluster: Cluster, clients: int) -> None:
    """Everybody is online, no edge has much more than its share, and then a moment."""

    def is_level() -> bool:
        counts = sessions(cluster)
        return sum(counts) == clients and max(counts) <= BALANCED * clients / len(counts)

    if not wait_until(is_level, PATIENCE_S, step_s=0.2):
        raise ClusterError(f"the sessions are not level: {sessions(cluster)}")
    time.sleep(WINDOW_S + SETTLE_S)


def read_phases(journals: Path, phases: Sequence[Phase]) -> None:
    """How long each device had no session, and how often it came back."""
    for file in sorted(journals.glob("*.jsonl")):
        left: float | None = None
        for text in file.read_text(encoding="utf-8").split("\n")[:-1]:
            if '"state"' not in text:
                continue
            line = json.loads(text)
            if line["e"] != "state":
                continue
            at = float(line["at"])
            if line["state"] != "online":
                left = at if left is None else left
                continue
            for phase in phases:
                if left is not None and phase.begin_ms <= at < phase.end_ms:
                    phase.away_ms.append(at - left)
                    phase.reconnects[file.name] += 1
                    phase.logins[int(at // 1000)] += 1
            left = None


def lines(result: dict[str, Any]) -> list[str]:
    rows = [
        f"moves, {result['clients']:,} clients, {result['rate']:g} messages/s, window "
        f"{result['drain_window_s']} s x {result['runs']}",
        f"  {'':<16}{'moved':>8}{'away p50':>10}{'p99':>10}{'max':>10}{'reconnects':>12}{'logins/s':>10}",
    ]
    for name, what in (("leave", "3 edges to 2"), ("join", "2 edges to 3")):
        one = result[name]
        times = "".join(f"{one[key]:>7.1f} ms" for key in TIMES)
        rows.append(
            f"  {what:<16}{table.number(one['moved']):>8}{times}"
            f"{one['reconnects_most']:>12}{one['logins_per_s_most']:>10}"
        )
    spread = result["sessions"]
    return [
        *rows,
        f"  sessions: {spread['before']}, then {spread['after_leave']}, then {spread['after_join']}",
        f"  account: acknowledged {result['acknowledged']:,}, delivered {result['delivered']:,}, "
        f"problems {result['problems']}, missed live {result['live_missed']}",
        *(f"    {problem}" for problem in result["first_problems"]),
    ]


def is_clean(result: dict[str, Any]) -> bool:
    return not result["problems"]
