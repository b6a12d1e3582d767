"""Programs that say what something below the product allows: run once, they print a line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from martlet_bench import machine, usage
from martlet_cluster import paths
from martlet_cluster.errors import ClusterError


def run(
    program: str, words: Sequence[object], timeout_s: float, servers: Sequence[int] = ()
) -> tuple[dict[str, Any], float]:
    """What it printed, and the share of the machine that others used meanwhile, 0 to 1; servers:
    processes that work for it."""
    busy, spent = usage.machine_busy_s(), sum(map(usage.cpu_s, servers))
    begin = os.times()
    done = subprocess.run(
        [str(paths.built(program)), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    end = os.times()
    if done.returncode != 0:
        raise ClusterError(f"{program} failed: {done.stderr.strip()}")
    ours = end.children_user + end.children_system - begin.children_user - begin.children_system
    ours += sum(map(usage.cpu_s, servers)) - spent
    others = (usage.machine_busy_s() - busy - ours) / (end.elapsed - begin.elapsed)
    return json.loads(done.stdout), round(max(0.0, others / machine.cores()), 2)
