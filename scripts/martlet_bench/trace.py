"""./dev bench trace: what the flight recorder costs, as a share of the throughput without it."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from martlet_bench import messages
from martlet_bench.case import Case

IN_FLIGHT = 512
# Without and with it, by turns, so that a machine that becomes slower does so for both alike.
TURNS = (False, True, True, False)
# The services' default, and every message.
PERMILLE = (10, 1000)
KEY = "edge.trace_permille"

FIGURES: Sequence[str] = (
    *messages.FIGURES,
    *("without_per_s", "with_per_s", "throughput_ratio"),
    *("cpu_us_without", "cpu_us_with", "cpu_ratio"),
)
COUNTS = messages.COUNTS


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    in_flight = options.in_flight or IN_FLIGHT
    ack = options.ack or "logged"
    return [Case(workload, {"permille": n, "ack": ack, "in_flight": in_flight}) for n in PERMILLE]


def disk_bytes(options: argparse.Namespace) -> int:
    """Each turn leaves its cluster until the run is over."""
    per_turn = 1_500_000_000 + 50_000_000 * (options.warm_up + options.seconds)
    return int(per_turn * len(TURNS))


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """All turns, each on a fresh cluster."""
    pace = messages.case_of("one-to-one-warm", case["ack"], case["in_flight"], None)
    turns = []
    for number, is_on in enumerate(TURNS):
        permille = case["permille"] if is_on else 0
        settings = [*options.set, f"edge:{KEY}={permille}"]
        own = argparse.Namespace(**{**vars(options), "set": settings})
        turns.append(messages.run(directory, own, pace))
        (directory / "cluster").rename(directory / f"cluster-{number}")
        # What the run says of its settings is said of those with the recorder.
        if not is_on and messages.is_clean(turns[-1]):
            shutil.rmtree(directory / f"cluster-{number}", ignore_errors=True)
    return {**together(turns), **case.keys, "workload": case.workload}


def together(turns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of what is not compared the last turn with the recorder stands for all of them."""
    without, with_it = (mean(turns, side, lambda turn: turn["acked_per_s"]) for side in (False, True))
    cpu_without, cpu_with = (mean(turns, side, servers_cpu_us) for side in (False, True))
    last_on = max(index for index, is_on in enumerate(TURNS) if is_on)
    return {
        **turns[last_on],
        **{key: sum(turn[key] for turn in turns) for key in COUNTS},
        "keeps_up": all(turn["keeps_up"] for turn in turns),
        "without_per_s": round(without, 1),
        "with_per_s": round(with_it, 1),
        "throughput_ratio": round(with_it / without, 4) if without else None,
        "cpu_us_without": round(cpu_without, 2),
        "cpu_us_with": round(cpu_with, 2),
        "cpu_ratio": round(cpu_with / cpu_without, 4) if cpu_without else None,
    }


def mean(
    turns: Sequence[dict[str, Any]], is_on: bool, of: Callable[[dict[str, Any]], float]
) -> float:
    """Over the turns of one side."""
    values = [of(turn) for side, turn in zip(TURNS, turns, strict=True) if side == is_on]
    return sum(values) / len(values)


def servers_cpu_us(turn: dict[str, Any]) -> float:
    """A message, of all but the generator."""
    return sum(us or 0.0 for kind, us in turn["cpu_us"].items() if kind != "generator")


def lines(result: dict[str, Any]) -> list[str]:
    ratio = result["throughput_ratio"]
    return [
        *messages.lines(result),
        f"  {result['permille']} of 1,000 messages followed: {result['with_per_s']:,.0f} a second, none: "
        f"{result['without_per_s']:,.0f} a second, by turns: x{ratio or 0:.3f}",
        f"  the servers' CPU a message {result['cpu_us_with']:.1f} us, without {result['cpu_us_without']:.1f} us: "
        f"x{result['cpu_ratio'] or 0:.3f}",
    ]


def is_clean(result: dict[str, Any]) -> bool:
    return messages.is_clean(result)
