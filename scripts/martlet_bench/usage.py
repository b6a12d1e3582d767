"""What processes use: CPU time and memory, from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from martlet_bench import machine
from martlet_bench.generator import Generator
from martlet_cluster import Cluster
from martlet_cluster.process import ProcessId, children_of

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
US_PER_S = 1e6
# Memory stands still when two readings, so far apart, differ by less than this share.
SETTLE_STEP_S = 0.5
SETTLE_SHARE = 0.01
SETTLE_LIMIT_S = 15.0


def cpu_s(pid: int) -> float:
    """User and system time of all its threads; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def machine_busy_s() -> float:
    """Of all cores and everybody: time that was neither idle nor spent waiting for a disk."""
    user, nice, system, _idle, _iowait, *others = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    )
    return (user + nice + system + sum(others)) / TICKS_PER_S


def pss_bytes(pid: int) -> int:
    """Resident memory of its own: without pages of files, whose share changes with whoever else maps
    them; 0 when it is gone."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon:")) * 1024


def pids_by_kind(cluster: Cluster) -> dict[str, list[int]]:
    """A kind has one process a member; PostgreSQL has one a connection as well. The api has no part
    in any message and is left out."""
    pids: dict[str, list[int]] = {}
    for member in cluster.members:
        if member.kind == "api":
            continue
        assert isinstance(member.process, ProcessId)
        family = [member.process]
        if member.kind == "postgres":
            family += children_of(member.process)
        pids.setdefault(member.kind, []).extend(process.pid for process in family)
    return pids


def cpu_by_pid(pids: dict[str, list[int]]) -> dict[str, dict[int, float]]:
    return {kind: {pid: cpu_s(pid) for pid in group} for kind, group in pids.items()}


def spent_by_kind(
    before: dict[str, dict[int, float]], after: dict[str, dict[int, float]]
) -> dict[str, float]:
    """Seconds of CPU between two readings; a process that began meanwhile counts whole."""
    return {
        kind: sum(seconds - before[kind].get(pid, 0.0) for pid, seconds in group.items())
        for kind, group in after.items()
    }


def busiest(
    before: dict[str, dict[int, float]], after: dict[str, dict[int, float]], seconds: float
) -> dict[str, float]:
    """Of each kind's processes the one that worked most between two readings: its share of one core."""
    return {
        kind: round(max(at - before[kind].get(pid, 0.0) for pid, at in group.items()) / seconds, 3)
        for kind, group in after.items()
    }


def pss_by_kind(pids: dict[str, list[int]]) -> dict[str, int]:
    return {kind: sum(map(pss_bytes, group)) for kind, group in pids.items()}


def settled(read: Callable[[], dict[str, int]]) -> dict[str, int]:
    """The reading when it stands still, or the last one at the limit."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    before = read()
    while True:
        time.sleep(SETTLE_STEP_S)
        now = read()
        quiet = all(abs(now[k] - before[k]) <= SETTLE_SHARE * before[k] for k in before)
        if quiet or time.monotonic() > deadline:
            return now
        before = now


@dataclass
class Spent:
    cpu_s: dict[str, float]  # by kind, the generator besides
    seconds: float
    others: float  # share of the machine's CPU that was not theirs, 0 to 1

    def us_each(self, count: int) -> dict[str, float | None]:
        """Of so many messages, logins …: microseconds of CPU for each."""
        return {
            kind: round(US_PER_S * value / count, 2) if count else None
            for kind, value in self.cpu_s.items()
        }


class Meter:
    """What a cluster and its generator spend from now on."""

    def __init__(self, cluster: Cluster, generator: Generator) -> None:
        self._cluster, self._generator = cluster, generator
        self._before, self._busy = self._cpu(), machine_busy_s()
        self._begin = time.monotonic()

    def _cpu(self) -> dict[str, dict[int, float]]:
        return cpu_by_pid({**pids_by_kind(self._cluster), "generator": [self._generator.pid]})

    def read(self) -> Spent:
        spent = spent_by_kind(self._before, self._cpu())
        seconds = time.monotonic() - self._begin
        others = machine_busy_s() - self._busy - sum(spent.values())
        return Spent(spent, seconds, round(max(0.0, others / seconds / machine.cores()), 2))
