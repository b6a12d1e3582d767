"""./dev bench idle: connections to one edge that only keep their pulse, the memory that each holds and
the CPU that it takes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import table, usage, world
from martlet_bench.case import Case
from martlet_bench.generator import Generator
from martlet_bench.messages import (
    IDLE_KINDS,
    PATIENCE_S,
    case_of,
    generator_config,
    measure_idle,
)
from martlet_cluster import Cluster, keys

CONNECTIONS = (2_000, 10_000, 19_000)
# With TLS the generator takes as much again: fewer fit on a small machine.
TLS_CONNECTIONS = (2_000, 10_000)
EDGES = 1
# Who are connected before: the servers have made what they make for the first of them.
USERS = 4

BYTES = tuple(f"{kind}_bytes_per_connection" for kind in IDLE_KINDS)

FIGURES: Sequence[str] = (*BYTES, "heartbeat_us", "others_cpu", "seconds")
COUNTS: Sequence[str] = ()


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    plain = (options.idle,) if options.idle else CONNECTIONS
    secure = (options.idle,) if options.idle else TLS_CONNECTIONS
    return [
        Case(workload, {"connections": count, "tls": tls})
        for tls, counts in ((False, plain), (True, secure))
        for count in counts
    ]


def tls_settings(directory: Path) -> tuple[dict[str, dict[str, Any]], str]:
    """Of the edges, and the file that their certificate is checked by."""
    certificate = keys.make_certificate(directory / "tls")
    return {"edge": {**world.SETTINGS["edge"], **certificate.settings()}}, str(certificate.file)


def quiet(cluster: Cluster, generator: Generator, seconds: float) -> usage.Spent:
    """Nothing happens for so long."""
    meter = usage.Meter(cluster, generator)
    time.sleep(seconds)
    return meter.read()


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    """A fresh cluster with one edge."""
    count: int = case["connections"]
    users, idle = world.names("u", USERS), world.names("i", count)
    options = argparse.Namespace(**{**vars(options), "edges": EDGES})
    own, tls_ca = tls_settings(directory) if case["tls"] else ({}, "")
    settings = {**world.SETTINGS, **own}
    with world.make_cluster(directory / "cluster", options, settings) as cluster:
        cluster.start()
        world.wait_served(cluster, PATIENCE_S)
        world.add_accounts(cluster, users + idle)
        config = generator_config(cluster, options, case_of("pairs", "logged", 1, None), users, idle)
        config["tls_ca"] = tls_ca
        with Generator(directory, config) as generator:
            generator.wait("connected", PATIENCE_S)
            without = quiet(cluster, generator, options.quiet / 3)
            beside: list[usage.Spent] = []
            held = measure_idle(
                cluster,
                generator,
                count,
                lambda: beside.append(quiet(cluster, generator, options.quiet)),
            )
    assert held is not None
    (within,) = beside

    def heartbeat_us(kind: str) -> float:
        more = within.cpu_s[kind] / within.seconds - without.cpu_s[kind] / without.seconds
        return round(1e6 * more / count, 3)

    return {
        "workload": case.workload,
        **case.keys,
        **{f"{kind}_bytes_per_connection": held[kind] for kind in IDLE_KINDS},
        "heartbeat_us": {kind: heartbeat_us(kind) for kind in within.cpu_s},
        "seconds": options.quiet,
        "others_cpu": within.others,
        "edges": EDGES,
        "dispatchers": options.dispatchers,
    }


def lines(result: dict[str, Any]) -> list[str]:
    rows = [
        f"idle, {result['connections']:,} connections{' with TLS' if result['tls'] else ''} to {EDGES} "
        f"edge, {result['seconds']:g} s x {result['runs']}",
        f"  {'':<20}{'bytes each':>12}{'CPU, us a second each':>24}",
    ]
    for kind, spent in result["heartbeat_us"].items():
        held = result.get(f"{kind}_bytes_per_connection")
        rows.append(f"  {kind:<20}{table.number(held):>12}{table.number(spent, 2):>24}")
    rows.append(table.others_row(result))
    return rows


def is_clean(_result: dict[str, Any]) -> bool:
    """Nobody sends anything; a connection that is lost ends the run."""
    return True
