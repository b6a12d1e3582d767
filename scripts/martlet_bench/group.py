"""./dev bench group: one writes, a hundred or five hundred get it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import swarm
from groups import GroupDevice
from martlet_bench import messages, table, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_bench.messages import PATIENCE_S
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError

# Members online, and how many such groups there are.
GROUPS = {100: 10, 500: 4}
IN_FLIGHT = (64, 512)
DELIVERIES_PER_S = 10_000

LAST_LATENCIES = tuple(f"last_{key}" for key in messages.LATENCIES)
FIGURES: Sequence[str] = (*messages.FIGURES, *LAST_LATENCIES, "cpu_us_per_delivery")
COUNTS = messages.COUNTS

Groups = dict[str, list[str]]

# Makes the groups and is the only member who is not there.
OWNER = "owner"
INVITED_AT_ONCE = 100


def sizes(options: argparse.Namespace) -> list[int]:
    """Those that there are members enough for."""
    return [size for size in GROUPS if size <= options.users]


def users(options: argparse.Namespace, size: int) -> list[str]:
    return world.names("u", min(options.users, size * GROUPS[size]))


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    found = []
    for size in sizes(options):
        usual: list[messages.Pace] = [
            *((number, None) for number in IN_FLIGHT),
            (None, DELIVERIES_PER_S / size),
        ]
        found += [
            Case(workload, {"size": size, "ack": ack, "in_flight": number, "rate": rate})
            for number, rate in messages.paces(options, usual)
            for ack in messages.acks(options)
        ]
    return found


def membership(people: Sequence[str], size: int) -> Groups:
    """Everybody is in as many groups as everybody else. Neighbours, who are on different edges, are
    in the same ones, and who writes one after the other writes to all groups by turns."""
    count = GROUPS[size]
    each = size * count // len(people)
    groups = {
        f"g{group}": [
            user for number, user in enumerate(people) if (group - number // 2) % count < each
        ]
        for group in range(count)
    }
    if any(len(members) != size for members in groups.values()):
        raise ClusterError(f"{len(people)} users are not shared out evenly among {count} groups")
    return groups


def make_groups(cluster: Cluster, groups: Groups) -> None:
    """As anybody makes them; the database has them when it returns."""
    swarm.add_accounts(cluster, [OWNER])
    owner = GroupDevice(cluster.edges[0].listen, OWNER, "maker", swarm.PASSWORD)
    changes = 0
    for group, members in groups.items():
        owner.create(group)
        for first in range(0, len(members), INVITED_AT_ONCE):
            owner.invite(group, *members[first : first + INVITED_AT_ONCE])
            changes += 1
        changes += 1
    owner.close()
    messages.wait_stored(cluster, changes, time.monotonic())


def measure(
    directory: Path, options: argparse.Namespace, case: Case, config: dict[str, Any]
) -> dict[str, Any]:
    """A fresh cluster. config: what the generator is told besides, users and groups at least."""
    people: list[str] = config["users"]
    with world.served(directory, options, people, PATIENCE_S) as cluster:
        if config["groups"]:
            make_groups(cluster, config["groups"])
        config = {**messages.generator_config(cluster, options, case, people, []), **config}
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            report = messages.measure_load(cluster, generator, config)
    return {
        **messages.result_of(options, case, report, None),
        **{key: report[key] and round(report[key], 3) for key in LAST_LATENCIES},
        "cpu_us_per_delivery": per_delivery(report),
        "users": len(people),
        "connections": len(people),
        "groups": len(config["groups"]),
    }


def per_delivery(report: dict[str, Any]) -> dict[str, float | None]:
    """Microseconds by process, where cpu_us are those for a message."""
    copies = report["delivered_per_s"] / report["acked_per_s"] if report["acked_per_s"] else 0
    return {
        kind: round(us / copies, 2) if us is not None and copies else None
        for kind, us in report["cpu_us"].items()
    }


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    people = users(options, case["size"])
    groups = membership(people, case["size"])
    config = {"workload": "in-groups", "users": people, "groups": groups}
    return measure(directory, options, case, config)


def lines(result: dict[str, Any]) -> list[str]:
    head = f"{result['groups']} groups of {result['size']} members"
    return [head, *messages.lines(result), *last_rows(result)]


def last_rows(result: dict[str, Any]) -> list[str]:
    together = sum(us or 0 for us in result["cpu_us_per_delivery"].values())
    return [
        f"  the last member has it after p50 {table.number(result['last_p50_ms'], 2)} ms, "
        f"p99 {table.number(result['last_p99_ms'], 2)} ms",
        f"  CPU a delivery {together:.1f} us",
    ]


is_clean = messages.is_clean
