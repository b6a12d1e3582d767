"""./dev bench hostile: what each kind of hostile client costs the honest ones. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hostile
from martlet_bench import messages, usage, world
from martlet_bench.generator import Generator
from martlet_bench.messages import PATIENCE_S, case_of, generator_config
from martlet_bench.villains import Villains
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError

SERVICES = ("edge", "dispatcher", "persist")

# Kind, as people call it, and what stops it (docs/operations.md).
LIMITS = {
    "slow_readers": ("10 who never read, and one who writes to them", "`edge.output_high_bytes`"),
    "good_frames": ("3 floods of SEND", "`edge.frames_*`"),
    "bad_frames": ("3 floods of PING, unknown commands, broken bodies", "`edge.frames_*`"),
    "typists": ("3 floods of TYPING", "`edge.frames_*`, one in 3 s"),
    "half_open": ("1,000 half-open links, 500 sessions that say nothing", "`edge.max_strangers*`"),
    "storm": ("2,000 who come back at once, again and again", "`edge.address_connects_*`"),
    "bad_tokens": ("20 addresses that try tokens", "`edge.stranger_frames_*`, 16 bad tokens"),
    "garbage": ("20 addresses that send what is no frame", "`edge.address_connects_*`"),
    "many_groups": ("9 sessions in 1,000 groups come and go, one floods", "`edge.frames_*`"),
    "large_group": (
        "a flood to a group of 5,000, 500 of them online",
        "`dispatcher.*_deliveries_per_s`",
    ),
}


@dataclass
class Window:
    """One run of the generator. memory_mib: the peak of each kind of service."""

    p50_ms: float
    p99_ms: float
    acked_per_s: float
    clean: bool
    refused: int
    memory_mib: dict[str, float]
    attackers_cpu: float  # of the machine's processors, 0 to their number


class Attack:
    """The attacker's process, until it is closed."""

    def __init__(self, directory: Path, kind: str, scene: dict[str, Any]) -> None:
        folder = Path(__file__).parent
        tests = folder.parents[1] / "tests/integration"
        environment = {**os.environ, "PYTHONPATH": f"{tests}:{folder.parent}"}
        self._log = (directory / "attacker.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-u", str(folder / "attacker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            text=True,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"kind": kind, **scene}) + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "attacking\n":
            self.close()
            raise ClusterError(f"the hostile clients did not begin, see {self._log.name}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Attack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def peaks_mib(pids: dict[str, list[int]]) -> dict[str, float]:
    return {kind: sum(map(hostile.peak_mib, pids[kind])) for kind in SERVICES}


def measure(
    directory: Path, cluster: Cluster, config: dict[str, Any], attack: Attack | None
) -> Window:
    pids = usage.pids_by_kind(cluster)
    for kind in SERVICES:
        for pid in pids[kind]:
            hostile.reset_peak(pid)
    begin = time.monotonic()
    spent = usage.cpu_s(attack.process.pid) if attack else 0.0
    with Generator(directory, config) as generator:
        generator.wait("connected", PATIENCE_S)
        generator.say("load")
        generator.wait("measuring", config["warm_up_s"] + PATIENCE_S)
        generator.wait("measured", config["seconds"] + PATIENCE_S)
        report = generator.wait("done", config["drain_s"] + PATIENCE_S)
    cpu = (usage.cpu_s(attack.process.pid) - spent) if attack else 0.0
    return Window(
        p50_ms=report["p50_ms"] or 0.0,
        p99_ms=report["p99_ms"] or 0.0,
        acked_per_s=report["acked_per_s"],
        clean=messages.is_clean(report),
        refused=report["refused"],
        memory_mib=peaks_mib(pids),
        attackers_cpu=cpu / (time.monotonic() - begin),
    )


def compare(
    options: argparse.Namespace,
    directory: Path,
    kind: str,
    places: tuple[Cluster, Villains, dict[str, Any]],
) -> dict[str, Any]:
    """Windows without the kind and beside it, by turns."""
    cluster, villains, config = places
    pairs: list[tuple[Window, Window]] = []
    for _ in range(options.windows):
        without = measure(directory, cluster, config, None)
        with Attack(directory, kind, villains.scene(kind)) as attack:
            pairs.append((without, measure(directory, cluster, config, attack)))
        villains.wait_gone()
    return result_of(kind, pairs)


def result_of(kind: str, pairs: list[tuple[Window, Window]]) -> dict[str, Any]:
    """Medians; every window stands behind them."""

    def side(number: int) -> dict[str, Any]:
        windows = [pair[number] for pair in pairs]
        return {
            "p50_ms": round(statistics.median(w.p50_ms for w in windows), 2),
            "p99_ms": round(statistics.median(w.p99_ms for w in windows), 2),
            "acked_per_s": round(statistics.median(w.acked_per_s for w in windows), 1),
            "memory_mib": {
                service: round(statistics.median(w.memory_mib[service] for w in windows), 1)
                for service in SERVICES
            },
            "refused": sum(w.refused for w in windows),
            "clean": all(w.clean for w in windows),
        }

    ratios = [beside.p99_ms / without.p99_ms for without, beside in pairs if without.p99_ms]
    return {
        "kind": kind,
        "client": LIMITS[kind][0],
        "limit": LIMITS[kind][1],
        "without": side(0),
        "with": side(1),
        "p99_ratio": round(statistics.median(ratios), 2) if ratios else None,
        "attackers_cpu": round(statistics.median(w.attackers_cpu for _, w in pairs), 2),
        "windows": [[asdict(window) for window in pair] for pair in pairs],
    }


def row_of(result: dict[str, Any]) -> str:
    def memory(side: str) -> str:
        return " + ".join(f"{result[side]['memory_mib'][service]:.0f}" for service in SERVICES)

    def latencies(side: str) -> str:
        return f"{result[side]['p50_ms']:.1f} · {result[side]['p99_ms']:.0f}"

    cells = (
        result["client"],
        result["limit"],
        f"{latencies('without')} / {latencies('with')}",
        f"{result['p99_ratio']:.2f}" if result["p99_ratio"] else "-",
        f"{memory('without')} / {memory('with')}",
        f"{result['attackers_cpu']:.2f}",
    )
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| hostile clients | limit | honest p50 · p99 without / with, ms | p99 ratio "
    "| MiB of edge + dispatcher + persist without / with | processors that the hostile clients took |"
    "\n|---|---|---|---|---|---|"
)


def is_clean(result: dict[str, Any]) -> bool:
    return bool(result["without"]["clean"] and result["with"]["clean"])


def run(directory: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All kinds in one cluster with the limits that it has by default; prints a row each."""
    users = world.names("u", options.users)
    kinds = [value for _, value in options.only] or list(LIMITS)
    case = case_of("pairs", "logged", None, options.rate)
    results = []
    with world.make_cluster(directory / "cluster", options, {}) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        world.add_accounts(cluster, users)
        config = generator_config(cluster, options, case, users, [])
        villains = Villains(cluster, kinds)
        measure(directory, cluster, config, None)  # every conversation is warm
        print(HEAD, flush=True)
        for kind in kinds:
            results.append(compare(options, directory, kind, (cluster, villains, config)))
            print(row_of(results[-1]), flush=True)
    return results
