"""Around every run: the disk that it needs, the cluster that it had, and how that was set."""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from martlet_bench.workloads import WORKLOADS
from martlet_cluster import paths, state
from martlet_cluster.errors import ClusterError
from martlet_cluster.roster import KINDS

# Of a kind that does not say: fresh servers and PostgreSQL's log, and each second at full load.
FRESH_BYTES = 1_500_000_000
BYTES_PER_S = 50_000_000


class NoRoom(ClusterError):
    """On the disk, for what would be measured."""


def check_disk(directory: Path, options: argparse.Namespace) -> None:
    """Before anything runs: a disk that fills up in the middle costs more than the run."""
    needed = max(disk_bytes(name, options) for name in options.workloads)
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise NoRoom(
            f"{needed / 1e9:.1f} GB of disk are needed and {free / 1e9:.1f} GB are free "
            f"where {paths.shown(directory)} is"
        )


def disk_bytes(workload: str, options: argparse.Namespace) -> int:
    says = getattr(WORKLOADS.get(workload), "disk_bytes", None)
    by_time = FRESH_BYTES + BYTES_PER_S * (options.warm_up + options.seconds)
    return int(says(options) if says else by_time)


def of_clusters(place: Path) -> dict[str, Any]:
    """Of all clusters directly below the run's directory. settings: whatever differs from the
    programs' own defaults, apart from addresses, keys and directories."""
    topology: Counter[str] = Counter()
    settings: dict[str, dict[str, Any]] = {}
    for file in sorted(place.glob(f"*/{state.FILE}")):
        saved = state.read(file.parent)
        assert saved is not None
        kinds = Counter(member["kind"] for member in saved["members"].values())
        topology |= kinds
        for name in sorted({*kinds, *saved["overrides"]}):
            ours = {**KINDS[name].tuning, **KINDS[name].environment} if name in KINDS else {}
            if differs := {**ours, **saved["overrides"].get(name, {})}:
                settings.setdefault(name, {}).update(differs)
    return {"topology": dict(topology), "settings": settings}


def row(result: dict[str, Any]) -> str:
    members = ", ".join(f"{count} {kind}" for kind, count in result["topology"].items())
    return f"  on {members}"
