"""./dev bench --quick: has it become slower? Short runs, of which only shares and ratios are taken
and compared with bench/baseline.json. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench.kind import Result
from martlet_cluster import paths
from martlet_cluster.errors import ClusterError

# By turns, so that the machine's mood is in the floor and in what is held against it; 27 s each.
ROUNDS = 3
PRESET: dict[str, Any] = {
    "workloads": ["floor", "one-to-one-warm", "one-to-one"],
    **{"in_flight": 512, "rate": None, "ack": "logged", "only": ""},
    **{"users": 1000, "idle": 0, "text_bytes": 200, "edges": 2, "dispatchers": 1, "nats": 1},
    "repeat": 1,
    "seconds": 4.0,
    "warm_up": 2.0,
}
BASELINE = paths.ROOT / "bench/baseline.json"
WORSE_BY = 0.25

# By workload. What is held against the floor suffers from noise alone, so the best round counts;
# what is held against nats-server in the same seconds moves both ways, so the median does.
Shares = dict[str, dict[str, float]]
SHARE = "share_of_floor"
NATS = "nats_cpu_of_floor"  # CPU a message, as a multiple of the floor's
OURS = ("edge", "dispatcher", "persist", "postgres")
KEYS = (SHARE, NATS, *(f"{kind}_cpu_of_nats" for kind in OURS))


def preset(options: argparse.Namespace) -> None:
    for name, value in PRESET.items():
        setattr(options, name, value)


def shares_of(results: Sequence[Result]) -> Shares:
    """Of one round."""
    floor, *others = results
    shares: Shares = {}
    for result in others:
        cpu_us = result["cpu_us"]
        shares[result["workload"]] = {
            SHARE: result[SHARE],
            NATS: cpu_us["nats"] / floor["cpu_us"]["floor"],
            **{f"{kind}_cpu_of_nats": cpu_us[kind] / cpu_us["nats"] for kind in OURS},
        }
    return shares


def together(rounds: Sequence[Shares]) -> Shares:
    best = {SHARE: max, NATS: min}
    return {
        workload: {
            key: round(best.get(key, statistics.median)([one[workload][key] for one in rounds]), 4)
            for key in KEYS
        }
        for workload in rounds[0]
    }


def times_worse(key: str, now: float, before: float) -> float:
    """Above 1: slower. Of the share of the floor more is better, of CPU less."""
    return before / now if key == SHARE else now / before


def regressions(now: Shares, baseline: Shares) -> list[str]:
    """What is so much worse that noise does not explain it, a line each."""
    found = []
    for workload, shares in now.items():
        for key, value in shares.items():
            before = baseline[workload][key]
            if times_worse(key, value, before) > 1 + WORSE_BY:
                found.append(f"{workload}: {key} was {before:.3f} and is {value:.3f}")
    return found


def read(file: Path) -> Shares:
    """Raises ClusterError when it is not a baseline of these figures."""
    try:
        value: Shares = json.loads(file.read_text())
        for workload in PRESET["workloads"][1:]:
            for key in KEYS:
                assert value[workload][key] > 0
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        shown = paths.shown(file)
        raise ClusterError(f"{shown} is no baseline, --update writes one: {error!r}") from error
    return value


def judge(rounds: Sequence[Sequence[Result]], *, update: bool, file: Path = BASELINE) -> bool:
    """Prints what became of each figure. False: slower than the baseline."""
    now = together([shares_of(results) for results in rounds])
    if update:
        file.write_text(json.dumps(now, indent=2) + "\n")
        print(f"bench: {paths.shown(file)} is written")
        return True
    baseline = read(file)
    for workload, shares in now.items():
        print(f"{workload}, against the baseline (above x1: worse)")
        for key, value in shares.items():
            before = baseline[workload][key]
            worse = times_worse(key, value, before)
            print(f"  {key:<22}{before:>10.3f} {value:>10.3f}   x{worse:.2f}")
    found = regressions(now, baseline)
    for line in found:
        print(f"bench: slower by more than {WORSE_BY:.0%}: {line}")
    return not found
