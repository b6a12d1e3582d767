"""./dev bench hot: everybody writes to the same place."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from martlet_bench import group, messages, world
from martlet_bench.case import Case

SENDERS = 500
# What the place is: under way, and as many messages a second as make a steady load of it.
PACES: dict[str, tuple[int, float]] = {
    "user": (512, 2000.0),
    "group": (64, group.DELIVERIES_PER_S / SENDERS),
}

FIGURES = group.FIGURES
COUNTS = group.COUNTS


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    found = []
    for kind, (in_flight, steady) in PACES.items():
        usual: list[messages.Pace] = [(in_flight, None), (None, steady)]
        found += [
            Case(workload, {"kind": kind, "ack": ack, "in_flight": number, "rate": rate})
            for number, rate in messages.paces(options, usual)
            for ack in messages.acks(options)
        ]
    return found


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    senders = min(options.users, SENDERS)
    if case["kind"] == "group":
        users = world.names("u", senders)
        config = {"workload": "in-groups", "users": users, "groups": {"hot": users}}
    else:
        # The last one reads.
        config = {"workload": "all-to-one", "users": world.names("u", senders + 1), "groups": {}}
    return group.measure(directory, options, case, config)


def lines(result: dict[str, Any]) -> list[str]:
    return [f"to one {result['kind']}", *messages.lines(result), *group.last_rows(result)]


is_clean = messages.is_clean
